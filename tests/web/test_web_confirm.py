"""The confirm step: a button and no script, for seven days, and nothing of it in the database."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from web_visit import STADTBLATT, Visit, visit

from digest.jobs import join
from digest.model.newsletter import Topic
from digest.model.subscriber import SubscriptionState
from digest.store.tables import metadata


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Visit]:
    async with visit(tmp_path) as opened:
        yield opened


async def test_a_request_is_confirmed_within_seven_days_and_then_ends_kindly(web: Visit) -> None:
    path = web.confirm_path(await web.ask()) + "?lang=en"
    web.clock.at += timedelta(days=7)
    assert "<button>" in (await web.get(path)).text
    web.clock.at += timedelta(seconds=1)
    for ended in (await web.get(path), await web.post(path)):
        assert ended.status_code == 404
        assert "This request has ended" in ended.text
        assert 'href="/stadtblatt?lang=en"' in ended.text
        assert "<button" not in ended.text
    assert (await web.known()).state is SubscriptionState.PENDING


async def test_the_page_asks_about_the_chosen_topics_and_the_record_says_so(web: Visit) -> None:
    topics = (Topic(name="hafen", title="Hafen & <Schiffe>"), Topic(name="rat", title="Rathaus"))
    topical = replace(STADTBLATT, topics=topics)
    web.offer(topical)
    await join.request(
        web.world,
        address="anna@example.org",
        newsletter=topical,
        topics=("hafen", "other"),
        door="web",
    )
    path = web.confirm_path(await web.known()) + "?lang=en"
    asked = "Topics: Hafen &amp; &lt;Schiffe&gt;, Everything else."
    assert asked in (await web.get(path)).text
    await web.post(path)
    assert (await web.record())[-1].detail == (
        "Do you want to get “Stadtblatt am Morgen” (daily) at anna@example.org?"
        " Topics: Hafen & <Schiffe>, Everything else."
    )


async def test_the_page_runs_nothing_and_sends_nothing_by_itself(web: Visit) -> None:
    page = await web.get(web.confirm_path(await web.ask()))
    assert "<script" not in page.text
    assert "script-src" not in page.headers["content-security-policy"]
    assert re.search(r"http-equiv|\son\w+=|autofocus", page.text) is None


async def test_the_database_holds_no_token(web: Visit) -> None:
    found = await web.ask()
    signer = web.world.signer
    tokens = [
        signer.confirm_token(found.ref, found.request_nonce),
        signer.unsubscribe_token(found.ref),
        signer.preferences_token(found.ref),
    ]
    async with web.world.store.read() as connection:
        rows = [
            repr(tuple(row))
            for table in metadata.sorted_tables
            for row in await connection.execute(select(table))
        ]
    assert len(rows) > 3
    assert [token for token in tokens if any(token[:20] in row for row in rows)] == []
