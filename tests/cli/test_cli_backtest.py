"""`digest backtest` with the real command: another policy on what was gathered and sent."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from loopback import Relay, Site, recent
from shell import Desk, newsletters
from sqlalchemy import select, update

from digest.store.engine import open_store
from digest.store.tables import appearances, articles, edition_articles, editions, metadata, slots

#: a slot each hour, so that one is over whenever the test runs
HOURLY = 'daily = "0 * * * *"'


@pytest.fixture
def desk(tmp_path: Path, site: Site, relay: Relay, database_url: str) -> Desk:
    """A desk that sent three stories some hours ago, and a policy with room for one."""
    desk = Desk(tmp_path)
    feed = site.feed("/feed", *recent("Eins", "Zwei", "Drei"))
    desk.set_up(feed, smtp_port=relay.port, database_url=database_url)
    (tmp_path / "trial.toml").write_text(
        newsletters(feed, more="limit = 1").replace('daily = "0 7 * * *"', HOURLY),
        encoding="utf-8",
    )
    return desk


async def _dump(url: str) -> dict[str, list[tuple[object, ...]]]:
    store = await open_store(url)
    async with store.read() as connection:
        found = {
            table.name: sorted(map(tuple, await connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }
    await store.close()
    return found


async def _put_back(url: str, hours: int) -> None:
    """Let all that was read and sent be so many hours older."""
    now = datetime.now(UTC) - timedelta(hours=hours)  # noqa: TID251 -- whole processes read the real clock
    store = await open_store(url)
    async with store.write() as connection:
        await connection.execute(update(articles).values(first_seen_at=now, published_at=now))
        await connection.execute(update(appearances).values(seen_at=now))
        await connection.execute(update(editions).values(made_at=now))
        await connection.execute(update(slots).values(at=now))
    await store.close()


def test_a_policy_is_tried_on_what_was_sent(desk: Desk, database_url: str) -> None:
    desk.admit("anna")
    desk.call("send", "--json")
    asyncio.run(_put_back(database_url, 3))
    before = asyncio.run(_dump(database_url))
    assert before[edition_articles.name]
    trial = ("backtest", "--policy", "trial.toml", "--days", "1")
    found = desk.call(*trial, "--full", "--json")
    assert found.err == ""
    told = [each for each in found.json["slots"] if each["stories"] or each["gone"]]
    assert [(each["kept"], each["new"], each["gone"]) for each in told] == [(1, 0, 2)]
    assert sorted(each["mark"] for each in told[0]["titles"]) == ["-", "-", "="]
    assert {each["title"] for each in told[0]["titles"]} == {"Eins", "Zwei", "Drei"}
    summary = found.json["summary"]
    assert (summary["trial"]["stories"], summary["sent"]["stories"]) == (1, 3)
    assert (summary["kept"], summary["new"], summary["gone"]) == (1, 0, 2)
    assert summary["trial"]["never"] == {"limit": 2}
    assert "titles" not in str(desk.call(*trial, "--json").json)
    lines = desk.run(*trial, "--full")
    assert (lines.code, lines.err) == (0, "")
    assert lines.out.count("\n  - ") == 2
    assert lines.out.count("\n  = ") == 1
    assert "1 day: 1 in both, 0 only in the trial, 2 only in what was sent" in lines.out
    assert "never told" in desk.call(*trial).out
    assert asyncio.run(_dump(database_url)) == before


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("--days", "0"), "from 1 to 400"),
        (("--days", "401"), "from 1 to 400"),
        (("--newsletter", "nie"), "there is stadtblatt"),
        (("--schedule", "nie"), "stadtblatt has daily, weekly"),
        (("--policy", "nie.toml"), "there is no such file"),
        (("--policy", "bad.toml"), "unknown key 'limits'"),
        (("--policy", "."), "there is no such file"),
        ((), "no article of its feeds was seen in the last 30 days"),
    ],
)
def test_what_cannot_be_tried_is_one_line(
    tmp_path: Path, asked: tuple[str, ...], says: str
) -> None:
    desk = Desk(tmp_path)
    desk.set_up("https://stadtblatt.example/feed")
    bad = newsletters("https://stadtblatt.example/feed", more="limits = 1")
    (tmp_path / "bad.toml").write_text(bad, encoding="utf-8")
    done = desk.call("backtest", *asked)
    assert done.code != 0
    assert says in done.complaint
