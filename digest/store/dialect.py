"""Where SQLite and PostgreSQL differ: addresses, connections, times, locks. Nothing else knows."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, Dialect, Table, event, text
from sqlalchemy.dialects.postgresql import Insert as PgInsert
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.types import TypeDecorator

from digest.errors import StoreError

#: how long a writer waits for another one, seconds; a nightly backup tool may hold the file a while
BUSY_SECONDS = 30.0

#: how long the readers of old pages are waited for, seconds
SCOUR_SECONDS = 2.0

#: how long PostgreSQL keeps a transaction in which nothing is said, seconds: a process that was
#: stopped or cut off inside a write must not keep all others waiting until it comes back
IDLE_SECONDS = 60.0

#: one number, so that every process that migrates a PostgreSQL takes the same advisory lock
MIGRATION_LOCK = 0x64696765


class UtcTime(TypeDecorator[datetime]):
    """Aware UTC datetimes in and out; SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times: a time without a zone is a bug, not a value."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r} offered to the store")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 -- SQLAlchemy's signature
        """Give back an aware time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def async_url(url: str) -> str:
    """Turn `sqlite:///…` and `postgresql://…` into the URL of the asynchronous driver.

    Raises StoreError for any other kind of database.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as problem:
        raise StoreError(
            f"DIGEST_DATABASE_URL {url!r} is no database address; "
            "write sqlite:///digest.db or postgresql://user@host/name"
        ) from problem
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
    kind = parsed.get_backend_name()
    if kind == "postgres":
        kind = "postgresql"
    if kind not in drivers:
        raise StoreError(
            f"DIGEST_DATABASE_URL names {kind!r}; we keep books in SQLite or PostgreSQL"
        )
    return parsed.set(drivername=drivers[kind]).render_as_string(hide_password=False)


def connect_options(url: str) -> dict[str, Any]:
    """What the driver is told beside the address."""
    if not url.startswith("postgresql"):
        return {}
    patience = f"{int(IDLE_SECONDS * 1000)}ms"
    return {"server_settings": {"idle_in_transaction_session_timeout": patience}}


def check_folder(url: str) -> None:
    """Refuse an SQLite file that cannot be made, before its driver starts a thread for it."""
    name = make_url(url).database
    folder = Path(name).parent if name and name != ":memory:" else None
    if folder is not None and not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise StoreError(f"the database cannot be used: no folder {folder} that we may write to")


def prepare_sqlite(engine: Engine) -> None:
    """Make every SQLite connection durable, patient and strict, and begin transactions ourselves.

    The driver's own BEGIN comes late and only before some statements; a transaction that means to
    write must hold the write lock from its start, or it fails with "database is locked" in its
    middle, where no waiting helps (sqlite.org/lang_transaction).
    """

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, record: object) -> None:  # noqa: ARG001 -- SQLAlchemy's signature
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {int(BUSY_SECONDS * 1000)}",
            "journal_mode = WAL",
            # FULL: NORMAL survives kill -9, not a power cut, and a sent message forgotten is a copy
            "synchronous = FULL",
            "foreign_keys = ON",
            # what is deleted is written over: a person who was erased must not stand in free pages
            "secure_delete = ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("digest_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


async def scour(engine: AsyncEngine) -> bool:
    """Let the files hold what the tables hold and no more; False where that must wait.

    SQLite keeps the old pages in the -wal file until all of it is taken over, which needs a moment
    in which nobody reads them, and a disk that takes it. PostgreSQL takes deleted rows out by
    itself (VACUUM), some time later.
    """
    if engine.dialect.name != "sqlite":
        return True
    try:
        async with engine.connect() as connection:
            # past SQLAlchemy, which would begin a transaction first
            driver = (await connection.get_raw_connection()).driver_connection
            return driver is not None and await _take_over(driver)
    except (OSError, sqlite3.Error, SQLAlchemyError):
        return False


async def _take_over(driver: Any) -> bool:
    await driver.execute(f"PRAGMA busy_timeout = {int(SCOUR_SECONDS * 1000)}")
    try:
        rows = await driver.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
        return not next(iter(rows))[0]
    finally:
        await driver.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")


def lock_for_migration(connection: Connection) -> None:
    """Let one process migrate at a time; SQLite's write transaction is that lock already."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")


def insert_new(connection: AsyncConnection, table: Table) -> PgInsert | SqliteInsert:
    """An insert that may end in ON CONFLICT, which both databases know and SQL does not."""
    if connection.dialect.name == "postgresql":
        return pg_insert(table)
    return sqlite_insert(table)


async def lock_articles(connection: AsyncConnection) -> None:
    """Let one transaction keep articles at a time, until it ends.

    The same article stands in many feeds, and they are polled at once: two transactions that keep
    it would meet at its key, or wait for each other. SQLite's write transaction is that lock.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('digest articles'))"))


async def lock_newsletter(connection: AsyncConnection, slug: str) -> None:
    """Let one process publish a newsletter at a time, until the transaction ends.

    SQLite's write transaction is that lock already.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"digest/{slug}"}
        )
