"""Pictures that we serve: made once of what stood at an address, kept while editions show them.

What an edition showed is kept for ever, for so is the archive; the rest goes some weeks after it
was last wanted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.picture import NoPicture, Redrawn
from digest.store.choosing import pictures
from digest.store.dialect import insert_new
from digest.store.signs import in_chunks

#: after how long a picture that could not be had is asked for again
AGAIN: Final = timedelta(hours=1)
#: how long a picture is kept that no edition showed, since it was last wanted
UNTOLD: Final = timedelta(days=30)
#: a picture that is wanted is marked so once a day
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A picture that we hold, without its octets. Sizes in pixels."""

    digest: str
    width: int
    height: int


async def lacking(connection: AsyncConnection, urls: Iterable[str], *, now: datetime) -> list[str]:
    """Which of the pictures at these addresses should be asked for now, in the same order."""
    by_source = {_source(url): url for url in urls}
    known: set[str] = set()
    for chunk in in_chunks(by_source):
        query = select(pictures.c.source).where(
            pictures.c.source.in_(chunk),
            or_(pictures.c.hash.is_not(None), pictures.c.asked_at > now - AGAIN),
        )
        known.update((await connection.execute(query)).scalars())
    return [url for source, url in by_source.items() if source not in known]


async def fading(connection: AsyncConnection, urls: Iterable[str], *, now: datetime) -> list[str]:
    """Which of these we hold and would forget in some weeks: not shown, not wanted since a day."""
    by_source = {_source(url): url for url in urls}
    found: list[str] = []
    for chunk in in_chunks(by_source):
        query = select(pictures.c.source).where(
            pictures.c.source.in_(chunk),
            pictures.c.hash.is_not(None),
            pictures.c.told_at.is_(None),
            pictures.c.asked_at < now - _DAY,
        )
        found += (by_source[each] for each in (await connection.execute(query)).scalars())
    return found


async def want(connection: AsyncConnection, urls: Iterable[str], *, now: datetime) -> None:
    """Keep these for a while longer: an edition may be about to show them."""
    for chunk in in_chunks({_source(url) for url in urls}):
        await connection.execute(
            update(pictures).where(pictures.c.source.in_(chunk)).values(asked_at=now)
        )


async def keep(
    connection: AsyncConnection, url: str, made: Redrawn | NoPicture, *, now: datetime
) -> None:
    """Keep what was made of the picture at an address; one that we hold stays as it is."""
    values: dict[str, Any] = {
        "asked_at": now,
        "reason": made.reason if isinstance(made, NoPicture) else None,
    }
    if isinstance(made, Redrawn):
        values |= {
            "hash": sha256(made.data).hexdigest()[:32],
            "data": made.data,
            "width": made.width,
            "height": made.height,
        }
    adding = insert_new(connection, pictures).values(source=_source(url), **values)
    await connection.execute(
        adding.on_conflict_do_update(
            index_elements=["source"], set_=values, where=pictures.c.hash.is_(None)
        )
    )


async def find(connection: AsyncConnection, urls: Iterable[str]) -> dict[str, Held]:
    """The pictures that we hold of these addresses."""
    by_source = {_source(url): url for url in urls}
    found: dict[str, Held] = {}
    for chunk in in_chunks(by_source):
        columns = (pictures.c.source, pictures.c.hash, pictures.c.width, pictures.c.height)
        query = select(*columns).where(pictures.c.source.in_(chunk), pictures.c.hash.is_not(None))
        for row in await connection.execute(query):
            held = Held(digest=row.hash, width=row.width, height=row.height)
            found[by_source[row.source]] = held
    return found


async def read(connection: AsyncConnection, digest: str) -> bytes | None:
    """The octets of a picture; None where we do not hold it."""
    query = select(pictures.c.data).where(pictures.c.hash == digest).limit(1)
    data: bytes | None = (await connection.execute(query)).scalar_one_or_none()
    return data


async def tell(connection: AsyncConnection, digests: Collection[str], *, now: datetime) -> None:
    """Keep these for ever: an edition shows them."""
    for chunk in in_chunks(sorted(digests)):
        await connection.execute(
            update(pictures)
            .where(pictures.c.hash.in_(chunk), pictures.c.told_at.is_(None))
            .values(told_at=now)
        )


async def forget_untold(connection: AsyncConnection, *, now: datetime) -> int:
    """Delete what no edition showed and none wanted for 30 days; return how many."""
    result = await connection.execute(
        delete(pictures).where(pictures.c.told_at.is_(None), pictures.c.asked_at < now - UNTOLD)
    )
    return int(result.rowcount)


def _source(url: str) -> str:
    return sha256(url.encode(errors="replace")).hexdigest()
