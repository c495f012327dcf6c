"""The door for hubs: a challenge for what we asked, silence for pushes, and nothing for others."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from web_visit import HOME, NOW, STADTBLATT, Visit, visit
from websub_hub import sign

from digest.errors import StoreBusy
from digest.feeds.fetch import Fetcher
from digest.jobs.push import note_hub, subscribe_due
from digest.model.feed import Feed, FeedFailure, Fetched, ParsedFeed
from digest.store import feeds, pushes
from digest.store.engine import Connection
from digest.store.pushes import Push

FEED = STADTBLATT.feeds[0].url
HUB = "https://hub.example/"
TOPIC = "https://stadtblatt.example/feed?full"
BODY = b"<rss/>"
HOUR = timedelta(hours=1)


class Asked(Fetcher):
    """Takes down what hubs are asked."""

    def __init__(self) -> None:
        super().__init__(allow_private=False, user_agent="test")
        self.forms: list[dict[str, str]] = []

    async def post_form(self, url: str, fields: Any) -> Fetched | FeedFailure:
        assert url == HUB
        self.forms.append(dict(fields))
        return Fetched(body=b"", url=url, content_type=None, etag=None, last_modified=None)


@dataclass(frozen=True)
class House:
    """A service that asked a hub to tell it of its feed."""

    visit: Visit
    asked: Asked

    @property
    def path(self) -> str:
        return self.asked.forms[-1]["hub.callback"].removeprefix(HOME)

    @property
    def secret(self) -> str:
        return self.asked.forms[0]["hub.secret"]

    async def call(self, **fields: str) -> httpx.Response:
        """The hub calls back."""
        whole = {"mode": "subscribe", "topic": TOPIC, "challenge": "c-1", "lease_seconds": "86400"}
        query = {f"hub.{name}": text for name, text in {**whole, **fields}.items() if text}
        return await self.visit.client.get(self.path, params=query)

    async def tell(
        self, body: bytes = BODY, *, signature: str | None = "", path: str | None = None
    ) -> httpx.Response:
        """The hub pushes; without `signature`, as it should."""
        said = sign(body, self.secret) if signature == "" else signature
        headers = {"X-Hub-Signature": said} if said else {}
        return await self.visit.client.post(path or self.path, content=body, headers=headers)

    async def feed(self) -> Feed:
        async with self.visit.world.store.read() as connection:
            return (await feeds.find(connection, [FEED]))[0]

    async def push(self) -> Push:
        async with self.visit.world.store.read() as connection:
            found = await pushes.of_feed(connection, (await self.feed()).id)
        assert found is not None
        return found

    async def state(self) -> str:
        return (await self.push()).state

    async def is_due(self) -> bool:
        return (await self.feed()).next_poll_at <= self.visit.clock()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with visit(tmp_path) as one:
        asked = Asked()
        world = replace(one.world, fetcher=asked)
        one.web.state.world = world
        async with world.store.write() as connection:
            await feeds.know(connection, [FEED], now=NOW)
            feed = (await feeds.find(connection, [FEED]))[0]
            await feeds.record_unchanged(
                connection, feed.id, now=NOW, next_poll_at=NOW + timedelta(days=2)
            )
            document = ParsedFeed(
                title=None, site_url=None, language=None, entries=(), hub_url=HUB, self_url=TOPIC
            )
            await note_hub(connection, world, feed, document)
        assert await subscribe_due(world) == 1
        yield House(replace(one, world=world), asked)


# --------------------------------------------------------------- a hub asks whether we meant it


async def test_what_we_asked_for_is_confirmed_with_the_challenge_alone(house: House) -> None:
    answer = await house.call(challenge="<script>alert(1)</script>")
    assert (answer.status_code, answer.text) == (200, "<script>alert(1)</script>")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    push = await house.push()
    assert (push.state, push.lease_until) == ("active", NOW + timedelta(days=1))


@pytest.mark.parametrize(
    "fields",
    [
        {"topic": "https://stadtblatt.example/feed"},
        {"topic": ""},
        {"mode": "unsubscribe"},
        {"mode": "publish"},
        {"mode": ""},
        {"challenge": ""},
        {"challenge": "c" * 1025},
        {"mode": "denied", "topic": "https://andere.example/"},
    ],
)
async def test_what_we_did_not_ask_for_is_not_confirmed(
    house: House, fields: dict[str, str]
) -> None:
    answer = await house.call(**fields)
    assert (answer.status_code, answer.text) == (404, "not found\n")
    assert await house.state() == "asked"


async def test_a_head_request_confirms_nothing(house: House) -> None:
    query = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.challenge": "c"}
    answer = await house.visit.client.head(house.path, params=query)
    assert answer.status_code == 404
    assert await house.state() == "asked"


async def test_a_denial_is_heard_at_any_time(house: House) -> None:
    await house.call()
    answer = await house.call(mode="denied", reason="Wartung", challenge="")
    assert (answer.status_code, answer.text) == (200, "")
    push = await house.push()
    assert (push.state, push.error) == ("refused", "the hub refused: Wartung")


async def test_a_renewal_that_the_hub_begins_is_confirmed_too(house: House) -> None:
    await house.call()
    house.visit.clock.at += timedelta(hours=20)
    assert (await house.call()).status_code == 200
    assert (await house.push()).lease_until == NOW + timedelta(hours=44)


# --------------------------------------------------------------- pushes


async def test_a_push_makes_the_feed_due_and_is_answered_with_nothing(house: House) -> None:
    await house.call()
    assert not await house.is_due()
    house.visit.clock.at += HOUR
    answer = await house.tell()
    assert (answer.status_code, answer.content) == (202, b"")
    assert await house.is_due()
    assert (await house.push()).heard_at == house.visit.clock()


@pytest.mark.parametrize("method", ["sha1", "sha384", "sha512"])
async def test_a_push_may_be_signed_by_each_method(house: House, method: str) -> None:
    await house.call()
    assert (await house.tell(signature=sign(BODY, house.secret, method))).status_code == 202
    assert await house.is_due()


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "sha256=",
        "sha256=" + "0" * 64,
        sign(BODY, "geraten"),
        sign(BODY, ""),
        "x" * 4000,
    ],
)
async def test_a_forged_push_gets_the_same_answer_and_is_logged_once_an_hour(
    house: House, signature: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    await house.call()
    with caplog.at_level(logging.INFO, "digest"):
        for _ in range(3):
            answer = await house.tell(signature=signature)
            assert (answer.status_code, answer.content) == (202, b"")
        house.visit.clock.at += HOUR
        await house.tell(signature=signature)
    assert not await house.is_due()
    lines = [each.getMessage() for each in caplog.records if "ignored" in each.getMessage()]
    assert lines == [f"push feed={FEED} status=ignored reason=not signed by its hub"] * 2
    assert house.path.removeprefix("/websub/") not in caplog.text


async def test_a_signature_is_over_the_bytes_and_not_over_what_they_mean(house: House) -> None:
    await house.call()
    await house.tell(b"<rss />", signature=sign(b"<rss/>", house.secret))
    assert not await house.is_due()
    odd = b"\xff\x00\r\n%41&a=b"
    await house.tell(odd, signature=sign(odd, house.secret))
    assert await house.is_due()


async def test_a_body_of_a_mebibyte_is_read_and_not_one_byte_more(house: House) -> None:
    await house.call()
    huge = bytes(1024 * 1024 + 1)
    assert (await house.tell(huge)).status_code == 413
    assert not await house.is_due()
    assert (await house.tell(huge[:-1])).status_code == 202
    assert await house.is_due()


async def test_a_body_that_does_not_come_is_not_waited_for(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def drip() -> AsyncIterator[bytes]:
        yield b"<rss"
        await asyncio.sleep(30)

    monkeypatch.setattr("digest.web.websub._PATIENCE", 0.05)
    await house.call()
    answer = await house.visit.client.post(house.path, content=drip())
    assert answer.status_code == 413
    assert not await house.is_due()


async def test_a_replayed_push_costs_one_poll_a_minute(house: House) -> None:
    await house.call()
    due = []
    for _ in range(9):
        house.visit.clock.at += timedelta(seconds=20)
        await house.tell()
        if await house.is_due():
            due.append(house.visit.clock.at)
            feed = await house.feed()
            async with house.visit.world.store.write() as connection:  # the poll
                await feeds.record_unchanged(
                    connection, feed.id, now=due[-1], next_poll_at=NOW + timedelta(days=2)
                )
    assert len(due) == 3


async def test_a_push_counts_before_the_hub_called_back_and_after_its_lease(house: House) -> None:
    await house.tell()
    assert await house.is_due()
    await house.call()
    house.visit.clock.at += timedelta(days=1, hours=12)
    assert (await house.tell()).status_code == 202
    assert (await house.push()).heard_at == house.visit.clock()


# --------------------------------------------------------------- who is not ours


@pytest.mark.parametrize(
    ("token", "asked"),
    [
        ("A" * 43, 2),
        *((odd, 0) for odd in ("A" * 42, "x", "a.b", "%00" * 43, "A" * 43 + "%0A", "A" * 5000)),
        ("ä" * 43, 0),
    ],
)
async def test_an_unknown_token_is_gone_so_that_the_hub_forgets_us(
    house: House, token: str, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = []

    async def by_token(connection: Connection, token: str) -> Push | None:
        tokens.append(token)
        return await find(connection, token)

    find = pushes.by_token
    monkeypatch.setattr(pushes, "by_token", by_token)
    path = f"/websub/{token}"
    answer = await house.tell(path=path)
    assert (answer.status_code, answer.text) == (410, "gone\n")
    query = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.challenge": "c"}
    found = await house.visit.client.get(path, params=query)
    assert (found.status_code, found.text) == (404, "not found\n")
    assert len(tokens) == asked  # the database is not asked for what is no token


async def test_where_we_leave_only_the_goodbye_is_confirmed(house: House) -> None:
    await house.call()
    path = house.path
    other = replace(house.visit.world, newsletters=())
    assert await subscribe_due(other) == 1
    assert house.asked.forms[-1]["hub.mode"] == "unsubscribe"
    assert house.path == path
    assert (await house.call()).status_code == 404
    assert (await house.call(mode="denied", challenge="")).status_code == 200
    answer = await house.call(mode="unsubscribe")
    assert (answer.status_code, answer.text) == (200, "c-1")
    assert (await house.tell()).status_code == 410
    assert await house.state() == "leaving"


async def test_a_newsletter_page_and_other_methods_are_not_in_the_way(house: House) -> None:
    assert (await house.visit.get("/websub")).status_code == 404
    assert (await house.visit.get("/websub/")).status_code == 404
    assert (await house.visit.client.put(house.path)).status_code == 405


async def test_while_the_database_is_away_the_hub_is_asked_to_try_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.call()

    async def away(*_: object, **__: object) -> None:
        raise StoreBusy("another process holds the database")

    monkeypatch.setattr(pushes, "by_token", away)
    for answer in (await house.tell(), await house.call()):
        assert (answer.status_code, answer.text) == (503, "try again\n")
        assert answer.headers["retry-after"] == "60"


async def test_the_database_keeps_nothing_of_what_was_pushed(house: House, tmp_path: Path) -> None:
    await house.call()
    await house.tell(b"<rss>Nur ein Wink</rss>")
    with closing(sqlite3.connect(tmp_path / "digest.db")) as connection:
        assert not [line for line in connection.iterdump() if "Nur ein Wink" in line]
