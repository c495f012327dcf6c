"""The editors' page: what it shows, what each button does, and that opening it does nothing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from zlib import crc32

import pytest
from web_visit import STADTBLATT, Visit, visit

from digest.editions.approval import LIFE
from digest.jobs.desk import LEAD, TITLE
from digest.jobs.proof import draw
from digest.jobs.publish import publish_due
from digest.model.article import NewArticle
from digest.model.newsletter import FeedSource
from digest.model.policy import Approval, SectionRule, Verdict
from digest.model.proof import Proof
from digest.store import articles, feeds, proofs, verdicts

#: 07:00 in Berlin
SLOT = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
BEFORE = timedelta(minutes=45)
JOBS = FeedSource(url="https://stadtblatt.example/jobs", section="Stellen")
EDITED = replace(
    STADTBLATT,
    schedules=STADTBLATT.schedules[:1],
    feeds=(*STADTBLATT.feeds, JOBS),
    sections=(SectionRule(title="Stellen", order="newest"),),
    limit=4,
    approval=Approval(before=BEFORE, editors=("chef@stadtblatt.example",)),
)
HOSTILE = '<script>alert(1)</script> "onload=x" {{ 7*7 }}'


@dataclass
class Editor:
    """Somebody with the link of the mail."""

    web: Visit
    path: str

    async def open(self, lang: str = "en") -> str:
        answer = await self.web.get(f"{self.path}?lang={lang}")
        assert answer.status_code == 200
        return answer.text

    async def press(self, status: int = 200, **fields: str) -> str:
        answer = await self.web.post(f"{self.path}?lang=en", **fields)
        assert answer.status_code == status, answer.text
        return answer.text

    async def titles(self) -> list[str]:
        """What stands in the draft, in its order."""
        found = re.findall(
            r'<span id="h\d+" dir="auto">\d+\. <a [^>]*>(.*?)</a>', await self.open()
        )
        return [unescape(each) for each in found]

    async def id_of(self, title: str) -> str:
        shown = await self.open()
        found = re.search(
            rf'<li id="s(\d+)">(?:(?!<li).)*?{re.escape(title)}</a>', shown, re.DOTALL
        )
        assert found is not None, shown
        return found[1]

    async def proof(self) -> Proof:
        async with self.web.world.store.read() as connection:
            ref = self.web.world.signer.check_proof(self.path.rpartition("/")[2])
            found = await proofs.by_ref(connection, ref)
        assert found is not None
        return found

    async def verdicts(self) -> list[Verdict]:
        async with self.web.world.store.read() as connection:
            return await verdicts.of(connection, EDITED.slug)


async def bring(web: Visit, *titles: str, feed: str = STADTBLATT.feeds[0].url) -> None:
    now = web.clock()
    found = [
        NewArticle(
            key=title,
            link_key=None,
            url=f"https://stadtblatt.example/{place}-{crc32(title.encode())}",
            title=title,
            excerpt="Mehr dazu im Blatt.",
            image=None,
            author=None,
            categories=(),
            published_at=now - timedelta(minutes=place),
            words=120,
        )
        for place, title in enumerate(titles)
    ]
    async with web.world.store.write() as connection:
        await feeds.know(connection, [feed], now=now)
        known = (await feeds.find(connection, [feed], due_at=None))[0]
        await articles.keep(connection, known.id, found, now=now)


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Visit]:
    async with visit(tmp_path, EDITED) as opened:
        await publish_due(opened.world, EDITED)
        yield opened


@pytest.fixture
async def editor(web: Visit) -> Editor:
    """With a draft of four stories, of which one stands in another section, and one left out."""
    await bring(web, "Eins", "Zwei", "Drei", "Vier")
    await bring(web, "Tischler", feed=JOBS.url)
    return await show(web)


async def show(web: Visit) -> Editor:
    web.clock.at = SLOT - BEFORE
    (proof,) = await draw(web.world, EDITED)
    return Editor(web, f"/desk/proof/{web.world.signer.proof_token(proof.ref)}")


async def test_the_page_shows_the_draft_and_keeps_its_address_to_itself(editor: Editor) -> None:
    answer = await editor.web.get(editor.path, **{"accept-language": "en"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "<script" not in answer.text
    assert "Disallow: /desk" in (await editor.web.get("/robots.txt")).text
    assert "It goes out on Tuesday, 24 November 2026 at 07:00." in answer.text
    assert await editor.titles() == ["Eins", "Zwei", "Drei", "Tischler"]
    assert "the edition is full" in answer.text
    assert 'lang="de"' in await editor.open("de")


async def test_opening_it_changes_nothing_however_it_is_opened(editor: Editor) -> None:
    before = await editor.proof()
    for query in ("", "?do=now", "?do=hold", "?do=drop&article=1", "?do=lead&lead=x"):
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
            await editor.web.client.request(method, editor.path + query)
    assert await editor.proof() == before
    assert await editor.verdicts() == []


async def test_a_link_that_is_forged_or_for_something_else_opens_nothing(editor: Editor) -> None:
    signer, proof = editor.web.world.signer, await editor.proof()
    for token in (
        signer.preferences_token(proof.ref),
        signer.unsubscribe_token(proof.ref),
        signer.proof_token(bytes(12)),
        "A" * 38,
        "x",
    ):
        assert (await editor.web.get(f"/desk/proof/{token}")).status_code == 404
        answer = await editor.web.post(f"/desk/proof/{token}", do="hold")
        assert answer.status_code == 404
    token = editor.path.rpartition("/")[2]
    assert (await editor.web.get(f"/preferences/{token}")).status_code == 404
    assert await editor.proof() == proof


async def test_a_link_is_over_with_its_edition_and_dead_after_a_week(editor: Editor) -> None:
    editor.web.clock.at = SLOT
    (made,) = await publish_due(editor.web.world, EDITED)
    answer = await editor.web.get(f"{editor.path}?lang=en")
    assert (answer.status_code, "<button" in answer.text) == (404, False)
    assert "This draft is over" in answer.text
    for fields in ({"do": "hold"}, {"do": "now"}, {"do": "lead", "lead": "x"}):
        assert "This draft is over" in await editor.press(404, **fields)
    first = str(made.draft.articles[0].id)
    await editor.press(404, do="drop", article=first)
    assert await editor.verdicts() == []
    editor.web.clock.at = SLOT + LIFE
    assert "This draft" not in (await editor.web.get(f"{editor.path}?lang=en")).text


async def test_stories_are_moved_dropped_and_taken(editor: Editor) -> None:
    three, four = await editor.id_of("Drei"), await editor.id_of("Vier")
    for _ in range(2):  # pressing twice is no harm
        await editor.press(do="place", article=three, place="1")
        assert await editor.titles() == ["Drei", "Eins", "Zwei", "Tischler"]
    await editor.press(do="place", article=three, place="2")
    assert await editor.titles() == ["Eins", "Drei", "Zwei", "Tischler"]
    await editor.press(do="free", article=three)
    assert await editor.titles() == ["Eins", "Zwei", "Drei", "Tischler"]
    # behind what an editor pinned, before what nobody did
    await editor.press(do="take", article=four)
    assert await editor.titles() == ["Eins", "Vier", "Zwei", "Tischler"]
    await editor.press(do="drop", article=await editor.id_of("Eins"))
    assert await editor.titles() == ["Vier", "Zwei", "Drei", "Tischler"]
    assert "you dropped it" in await editor.open()
    await editor.press(do="take", article=await editor.id_of("Eins"))
    assert await editor.titles() == ["Vier", "Eins", "Zwei", "Tischler"]
    editor.web.clock.at = SLOT
    (made,) = await publish_due(editor.web.world, EDITED)
    assert [each.title for each in made.draft.articles] == ["Vier", "Eins", "Zwei", "Tischler"]


async def test_what_came_after_the_mail_comes_in_when_it_is_taken(editor: Editor) -> None:
    editor.web.clock.at += timedelta(minutes=5)
    await bring(editor.web, "Eilmeldung")
    assert "Eilmeldung" not in await editor.titles()
    assert "it came after the draft was made" in await editor.open()
    await editor.press(do="take", article=await editor.id_of("Eilmeldung"))
    assert (await editor.titles())[0] == "Eilmeldung"
    assert "new since the mail" in await editor.open()


async def test_all_of_it_can_be_dropped_and_come_back(editor: Editor) -> None:
    for title in ("Eins", "Zwei", "Drei", "Vier", "Tischler"):
        await editor.press(do="drop", article=await editor.id_of(title))
    assert "nothing would go out" in await editor.open()
    await editor.press(do="take", article=await editor.id_of("Zwei"))
    assert await editor.titles() == ["Zwei"]


async def test_a_title_is_changed_as_text_and_given_back(editor: Editor) -> None:
    one = await editor.id_of("Eins")
    await editor.press(do="title", article=one, title=f"  Neu\r\n{HOSTILE}  ")
    shown = await editor.open()
    assert "<script" not in shown
    assert "Its publisher calls it “Eins”." in shown
    (said,) = await editor.verdicts()
    assert said.title == f"Neu {HOSTILE}"
    await editor.press(422, do="title", article=one, title="x" * (TITLE + 1))
    assert await editor.verdicts() == [said]
    editor.web.clock.at = SLOT
    (made,) = await publish_due(editor.web.world, EDITED)
    assert "<script" not in "".join(each.html for each in made.edition.written.cards)


async def test_an_empty_title_is_the_publishers_own(editor: Editor) -> None:
    one = await editor.id_of("Eins")
    for again in ("", "Eins"):
        await editor.press(do="title", article=one, title="Neu")
        await editor.press(do="title", article=one, title=again)
        assert await editor.verdicts() == []


async def test_hostile_stories_are_text_on_the_page(web: Visit) -> None:
    await bring(web, HOSTILE)
    editor = await show(web)
    for lang in ("de", "en"):
        shown = await editor.open(lang)
        assert "<script" not in shown
        assert "&lt;script&gt;" in shown
        assert "7*7" in shown


async def test_the_lead_is_text_of_some_length_and_stands_in_its_edition_alone(
    editor: Editor,
) -> None:
    await editor.press(do="lead", lead=f" Guten  Morgen\r\n\r\n{HOSTILE}\u202e ")
    assert (await editor.proof()).lead == f"Guten Morgen\n{HOSTILE}"
    assert "<script" not in await editor.open()
    long = await editor.press(422, do="lead", lead="x" * (LEAD + 1))
    assert "at most 2000 characters" in long
    assert "x" * (LEAD + 1) in long  # what was typed is not lost
    assert (await editor.proof()).lead.startswith("Guten")
    editor.web.clock.at = SLOT
    (made,) = await publish_due(editor.web.world, EDITED)
    assert made.draft.lead == f"Guten Morgen\n{HOSTILE}"


async def test_an_empty_lead_takes_it_away(editor: Editor) -> None:
    await editor.press(do="lead", lead="Guten Morgen")
    await editor.press(do="lead", lead="")
    assert (await editor.proof()).lead == ""


async def test_the_page_says_how_it_stands(editor: Editor) -> None:
    assert "An editor holds it" in await editor.press(do="hold")
    assert "An editor holds it" in await editor.open()
    assert "It goes out on Tuesday" in await editor.press(do="release")
    assert "It goes out now" in await editor.press(do="now")
    assert "Hold it" in await editor.open()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"do": "publish"},
        {"do": "drop"},
        {"do": "drop", "article": "99999"},
        {"do": "drop", "article": "-1"},
        {"do": "take", "article": "9" * 40},
        {"do": "place", "article": "1"},
        {"do": "place", "article": "1", "place": "x"},
    ],
)
async def test_what_makes_no_sense_changes_nothing_and_is_said(
    editor: Editor, fields: dict[str, str]
) -> None:
    assert "Nothing was changed" in await editor.press(422, **fields)
    assert await editor.verdicts() == []


async def test_an_article_of_another_newsletter_is_none_of_the_editors_business(
    editor: Editor,
) -> None:
    await bring(editor.web, "Fremd", feed="https://elsewhere.example/feed")
    foreign = 1 + max([int(await editor.id_of(each)) for each in ("Eins", "Tischler")])
    await editor.press(422, do="drop", article=str(foreign))
    assert await editor.verdicts() == []
