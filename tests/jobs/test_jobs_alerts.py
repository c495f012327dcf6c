"""The operator hears of a feed in trouble once, and once more when it is over."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from jobs_world import NOW, STADTBLATT, Clock, open_world, sqlite
from loopback import Page, Relay, Site
from sqlalchemy import delete, insert, select, update

from digest.deliveries.transport import Intend
from digest.errors import LeaseLost, RelayAway
from digest.jobs.alerts import tell_operator
from digest.jobs.gather import gather
from digest.jobs.health import HUSH, decide, find_troubles
from digest.jobs.world import World
from digest.messages.operator import Case
from digest.model.delivery import Bounced, Deferred, Outcome, Reply, Sent, Uncertain
from digest.model.message import Message
from digest.model.newsletter import FeedSource, Newsletter
from digest.store import alerts, feeds
from digest.store.sources import alerts as rows
from digest.store.sources import floods, gaps
from digest.store.tables import feeds as feed_rows

OPERATOR = "chef@stadtblatt.example"
HOUR = timedelta(hours=1)
DEAD = tuple(f"https://tot.example/{n}/feed" for n in range(30))
FINE = "https://gut.example/feed"


class Post:
    """A transport that keeps what it takes, and answers as it is told."""

    def __init__(self) -> None:
        self.taken: list[Message] = []
        self.tried = 0
        self.answer: Outcome | Exception = Sent(reply=Reply(code=250, enhanced=None, text="ok"))

    async def send(self, message: Message, intend: Intend) -> Outcome:
        self.tried += 1
        if isinstance(self.answer, RelayAway):
            raise self.answer
        if not await intend():
            raise LeaseLost("no longer ours")
        if isinstance(self.answer, Exception):
            raise self.answer
        if isinstance(self.answer, Sent | Uncertain):
            self.taken.append(message)
        return self.answer

    async def close(self) -> None:
        """Nothing is open."""

    @property
    def mails(self) -> list[EmailMessage]:
        return [BytesParser(EmailMessage, policy=default).parsebytes(m.data) for m in self.taken]

    def said(self) -> str:
        """The text of the newest mail."""
        part = self.mails[-1].get_body(("plain",))
        assert part is not None
        return str(part.get_content())


def of(*urls: str, **more: Any) -> Newsletter:
    sources = tuple(FeedSource(url=url) for url in urls)
    return replace(STADTBLATT, feeds=sources, language="en", **more)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
async def world(database_url: str, clock: Clock, post: Post) -> AsyncIterator[World]:
    """Thirty feeds of one host and one of another, on each kind of database."""
    async with open_world(database_url, clock, of(*DEAD, FINE), operator=OPERATOR) as one:
        async with one.store.write() as connection:
            await feeds.know(connection, [*DEAD, FINE], now=clock())
        yield replace(one, transport=post)


async def fail(
    world: World,
    *urls: str,
    since: datetime = NOW,
    failures: int = 3,
    reason: str = "tot.example port 443 refuses connections",
) -> None:
    await change(world, urls, failing_since=since, failures=failures, error=reason)


async def heal(world: World, *urls: str) -> None:
    await change(world, urls, failing_since=None, failures=0, error=None, retired_at=None)


async def change(world: World, urls: Iterable[str], **values: Any) -> None:
    async with world.store.write() as connection:
        where = feed_rows.c.url.in_(list(urls))
        await connection.execute(update(feed_rows).where(where).values(values))


async def feed_id(world: World, url: str) -> int:
    async with world.store.read() as connection:
        query = select(feed_rows.c.id).where(feed_rows.c.url == url)
        return int((await connection.execute(query)).scalar_one())


async def known(world: World) -> list[alerts.Alert]:
    async with world.store.read() as connection:
        return await alerts.known(connection)


# --------------------------------------------------------------- what is told, and when


async def test_a_dead_host_is_one_mail_however_many_its_feeds_and_however_they_are_polled(
    world: World, clock: Clock, post: Post
) -> None:
    # polled at different times, so that they do not grow old together
    for n, url in enumerate(DEAD):
        since = NOW + timedelta(minutes=10 * n)
        await fail(world, url, since=since, failures=3 if n < 10 else 1)
    for _ in range(24 * 12):
        clock.forward(minutes=5)
        await tell_operator(world)
    assert len(post.mails) == 1
    said = post.said()
    assert said.count("Cannot be read since") == 30
    assert "tot.example port 443 refuses connections" in " ".join(said.split())
    assert post.mails[0]["Subject"] == "Feeds in trouble: 30 (Stadtblatt am Morgen)"


async def test_a_feed_of_that_host_that_fails_later_is_told_no_more(
    world: World, clock: Clock, post: Post
) -> None:
    await fail(world, *DEAD[:3])
    clock.forward(hours=6)
    assert await tell_operator(world) == 3
    await fail(world, *DEAD[3:], since=clock())
    for _ in range(48):
        clock.forward(hours=1)
        await tell_operator(world)
    assert len(post.mails) == 1
    assert len(await known(world)) == 30


async def test_what_is_young_or_fails_seldom_is_not_told(
    world: World, clock: Clock, post: Post
) -> None:
    await fail(world, DEAD[0], since=NOW - timedelta(hours=5, minutes=59), failures=50)
    await fail(world, FINE, since=NOW - timedelta(days=9), failures=2)
    assert await tell_operator(world) == 0
    assert await known(world) == []
    clock.forward(minutes=1)
    assert await tell_operator(world) == 1
    assert DEAD[0] in post.said()
    assert FINE not in post.said()


async def test_it_is_told_once_when_it_is_over_and_then_forgotten(
    world: World, clock: Clock, post: Post
) -> None:
    await fail(world, *DEAD)
    clock.forward(hours=6)
    await tell_operator(world)
    await heal(world, *DEAD[:20])
    clock.forward(hours=2)
    await tell_operator(world)  # the rest of that host may follow
    assert len(post.mails) == 1
    await heal(world, *DEAD)
    clock.forward(minutes=5)
    assert await tell_operator(world) == 30
    assert await tell_operator(world) == 0
    assert post.mails[-1]["Subject"] == "Feeds that are well again: 30 (Stadtblatt am Morgen)"
    assert await known(world) == []


async def test_one_that_stays_dead_keeps_the_others_from_being_told_for_hours_only(
    world: World, clock: Clock, post: Post
) -> None:
    await fail(world, *DEAD[:2])
    clock.forward(hours=6)
    await tell_operator(world)
    await heal(world, DEAD[0])
    for _ in range(7):
        clock.forward(hours=1)
        await tell_operator(world)
    assert len(post.mails) == 2
    assert "well again" in post.said()
    assert DEAD[1] not in post.said()


async def test_one_that_fails_again_before_its_recovery_was_told_is_not_told_at_all(
    world: World, clock: Clock, post: Post
) -> None:
    await fail(world, *DEAD[:2])
    clock.forward(hours=6)
    await tell_operator(world)
    await heal(world, DEAD[0])
    clock.forward(hours=2)
    await tell_operator(world)
    await fail(world, DEAD[0], since=clock(), failures=1)
    for _ in range(20):
        clock.forward(hours=1)
        await tell_operator(world)
    assert len(post.mails) == 1
    assert [each.ended_at for each in await known(world)] == [None, None]


async def test_two_mails_are_an_hour_apart_and_what_comes_meanwhile_is_in_one(
    world: World, clock: Clock, post: Post
) -> None:
    await change(world, DEAD[:1], retired_at=NOW)
    assert await tell_operator(world) == 1
    for n in range(1, 12):
        await change(world, DEAD[n : n + 1], retired_at=clock())
        clock.forward(minutes=5)
        assert await tell_operator(world) == 0
    clock.forward(minutes=5)
    assert clock() == NOW + HUSH
    assert await tell_operator(world) == 11
    assert len(post.mails) == 2
    assert "Gone for good" in post.said()


async def test_held_articles_and_gaps_are_told_once_and_their_end_is_not(
    world: World, clock: Clock, post: Post
) -> None:
    one, two = await feed_id(world, FINE), await feed_id(world, DEAD[0])
    async with world.store.write() as connection:
        values = {"feed_id": one, "began_at": NOW, "articles": 63, "usual": 2.5}
        await connection.execute(insert(floods).values(values))
        for hours in (1, 2):  # each poll leaves one
            hole = {"found": 10, "how": "", "whole": False, "since": NOW - 3 * HOUR}
            seen = NOW - hours * HOUR
            await connection.execute(insert(gaps).values(feed_id=two, seen_at=seen, **hole))
    assert await tell_operator(world) == 2
    said = " ".join(post.said().split())
    assert "New articles at once: 63, far more than usual" in said
    assert f"digest feed release {FINE}" in said
    assert "Articles may be missing between 23 November 2026, 05:00:00" in said
    clock.forward(days=8)
    async with world.store.write() as connection:
        await connection.execute(update(floods).values(ended_at=clock(), outcome="released"))
    assert await tell_operator(world) == 0
    assert (len(post.mails), await known(world)) == (1, [])


async def test_what_lies_before_our_first_look_is_not_missing(world: World, post: Post) -> None:
    await change(world, [FINE], first_read_at=NOW)
    values = {"feed_id": await feed_id(world, FINE), "seen_at": NOW + timedelta(seconds=40)}
    hole = {"found": 0, "how": "", "whole": False, "since": NOW - 24 * HOUR}
    async with world.store.write() as connection:
        await connection.execute(insert(gaps).values(**values, **hole))
    assert await tell_operator(world) == 0
    assert post.tried == 0


async def test_a_feed_that_the_operator_takes_out_is_no_trouble(
    world: World, clock: Clock, post: Post
) -> None:
    await fail(world, *DEAD, FINE)
    clock.forward(hours=6)
    await tell_operator(world)
    fewer = replace(world, newsletters=(of(FINE),))
    clock.forward(hours=2)
    assert await tell_operator(fewer) == 0
    assert len(post.mails) == 1
    assert len(await known(world)) == 1
    assert await tell_operator(replace(world, newsletters=())) == 0


async def test_a_feed_that_really_fails_and_comes_back(
    tmp_path: Path, clock: Clock, relay: Relay, site: Site
) -> None:
    url = site.url + "/feed"
    site.pages["/feed"] = Page(status=500, reason="Kaputt <b>")
    async with open_world(
        sqlite(tmp_path), clock, of(url), operator=OPERATOR, smtp_port=relay.port
    ) as world:
        for _ in range(8):
            await gather(world, world.newsletters, only_due=False)
            await tell_operator(world)
            clock.forward(hours=1)
        assert relay.got == [OPERATOR]
        assert "HTTP 500 Kaputt <b>" in " ".join(relay.mails[0].text.split())
        site.feed("/feed")
        await gather(world, world.newsletters, only_due=False)
        assert await tell_operator(world) == 1
        assert await tell_operator(world) == 0
    assert relay.got == [OPERATOR, OPERATOR]


# --------------------------------------------------------------- the mail


async def test_what_strangers_write_is_text_on_one_line(
    world: World, clock: Clock, post: Post
) -> None:
    hostile = "HTTP 500\r\nBcc: x@y.example\n\n<script>alert(1)</script>{{ 7*7 }}\u202e"
    await fail(world, FINE, reason=hostile)
    await change(world, [FINE], title='</b><img src=x onerror="alert(1)">\nSubject: x ' + "x" * 999)
    clock.forward(hours=6)
    await tell_operator(world)
    (mail,) = post.mails
    assert post.taken[0].mail_from == "post@stadtblatt.example"
    assert (mail["To"], mail["Auto-Submitted"]) == (OPERATOR, "auto-generated")
    assert mail["Bcc"] is None
    assert [name for name in mail if name.startswith("List-")] == []
    assert {"Date", "Message-ID", "From"} <= set(mail.keys())
    page = mail.get_body(("html",))
    assert page is not None
    html = str(page.get_content())
    assert not re.search(r"<(script|img|a)\b|onerror=|\{\{|\u202e", html)
    lines = post.said().splitlines()
    assert not [each for each in lines if each.startswith(("Bcc", "Subject"))]
    assert len(html) < 6000


def test_an_address_is_one_word_of_a_command() -> None:
    case = Case(kind="held", title="x", url="https://x.example/?a=1&b=$(ls)", since=NOW)
    assert case.word == "'https://x.example/?a=1&b=$(ls)'"


async def test_equal_troubles_have_one_message_id(world: World, clock: Clock, post: Post) -> None:
    await fail(world, FINE)
    clock.forward(hours=6)
    post.answer = Uncertain(reason="the line broke")
    await tell_operator(world)
    clock.forward(minutes=5)
    await tell_operator(world)
    one, other = post.mails
    assert one["Message-ID"] == other["Message-ID"]


async def test_a_hundred_are_told_one_by_one_and_the_rest_are_counted(
    tmp_path: Path, clock: Clock, post: Post
) -> None:
    many = [f"https://tot.example/{n}" for n in range(130)]
    async with open_world(sqlite(tmp_path), clock, of(*many), operator=OPERATOR) as one:
        world = replace(one, transport=post)
        async with world.store.write() as connection:
            await feeds.know(connection, many, now=NOW)
        await fail(world, *many)
        clock.forward(hours=6)
        assert await tell_operator(world) == 130
    assert post.said().count("https://tot.example/") == 100
    assert "And more: 30." in post.said()


# --------------------------------------------------------------- when it does not arrive


@pytest.mark.parametrize(
    "answer",
    [
        RelayAway("no route"),
        Deferred(reply=Reply(code=451, enhanced="4.7.1", text="later")),
        Uncertain(reason="the line broke"),
        LeaseLost("no dot"),
    ],
    ids=lambda each: type(each).__name__,
)
async def test_nothing_is_noted_until_the_relay_has_it(
    world: World, clock: Clock, post: Post, answer: Outcome | Exception
) -> None:
    await fail(world, FINE)
    clock.forward(hours=6)
    post.answer = answer
    assert await tell_operator(world) == 0
    assert [each.told_at for each in await known(world)] == [None]
    post.answer = Sent(reply=Reply(code=250, enhanced=None, text="ok"))
    clock.forward(minutes=5)
    assert await tell_operator(world) == 1
    assert await tell_operator(world) == 0
    await heal(world, FINE)
    post.answer = answer
    clock.forward(hours=2)
    assert await tell_operator(world) == 0
    assert len(await known(world)) == 1
    post.answer = Sent(reply=Reply(code=250, enhanced=None, text="ok"))
    assert await tell_operator(world) == 1
    assert await known(world) == []


async def test_what_heals_before_it_could_be_told_is_never_told(
    world: World, clock: Clock, post: Post
) -> None:
    await fail(world, FINE)
    clock.forward(hours=6)
    post.answer = RelayAway("no route")
    await tell_operator(world)
    await heal(world, FINE)
    assert await tell_operator(world) == 0
    assert (await known(world), post.tried) == ([], 1)


async def test_uncertain_counts_as_told_where_holding_is_wished(
    world: World, clock: Clock, post: Post
) -> None:
    await fail(world, FINE)
    clock.forward(hours=6)
    post.answer = Uncertain(reason="the line broke")
    assert await tell_operator(replace(world, uncertain="hold")) == 1


async def test_an_address_that_is_refused_is_not_tried_for_ever(
    world: World, clock: Clock, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    await fail(world, FINE)
    clock.forward(hours=6)
    post.answer = Bounced(reply=Reply(code=550, enhanced="5.1.1", text="nobody"))
    for _ in range(5):
        await tell_operator(world)
    assert post.tried == 1
    assert "550 5.1.1 nobody" in caplog.text


async def test_of_two_processes_one_tells(world: World, clock: Clock, post: Post) -> None:
    await fail(world, FINE)
    clock.forward(hours=6)

    class Slow(Post):
        async def send(self, message: Message, intend: Intend) -> Outcome:
            assert await tell_operator(world) == 1  # the other one, meanwhile
            return await super().send(message, intend)

    slow = Slow()
    assert await tell_operator(replace(world, transport=slow)) == 0
    assert (len(post.mails), len(slow.mails)) == (1, 0)


async def test_a_crash_between_dot_and_note_repeats_and_loses_nothing(
    world: World, clock: Clock, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fail(world, FINE)
    clock.forward(hours=6)
    with monkeypatch.context() as patch:
        patch.setattr("digest.jobs.alerts._is_heard", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await tell_operator(world)
    assert await tell_operator(world) == 1
    assert len({each["Message-ID"] for each in post.mails}) == 1


async def test_without_an_operator_the_log_says_it_once(
    world: World, clock: Clock, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    alone = replace(world, operator=None)
    await fail(world, FINE)
    clock.forward(hours=6)
    with caplog.at_level(logging.WARNING, "digest"):
        for _ in range(5):
            await tell_operator(alone)
            clock.forward(hours=2)
    assert len(caplog.records) == 1
    assert f"feed={FINE} trouble=failing since=2026-11-23T07:00:00+00:00" in caplog.text
    await heal(world, FINE)
    await tell_operator(alone)
    await tell_operator(alone)
    assert len(caplog.records) == 2
    assert post.tried == 0


# --------------------------------------------------------------- the decision


async def test_nothing_is_written_where_nothing_changed(world: World, clock: Clock) -> None:
    await fail(world, FINE)
    clock.forward(hours=6)
    await tell_operator(world)
    async with world.store.read() as connection:
        read = {each.id: each for each in await feeds.find(connection, [FINE])}
        troubles = await find_troubles(connection, list(read.values()), now=clock())
        turn = decide(troubles, await alerts.known(connection), read, now=clock() + HOUR)
    assert turn == type(turn)()


async def test_a_row_that_is_gone_meanwhile_does_no_harm(world: World, clock: Clock) -> None:
    await fail(world, FINE)
    clock.forward(hours=6)
    await tell_operator(world)
    async with world.store.write() as connection:
        await connection.execute(delete(rows))
        await alerts.told(connection, ["failing:1"], at=clock())
    assert await tell_operator(world) == 1
