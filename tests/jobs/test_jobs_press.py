"""The selections of an edition: articles rendered once, planned for each choice and language."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from jobs_world import DAILY, STADTBLATT, Clock, bring, open_world
from sqlalchemy import select

from digest.editions.weigh import Ranks
from digest.jobs import join
from digest.jobs.prepare import choose
from digest.jobs.press import Press, name_of
from digest.jobs.publish import Published, publish_now
from digest.jobs.reprint import read_edition
from digest.jobs.world import World
from digest.jobs.write import links_for
from digest.messages.assemble import assemble
from digest.messages.layout import SIZE, largest, size_of
from digest.messages.render import Renderer
from digest.messages.shortened import shortened
from digest.model.article import Image, NewArticle
from digest.model.edition import Edition
from digest.model.layout import Form
from digest.model.newsletter import Newsletter, Topic
from digest.store import articles, feeds
from digest.store.choosing import selections, sheets

TOPICS = tuple(Topic(name=f"t{n}", title=f"T{n}", words=(f"Wort{n}",)) for n in range(8))
PAPER = replace(STADTBLATT, topics=TOPICS, limit=4)
THINGS = ["Brücke", "Kanal", "Museum", "Theater", "Garten", "Mühle", "Turm", "Markt"]
OTHERS = ["Hafen", "Straße", "Schule", "Rathaus", "Bahnhof", "Becken", "Wiese", "Kirche"]
TITLES = [f"Wort{n} {each[n]}" for n in range(8) for each in (THINGS, OTHERS)]


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with open_world(database_url, Clock(), PAPER) as one:
        yield one


async def admit(world: World, name: str, *topics: str, language: str | None = None) -> None:
    await join.admit(
        world,
        address=f"{name}@example.org",
        newsletter=PAPER,
        topics=topics,
        language=language,
        door="cli",
        detail="a test",
    )


async def published(world: World) -> Published:
    found = await publish_now(world, PAPER, DAILY)
    assert found is not None
    return found


async def unranked(world: World, newsletter: Newsletter) -> Press:
    """A press of all that is new: no two of these titles are one event."""
    async with world.store.read() as connection:
        chosen = await choose(connection, world, newsletter, DAILY)
    return Press(world, newsletter, replace(chosen, ranks=Ranks()))


async def kept(world: World) -> tuple[set[str], set[str]]:
    """The names of selections, and the languages of sheets, of all editions."""
    async with world.store.read() as connection:
        names = (await connection.execute(select(selections.c.choice))).scalars()
        languages = (await connection.execute(select(sheets.c.language))).scalars()
        return set(names), set(languages)


async def test_articles_are_rendered_once_a_language_however_many_choices_there_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[str] = []
    as_it_is = Renderer.render_sheet

    def counted(renderer: Renderer, *given: Any, language: str, **named: Any) -> Any:
        rendered.append(language)
        return as_it_is(renderer, *given, language=language, **named)

    monkeypatch.setattr(Renderer, "render_sheet", counted)
    for n in range(8):
        await admit(world, f"reader{n}", f"t{n}")
        await admit(world, f"abroad{n}", f"t{n}", language="en")
    await bring(world, *TITLES)
    made = await published(world)
    assert made.recipients == 16
    assert sorted(rendered) == ["de", "en"]
    names, languages = await kept(world)
    assert names == {f"t{n}" for n in range(8)} | {f"t{n}@en" for n in range(8)}
    assert languages == {"de", "en"}


async def test_a_reader_of_another_language_gets_the_same_news_in_his_words(world: World) -> None:
    await admit(world, "anna")
    await admit(world, "ann", language="en")
    await bring(world, *TITLES[:1], *TITLES[2:3])
    made = await published(world)
    async with world.store.read() as connection:
        english = await read_edition(connection, made.edition.id, name="@en")
        assert await read_edition(connection, made.edition.id, name="@fr") is None
    assert english is not None
    assert english.language == "en"
    assert 'lang="en"' in english.written.html
    assert 'lang="de"' in made.edition.written.html
    assert english.written.subject == "Wort0 Brücke (+1 more)"
    assert made.edition.written.subject == "Wort0 Brücke (+1 weitere)"
    mine = {each.article_id for each in english.written.cards}
    assert mine == {each.article_id for each in made.edition.written.cards}


async def test_where_all_get_the_same_no_pieces_are_kept(world: World) -> None:
    await admit(world, "anna")
    await bring(world, *TITLES)
    await published(world)
    assert await kept(world) == (set(), set())


def test_only_a_language_that_we_write_in_makes_another_selection() -> None:
    assert name_of(PAPER, ("t2", "t1"), "de") == "t1,t2"
    assert name_of(PAPER, (), "en") == "@en"
    assert name_of(PAPER, ("t1", "gone"), "en") == "t1@en"
    assert name_of(PAPER, ("t1",), "x-unknown") == "t1"


async def test_a_later_choice_may_tell_what_the_sheet_did_not_hold_yet(world: World) -> None:
    await bring(world, *TITLES)
    press = await unranked(world, PAPER)
    await press.plan([""])
    before = press.write("")
    await press.plan(["t7"])
    assert [each.title for each in _page(press, "t7").draft.articles] == TITLES[-2:]
    # what was planned before is laid out from the new sheet as it was from the old
    again = press.write("")
    assert again.html.split() == before.html.split()
    assert replace(again, html=before.html) == before


async def test_what_the_editors_write_stands_above_every_selection(world: World) -> None:
    await bring(world, *TITLES)
    press = await unranked(world, PAPER)
    press = replace(press, chosen=replace(press.chosen, lead="Heute <b>mit</b> Kran.\n\nIhre Red."))
    await press.plan(["", "t1@en"])
    for name in ("", "t1@en"):
        written = press.write(name)
        assert "Heute &lt;b&gt;mit&lt;/b&gt; Kran." in written.html
        assert "Ihre Red." in written.text


async def test_a_mail_is_short_enough_whatever_its_selection(world: World) -> None:
    long = replace(PAPER, limit=100, minutes=2)
    for title in TITLES:
        await bring(world, title, excerpt=f"Von {title} ist hier die Rede. " * 100)
    press = await unranked(world, long)
    await press.plan(["", "t1", "t1,t2,t3@en"])
    for name in ("", "t1", "t1,t2,t3@en"):
        written = press.write(name)
        assert (written.minutes or 1) <= 2
        assert size_of(written) <= SIZE
    why = {each.reason for each in _page(press, "").draft.left_out}
    assert why == {"minutes"}


def _page(press: Press, name: str) -> Any:
    found = press.page(name)
    assert found is not None
    return found


#: what the longest titles, addresses and pictures are escaped to takes five times their room
MONSTER = "https://www.example.com/" + "&" * 1900
HOSTILE_TITLE = "\"&'<" * 90


async def monsters(world: World, count: int) -> None:
    """Articles whose every part is as large as it can be."""
    url = STADTBLATT.feeds[0].url
    found = [
        NewArticle(
            key=f"{n}",
            link_key=None,
            url=f"{MONSTER}{n}",
            title=f"{n} {HOSTILE_TITLE}",
            excerpt='"&' * 4000,
            image=Image(url=f"{MONSTER}{n}.jpg", alt='"&' * 400, width=900, height=500),
            author='"' * 300,
            categories=('"' * 300,),
            published_at=world.clock() - timedelta(minutes=n),
            words=4000,
            comments_url=f"{MONSTER}{n}#c",
        )
        for n in range(count)
    ]
    async with world.store.write() as connection:
        await feeds.know(connection, [url], now=world.clock())
        (feed, *_) = await feeds.find(connection, [url], due_at=None)
        await articles.keep(connection, feed.id, found, now=world.clock())


@pytest.mark.parametrize("count", [1, 2, 200])
async def test_the_mail_of_whoever_has_the_longest_address_is_never_cut(
    world: World, count: int
) -> None:
    await monsters(world, count)
    paper = replace(PAPER, limit=200)
    press = await unranked(world, paper)
    await press.plan(["", "@en"])
    longest = f"{'&' * 64}@{'x' * 63}.{'y' * 63}.{'z' * 57}.de"
    for name in ("", "@en"):
        edition = Edition(
            id=999_999_999,
            newsletter=paper.slug,
            schedule="daily",
            number=1,
            made_at=world.clock(),
            language="de",
            nonce=press.chosen.nonce,
            written=press.write(name),
        )
        links = links_for(world, paper, b"\xff" * 12, edition.id, "t0,t1,t2,t3,t4,t5,t6,t7@en")
        html, text = assemble(edition, links, address=longest)
        sheet = press.sheets([name])[name.removeprefix("@") or "de"]
        assert len(html.encode()) <= largest(sheet, _page(press, name).plan) <= SIZE
        # and little is kept free for a longer address
        assert largest(sheet, _page(press, name).plan) - len(html.encode()) < 1500
        assert len(edition.written.cards) >= 1
        assert links.unsubscribe in text
    told = {each.id for each in _page(press, "").draft.articles}
    dropped = [each.reason for each in _page(press, "").draft.left_out]
    assert len(told) + len(dropped) == count
    assert set(dropped) <= {"size"}


async def test_a_plan_says_what_each_story_lost_for_want_of_room(world: World) -> None:
    await bring(world, *TITLES)
    press = await unranked(world, replace(PAPER, limit=100))
    await press.plan([""])
    assert shortened(_page(press, "").plan) == {}
    await monsters(world, 12)
    press = await unranked(world, replace(PAPER, limit=100))
    await press.plan([""])
    plan = _page(press, "").plan
    lost = shortened(plan)
    assert lost
    assert set(lost.values()) <= {
        (Form.LEAD, Form.LINE),
        (Form.FULL, Form.BRIEF),
        (Form.FULL, Form.LINE),
        (Form.BRIEF, Form.LINE),
        (Form.LEAD, Form.BRIEF),
    }
