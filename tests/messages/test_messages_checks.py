"""What readers would notice in a mail is found before they do, and a good mail passes."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from message_samples import ADDRESS, HOSTILE, LINKS, PUBLIC_URL, article, draft, edition, ordinary

from digest.messages.assemble import assemble
from digest.messages.cascade import Screen, read_mail
from digest.messages.check_contrast import check_contrast, drawn
from digest.messages.check_links import check_links, is_of_one_reader, links_of
from digest.messages.check_pictures import check_pictures
from digest.messages.checks import CLIPPED, Mail, check_mail
from digest.messages.colours import read_colour
from digest.model.finding import has_errors

if TYPE_CHECKING:
    from digest.model.edition import Draft
    from digest.model.finding import Finding

OUT = f"{LINKS.unsubscribe} {LINKS.preferences}"
WAYS = f'<a href="{LINKS.unsubscribe}">leave</a> <a href="{LINKS.preferences}">settings</a>'


def mail(chosen: Draft, language: str = "de") -> Mail:
    made = edition(chosen, language=language)
    html, text = assemble(made, LINKS, address=ADDRESS)
    return Mail(
        subject=made.written.subject,
        preheader="Was der Morgen sonst noch brachte, und was davon bleibt",
        html=html,
        text=text,
        links=LINKS,
        public_url=PUBLIC_URL,
    )


def links(html: str, text: str = OUT) -> list[tuple[str, str, str]]:
    found = check_links(html, text, LINKS, public_url=PUBLIC_URL, language="en")
    return [(each.level, each.what, each.where) for each in found]


def whats(found: tuple[Finding, ...]) -> list[str]:
    return [f"{each.level}: {each.what}" for each in found if each.level != "ok"]


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("count", [1, 8, 40])
def test_a_mail_of_our_own_theme_passes_all_checks(language: str, count: int) -> None:
    found = check_mail(mail(ordinary(count), language), language=language)
    assert [each.level for each in found] == ["ok"] * 7, whats(found)
    assert all(each.do == "" for each in found)


def test_hostile_titles_neither_break_the_checks_nor_pass_as_our_words() -> None:
    chosen = draft(
        [article(n, title=title or "?", excerpt=title) for n, title in enumerate(HOSTILE)]
    )
    found = check_mail(mail(chosen), language="de")
    assert not has_errors(found), whats(found)


def test_the_findings_are_said_in_the_language_that_is_asked_for() -> None:
    said = check_mail(mail(ordinary(8)), language="de")
    assert any("Oktette" in each.what for each in said)


def test_the_gravest_stands_first() -> None:
    made = replace(mail(ordinary(1)), subject=" ", preheader="")
    levels = [each.level for each in check_mail(made, language="en")]
    assert levels[:3] == ["error", "warning", "ok"]


def test_html_that_gmail_would_cut_is_an_error_and_nearly_so_a_warning() -> None:
    made = mail(ordinary(1))
    for octets, level in ((90_000, "warning"), (CLIPPED, "error")):
        padding = "<!--" + "x" * (octets - len(made.html.encode()) - 7) + "-->"
        found = check_mail(replace(made, html=made.html + padding), language="en")
        assert [each.level for each in found if "Gmail cuts" in each.what] == [level]


def test_a_subject_that_no_telephone_shows_is_a_warning() -> None:
    found = check_mail(replace(mail(ordinary(1)), subject="Wort " * 30), language="en")
    assert [each.where for each in found if each.level == "warning"] == ["subject"]


def test_a_preheader_that_adds_nothing_is_a_warning() -> None:
    made = mail(ordinary(1))
    for said in ("", made.subject[:20], "kurz", "lang " * 41):
        found = check_mail(replace(made, preheader=said), language="en")
        assert [each.where for each in found if each.level == "warning"] == ["preheader"], said


def test_a_text_part_that_is_missing_or_too_wide_is_found() -> None:
    made = mail(ordinary(1))
    assert has_errors(check_mail(replace(made, text=" \n"), language="en"))
    wide = check_mail(replace(made, text=made.text + "x" * 73 + "\n"), language="en")
    assert [each.level for each in wide if "72 columns" in each.what] == ["warning"]
    address = replace(made, text=f"{made.text}https://example.org/{'x' * 80}\n")
    assert {each.level for each in check_mail(address, language="en")} == {"ok"}


# --------------------------------------------------------------- links


@pytest.mark.parametrize(
    "href", ["", "#", "javascript:alert(1)", "/path", "https://", "https://[", "data:text/html,x"]
)
def test_a_link_that_leads_nowhere_is_an_error(href: str) -> None:
    found = links(f'<p><a href="{href}">words</a> {WAYS}</p>')
    assert ("error", "A link leads nowhere.", href or 'href=""') in found


def test_a_link_without_tls_is_a_warning_unless_it_is_our_own_of_a_trial() -> None:
    found = links(
        f'<p><a href="http://a.example/">words</a> {WAYS}</p>', f"{OUT} http://a.example/"
    )
    assert found == [("warning", "A link is not https.", "http://a.example/")]
    trial = replace(LINKS, unsubscribe="http://127.0.0.1:8/u", preferences="http://127.0.0.1:8/p")
    page = '<p><a href="http://127.0.0.1:8/u">u</a><a href="http://127.0.0.1:8/p">p</a></p>'
    said = check_links(
        page,
        "http://127.0.0.1:8/u http://127.0.0.1:8/p",
        trial,
        public_url="http://127.0.0.1:8",
        language="en",
    )
    assert whats(said) == ["warning: Our own links are not https."]


def test_a_link_that_says_nothing_is_an_error_and_one_hidden_from_ears_is_not() -> None:
    url = "https://a.example/"
    for inner, wrong in (("", True), ("<img src='x' alt=''>", True), ("<img alt='Teich'>", False)):
        found = links(f'<p><a href="{url}">{inner}</a>{WAYS}</p>', f"{OUT} {url}")
        assert any("says nothing" in what for _, what, _ in found) is wrong, inner
    hidden = links(f'<p><a href="{url}" aria-hidden="true"></a>{WAYS}</p>', f"{OUT} {url}")
    assert [level for level, _, _ in hidden] == ["ok"]


def test_both_parts_must_let_a_reader_leave() -> None:
    gone = "The unsubscribe link is missing."
    settings = f'<a href="{LINKS.preferences}">settings</a>'
    assert ("error", gone, "HTML") in links(f"<p>{settings}</p>")
    assert ("error", gone, "text") in links(f"<p>{WAYS}</p>", LINKS.preferences)


def test_what_the_text_part_does_not_link_to_is_named() -> None:
    found = links(f'<p><a href="https://a.example/x">words</a>{WAYS}</p>')
    assert found == [
        ("warning", "A link of the HTML part is not in the text part.", "https://a.example/x")
    ]


def test_the_links_of_one_reader_are_known_as_such() -> None:
    found = links_of(mail(ordinary(1)).html)
    own = [url for url in found if is_of_one_reader(url, LINKS)]
    assert LINKS.unsubscribe in own
    assert f"{LINKS.preferences}?do=pause" in own
    assert LINKS.archive not in own


# --------------------------------------------------------------- pictures


def test_a_picture_has_an_alt_text_a_size_and_an_https_address() -> None:
    good = '<img src="https://a.example/b.jpg" alt="" width="5" height="4">'
    assert [each.level for each in check_pictures(f"<p>{good}</p>", language="en")] == ["ok"]
    for bad, level in (
        (good.replace(' alt=""', ""), "error"),
        (good.replace(' height="4"', ""), "warning"),
        (good.replace('"5"', '"100%"'), "warning"),
        (good.replace("https:", "http:"), "error"),
        (good.replace("https://a.example/b.jpg", "data:image/png;base64,AA"), "error"),
        (good.replace("https://a.example/b.jpg", "cid:1"), "error"),
    ):
        assert [each.level for each in check_pictures(f"<p>{bad}</p>", language="en")] == [level]


# --------------------------------------------------------------- contrast


def test_pale_text_is_found_by_what_is_really_behind_it() -> None:
    page = '<table bgcolor="#777777"><tr><td><p style="color:#888888">blass</p></td></tr></table>'
    [found] = [each for each in check_contrast(page, language="en") if each.where.startswith("l")]
    assert found.level == "error"
    assert found.what.startswith("#888888 on #777777 has a contrast of 1.2")
    assert "blass" in found.where


def test_the_dark_rules_are_judged_as_dark_and_only_there() -> None:
    head = '<meta name="color-scheme" content="light dark">'
    rule = "@media (prefers-color-scheme: dark){.a{color:#222222 !important}}"
    body = '<p class="a" style="color:#222222;background:#ffffff">gut</p>'
    dark = "@media (prefers-color-scheme: dark){.a{background:#000000 !important}}"
    good = check_contrast(f"<head>{head}<style>{rule}</style></head>{body}", language="en")
    assert [each.level for each in good] == ["ok"]
    bad = check_contrast(f"<head>{head}<style>{rule}{dark}</style></head>{body}", language="en")
    assert [each.where for each in bad] == ["dark: gut"]


def test_what_is_only_said_for_telephones_is_judged_on_telephones() -> None:
    page = (
        "<style>@media only screen and (max-width:480px){p{color:#eeeeee!important}}</style>"
        '<p style="color:#000000;background:#ffffff">klein</p>'
    )
    tree = read_mail(page)
    wide = [each.contrast for each in drawn(tree, Screen(width=680, dark=False))]
    narrow = [each.contrast for each in drawn(tree, Screen(width=375, dark=False))]
    assert wide == [pytest.approx(21.0)]
    assert narrow[0] is not None
    assert narrow[0] < 1.3


def test_a_link_without_a_colour_is_blue_and_so_unread_on_dark_paper() -> None:
    page = '<div style="background:#111215"><a href="https://a.example">lies</a></div>'
    assert has_errors(check_contrast(page, language="en"))


def test_an_alt_text_is_read_where_pictures_are_off() -> None:
    page = '<div style="background:#111111;color:#222222"><img alt="Ein Teich"></div>'
    assert "Ein Teich" in check_contrast(page, language="en")[0].where


def test_what_is_hidden_is_not_judged_and_large_text_may_be_paler() -> None:
    hidden = '<p style="display:none;color:#ffffff">x</p><p style="visibility:hidden">y</p>'
    assert list(drawn(read_mail(f"<div>{hidden}</div>"), Screen(width=680, dark=False))) == []
    pale = '<p style="color:#949494;background:#ffffff;font-size:{}px">groß</p>'
    assert has_errors(check_contrast(pale.format(16), language="en"))
    assert not has_errors(check_contrast(pale.format(24), language="en"))


def test_text_on_a_picture_is_said_to_be_unknown() -> None:
    page = '<td style="background:url(https://a.example/b.jpg)">worauf?</td>'
    found = check_contrast(f"<table><tr>{page}</tr></table>", language="en")
    assert {each.level for each in found} == {"warning"}


def test_importance_and_exactness_win_as_in_a_browser() -> None:
    page = (
        "<style>p.a{color:#000000}p{color:#ffffff}#b{color:#ffffff!important}</style>"
        '<p class="a">eins</p><p id="b" style="color:#000000">zwei</p>'
    )
    inks = [each.ink.colour for each in drawn(read_mail(page), Screen(width=680, dark=False))]
    assert inks == ["#000000", "#ffffff"]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("#FFF", ("#ffffff", 1.0)),
        ("#0008", ("#000000", 0x88 / 255)),
        ("#11223344", ("#112233", 0x44 / 255)),
        ("rgb(300, 0,9)", ("#ff0009", 1.0)),
        ("rgba(1,2,3,.5)", ("#010203", 0.5)),
        ("rgb(1 2 3 / 50%)", ("#010203", 0.5)),
        ("White", ("#ffffff", 1.0)),
        ("transparent", ("#000000", 0.0)),
        ("hsl(1,2%,3%)", None),
        ("rgba(1,2,3,1.2.3)", None),
        ("var(--x)", None),
    ],
)
def test_a_colour_is_read_as_css_writes_it(said: str, found: tuple[str, float] | None) -> None:
    assert read_colour(said) == found


@pytest.mark.parametrize(
    "page", ["", "<p", "<style>{{{{", "<style>@media{a{", "<p style=';;:;a'>x", "\x00", "<a href>x"]
)
def test_a_page_of_nonsense_is_judged_or_refused_but_nothing_worse(page: str) -> None:
    for check in (check_contrast, check_pictures):
        with suppress(ValueError):
            assert check(page, language="en")
    with suppress(ValueError):
        assert links(page)


def test_a_large_and_hostile_page_is_judged_in_seconds() -> None:
    begun = time.perf_counter()
    check_contrast("<style>" + "@media{" * 9000 + "a{" * 9000 + "</style>x", language="en")
    check_contrast("<div>" * 5000 + "tief", language="en")
    check_contrast('<p style="' + "color:#12345;" * 9000 + '">x', language="en")
    assert time.perf_counter() - begun < 10
