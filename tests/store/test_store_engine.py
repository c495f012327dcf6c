from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import StatementError

from digest.errors import StoreError, StoreTooNew
from digest.store import choosing, sources, troubles  # noqa: F401 -- their tables are the metadata's too
from digest.store.engine import Store, open_store
from digest.store.tables import feeds, metadata

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": False})
    return list(compare_metadata(context, metadata))


async def test_migrations_make_the_tables_that_the_program_knows(store: Store) -> None:
    async with store.read() as connection:
        assert await connection.run_sync(_differences) == []


async def test_opening_twice_migrates_once_and_keeps_what_is_there(database_url: str) -> None:
    first = await open_store(database_url)
    async with first.write() as connection:
        await connection.execute(
            insert(feeds).values(url="https://a.example/feed", next_poll_at=NOW)
        )
    await first.close()
    second = await open_store(database_url)
    async with second.read() as connection:
        assert (await connection.execute(select(feeds.c.url))).scalars().all() == [
            "https://a.example/feed"
        ]
    await second.close()


async def test_a_database_of_a_newer_program_is_refused_with_a_reason(database_url: str) -> None:
    store = await open_store(database_url)
    async with store.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await store.close()
    with pytest.raises(StoreTooNew, match=r"9999.*a newer digest wrote it"):
        await open_store(database_url)


async def test_times_come_back_in_utc_whatever_zone_they_went_in_with(store: Store) -> None:
    east = timezone(timedelta(hours=5, minutes=45))
    async with store.write() as connection:
        await connection.execute(
            insert(feeds).values(url="https://a.example/", next_poll_at=NOW.astimezone(east))
        )
        found = (await connection.execute(select(feeds.c.next_poll_at))).scalar_one()
    assert (found, found.tzinfo) == (NOW, UTC)


async def test_a_naive_time_is_refused(store: Store) -> None:
    async with store.rehearse() as connection:
        offer = insert(feeds).values(url="x", next_poll_at=NOW.replace(tzinfo=None))
        with pytest.raises(StatementError, match="naive time"):
            await connection.execute(offer)


async def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    async def fail_after_writing() -> None:
        async with store.write() as connection:
            await connection.execute(insert(feeds).values(url="x", next_poll_at=NOW))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail_after_writing()
    async with store.read() as connection:
        assert (await connection.execute(select(feeds.c.id))).all() == []


async def test_a_rehearsal_leaves_nothing(store: Store) -> None:
    async with store.rehearse() as connection:
        await connection.execute(insert(feeds).values(url="x", next_poll_at=NOW))
    async with store.read() as connection:
        assert (await connection.execute(select(feeds.c.id))).all() == []


async def test_sqlite_keeps_what_it_committed_through_a_power_cut(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/a.db")
    async with store.read() as connection:
        found = {
            name: (await connection.execute(text(f"PRAGMA {name}"))).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    await store.close()
    full = 2
    assert found == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://x/y", "names 'mysql'"),
        ("what is this", "is no database address"),
        ("postgresql://nobody@127.0.0.1:1/x", "cannot be used"),
        ("sqlite:////no/such/folder/x.db", "cannot be used"),
    ],
)
async def test_a_database_that_cannot_be_opened_is_told_in_one_line(url: str, said: str) -> None:
    with pytest.raises(StoreError, match=said) as problem:
        await open_store(url)
    assert "\n" not in str(problem.value)
