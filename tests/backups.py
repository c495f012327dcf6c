"""Copies a database and puts the copy back, as an operator does with a backup."""

from __future__ import annotations

import asyncio
import io
import secrets
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
_COUNTERS = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'"


@dataclass(frozen=True)
class Backup:
    """A copy of the database at `url`, as it was when `back_up` was called."""

    url: str
    #: the copied file of an SQLite
    file: str = ""
    #: the rows of a PostgreSQL, and how far it had counted
    tables: dict[str, bytes] = field(default_factory=dict)
    counters: dict[str, int | None] = field(default_factory=dict)

    async def restore(self) -> None:
        """Put the copy in the place of the database; SQLite must not be open."""
        if self.file:
            await asyncio.to_thread(_copy_sqlite, self.file, _file(self.url))
        else:
            await _put_back(self)


async def back_up(url: str) -> Backup:
    """Copy a database, which may be in use."""
    if url.startswith("sqlite"):
        copy = f"{_file(url)}.{secrets.token_hex(4)}"
        await asyncio.to_thread(_copy_sqlite, _file(url), copy)
        return Backup(url, file=copy)
    connection = await asyncpg.connect(url)
    try:
        tables = {}
        for row in await connection.fetch(_TABLES):
            rows = io.BytesIO()
            await connection.copy_from_table(row[0], output=rows, format="binary")
            tables[row[0]] = rows.getvalue()
        counters = {row[0]: row[1] for row in await connection.fetch(_COUNTERS)}
    finally:
        await connection.close()
    return Backup(url, tables=tables, counters=counters)


async def _put_back(backup: Backup) -> None:
    connection = await asyncpg.connect(backup.url)
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")
            await connection.execute(f"TRUNCATE {', '.join(backup.tables)}")
            for name, rows in backup.tables.items():
                await connection.copy_to_table(name, source=io.BytesIO(rows), format="binary")
            for name, value in backup.counters.items():
                await connection.execute(
                    "SELECT setval($1::text::regclass, $2, $3)", name, value or 1, value is not None
                )
    finally:
        await connection.close()


def _file(url: str) -> str:
    return url.removeprefix("sqlite:///")


def _copy_sqlite(source: str, target: str) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(target + suffix).unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
