"""Opens the database: `Store.read()` and `Store.write()` give a connection in a transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from digest.errors import StoreBusy, StoreError
from digest.store.dialect import async_url, check_folder, connect_options, prepare_sqlite
from digest.store.migrate import is_current, migrate

#: an open connection in a transaction, as the functions of this room take it
Connection = AsyncConnection


@dataclass(frozen=True, slots=True)
class Store:
    """An open database."""

    engine: AsyncEngine
    #: SQLite lets one writer in; queueing here is fair, its own busy loop is not
    _writer: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one moment of the database."""
        with _told():
            async with self.engine.connect() as connection, connection.begin():
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A connection whose changes are committed together, or not at all."""
        turn = self._writer if self.kind == "sqlite" else nullcontext()
        with _told():
            async with turn, self.engine.connect() as connection:
                await connection.execution_options(digest_writes=True)
                async with connection.begin():
                    yield connection

    @asynccontextmanager
    async def rehearse(self) -> AsyncIterator[AsyncConnection]:
        """A connection whose changes nobody will ever see: they are taken back at the end."""
        turn = self._writer if self.kind == "sqlite" else nullcontext()
        with _told():
            async with turn, self.engine.connect() as connection:
                await connection.execution_options(digest_writes=True)
                transaction = await connection.begin()
                try:
                    yield connection
                finally:
                    await transaction.rollback()

    async def check(self) -> None:
        """Ask the database something; raises StoreError when it does not answer."""
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Let go of all connections."""
        await self.engine.dispose()


#: classes of SQLSTATE (PostgreSQL, appendix A) that speak of the server's state, not of our words:
#: connection, rollback (deadlock), resources (disk full, too many clients), not in the needed
#: state, operator intervention (shutting down, starting up), system error
_PASSING = ("08", "40", "53", "55", "57", "58")


class _told:  # noqa: N801 -- reads as a word in `with _told():`
    """Turn the database's own errors into ours, one line each."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        if isinstance(problem, OperationalError) and "locked" in str(problem.orig):
            raise StoreBusy(
                "the database is locked by another process; wait for it to end, then try again"
            ) from problem
        if isinstance(problem, OSError | OperationalError) or (
            isinstance(problem, DBAPIError) and (problem.connection_invalidated or _passes(problem))
        ):
            cause = getattr(problem, "orig", None) or problem
            raise StoreError(f"the database cannot be used: {_first_line(cause)}") from problem


def _passes(problem: DBAPIError) -> bool:
    if type(problem) is DatabaseError:  # of no kind: the file is damaged, or is no database
        return True
    return (getattr(problem.orig, "sqlstate", None) or "").startswith(_PASSING)


def _first_line(problem: BaseException) -> str:
    return (str(problem) or type(problem).__name__).splitlines()[0]


async def open_store(url: str) -> Store:
    """Open the database at `url` and bring it to today's shape.

    Raises StoreError when it cannot be reached, StoreTooNew when a newer program wrote it.
    """
    address = async_url(url)
    if address.startswith("sqlite"):
        check_folder(address)
    engine = create_async_engine(address, connect_args=connect_options(address))
    if engine.dialect.name == "sqlite":
        prepare_sqlite(engine.sync_engine)
    store = Store(engine)
    try:
        async with store.read() as connection:
            current = await connection.run_sync(is_current)
        if not current:
            async with store.write() as connection:
                await connection.run_sync(migrate)
    except (DBAPIError, TypeError) as problem:  # TypeError: an option that the driver lacks
        await store.close()
        raise StoreError(
            f"the database cannot be used: {_first_line(getattr(problem, 'orig', None) or problem)}"
        ) from problem
    except BaseException:
        await store.close()
        raise
    return store
