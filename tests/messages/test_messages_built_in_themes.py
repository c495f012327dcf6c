"""Each theme of ours tells everything, in a mail that is small and can be read everywhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import html5lib
import pytest
from browsing import browser, needs_chromium
from message_samples import (
    ADDRESS,
    HOSTILE,
    LINKS,
    MADE_AT,
    NONCE,
    PUBLIC_URL,
    article,
    draft,
    edition,
    newsletter,
    renderer,
)

from digest.messages.assemble import archive_html, assemble
from digest.messages.inline import inline
from digest.messages.layout import SIZE, size_of
from digest.messages.render import builtin_templates
from digest.model.newsletter import Newsletter, Topic
from digest.model.policy import SearchEngine, SectionRule, Sponsor, Support

if TYPE_CHECKING:
    from digest.model.edition import Draft, Edition

THEMES = sorted(each.name for each in (builtin_templates() / "editions").iterdir() if each.is_dir())
_HTML = "{http://www.w3.org/1999/xhtml}"
_TITLE = re.compile(r"https://www\.example\.com/2026/11/meldung-\d+\.html")


def of(theme: str) -> Newsletter:
    return newsletter(
        theme=theme,
        topics=(Topic(name="energie", title="Energie", words=("energie",)),),
        search=(SearchEngine(name="Google News", url="https://search.example/?q={query}"),),
        sections=(SectionRule(title="Bücher", text="Ein Buch.", url="https://buch.example/"),),
        sponsors=(Sponsor(title="Server", text="Aus Wasserkraft.", url="https://ad.example/"),),
        support=Support(text="Diese Seite unterstützen", url="https://support.example/"),
    )


def chosen(count: int, *, hostile: bool = False) -> Draft:
    stories = [
        article(
            number,
            **({"title": HOSTILE[number % len(HOSTILE)]} if hostile else {}),
            topics=("energie",),
            comments=12,
            comments_url=f"https://www.example.com/{number}#comments",
            section="Stellenangebote" if count > 5 and number >= count - 2 else None,
        )
        for number in range(count)
    ]
    return draft(
        stories,
        lead="Guten Morgen!\n\nHeute ist wenig los.",
        also={100: (article(50, source="Heise"),)},
        earlier={100: article(60)},
    )


def made(theme: str, count: int, *, language: str = "de", hostile: bool = False) -> Edition:
    return edition(chosen(count, hostile=hostile), language=language, of=of(theme))


def mail(theme: str, count: int, *, language: str = "de", hostile: bool = False) -> str:
    return assemble(made(theme, count, language=language, hostile=hostile), LINKS, address=ADDRESS)[
        0
    ]


def test_there_are_three() -> None:
    assert THEMES == ["brief", "cards", "plain"]


@pytest.mark.parametrize("theme", THEMES)
def test_its_sheet_is_small(theme: str) -> None:
    source = (builtin_templates() / "editions" / theme / "style.css").read_text("utf-8")
    assert re.sub(r"\{\{.*?\}\}", "", source).count("{") < 120


@pytest.mark.parametrize("hostile", [False, True])
@pytest.mark.parametrize("count", [1, 8, 40])
@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("theme", THEMES)
def test_it_tells_every_story_and_all_that_stands_around(
    theme: str,
    language: str,
    count: int,
    hostile: bool,  # noqa: FBT001 -- a parameter
) -> None:
    written = made(theme, count, language=language, hostile=hostile)
    page, text = assemble(written, LINKS, address=ADDRESS)
    assert size_of(written.written) < SIZE
    tree = html5lib.parse(page)
    links = [each.get("href") for each in tree.iter(f"{_HTML}a")]
    stories = [link for link in links if link and _TITLE.fullmatch(link)]
    assert len(set(stories)) >= count
    for wanted in (
        LINKS.unsubscribe,
        LINKS.preferences,
        f"{LINKS.preferences}?do=pause",
        LINKS.view,
        LINKS.archive,
        "https://ad.example/",
        "https://buch.example/",
        "https://support.example/",
        "https://www.example.org/impressum",
    ):
        assert wanted in links, wanted
        assert wanted in text, wanted
    shown = page.replace("\u00ad", "")
    assert ("Anzeige" if language == "de" else "Advertisement") in shown
    assert "Beispiel GmbH, Musterstr. 1, 10115 Berlin" in shown
    assert ADDRESS in shown
    assert "Guten Morgen!" in shown
    assert "<script" not in page
    for image in tree.iter(f"{_HTML}img"):
        assert image.get("alt") is not None
        assert int(image.get("width", "0")) > 0
        assert int(image.get("height", "0")) > 0


@pytest.mark.parametrize("theme", THEMES)
def test_a_story_at_length_has_everything(theme: str) -> None:
    page = mail(theme, 8)
    for wanted in (
        "Fortsetzung von",
        "Auch:",
        "Kommentare (12)",
        "do=less&amp;topic=energie",
        f"{PUBLIC_URL}/follow?newsletter=ki-news&amp;article=100",
        "https://search.example/?q=",
        "2 Min.",
        "Technikblatt",
    ):
        assert wanted in page, wanted


@pytest.mark.parametrize("theme", THEMES)
def test_the_archive_has_nothing_personal_and_a_way_in(theme: str) -> None:
    page = archive_html(made(theme, 8), public_url=PUBLIC_URL)
    for personal in (LINKS.unsubscribe, LINKS.preferences, ADDRESS, "do=less"):
        assert personal not in page
    assert f'href="{PUBLIC_URL}/ki-news"' in page


def test_the_brief_one_shows_no_pictures_and_no_title_twice() -> None:
    page = mail("brief", 8)
    assert "<img" not in page
    assert page.count("meldung-0.html") == 1


@needs_chromium
@pytest.mark.parametrize("theme", THEMES)
async def test_it_is_dark_in_the_dark_and_never_wider_than_the_window(theme: str) -> None:
    pages = {
        "ordinary": mail(theme, 14),
        "hostile": mail(theme, 40, hostile=True),
        "rtl": mail(theme, 8).replace('dir="ltr"', 'dir="rtl"'),
    }
    async with browser() as chromium:
        for scheme in ("light", "dark"):
            context = await chromium.new_context(color_scheme=scheme)
            page = await context.new_page()
            for name, content in pages.items():
                await page.set_content(content, wait_until="commit")
                for width in (320, 375, 680):
                    await page.set_viewport_size({"width": width, "height": 800})
                    wide = await page.evaluate("document.documentElement.scrollWidth")
                    assert wide <= width, (name, scheme)
                await page.set_viewport_size({"width": 640, "height": 800})
                zoomed = await page.evaluate(
                    "(document.body.style.zoom = 2, document.documentElement.scrollWidth)"
                )
                assert zoomed <= 640, (name, scheme, "zoomed")
            colour = await page.evaluate("getComputedStyle(document.body).backgroundColor")
            red = int(re.findall(r"\d+", colour)[0])
            assert (red < 40) == (scheme == "dark")
            await context.close()


@needs_chromium
async def test_two_cards_stand_side_by_side_where_there_is_room_and_else_below_each_other() -> None:
    content = mail("cards", 8)
    bare = re.sub(r"@media only screen[^{]*\{(?:[^{}]*\{[^}]*\})*\s*\}", "", content)
    assert bare != content
    async with browser() as chromium:
        page = await chromium.new_page()
        for source, width, columns in ((content, 680, 2), (content, 375, 1), (bare, 375, 1)):
            await page.set_content(source, wait_until="commit")
            await page.set_viewport_size({"width": width, "height": 800})
            lefts = await page.evaluate(
                "[...document.querySelectorAll('.card')].map(e => e.getBoundingClientRect().left)"
            )
            assert len(lefts) > 3
            assert len(set(lefts)) == columns, (width, lefts)


@pytest.mark.parametrize("theme", THEMES)
def test_premailer_runs_once_however_many_choices_there_are(
    theme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []

    def counted(html: str) -> str:
        runs.append(len(html))
        return inline(html)

    monkeypatch.setattr("digest.messages.render.inline", counted)
    drafts = [draft(chosen(40).articles[start:]) for start in range(9)]
    newsletter_of = of(theme)
    by = renderer()
    sheet = by.render_sheet(
        drafts,
        newsletter_of,
        number=1,
        made_at=MADE_AT,
        language="de",
        nonce=NONCE,
        public_url=PUBLIC_URL,
    )
    for each in drafts:
        by.lay_out(each, sheet, newsletter_of, nonce=NONCE)
    assert len(runs) == 1
