"""Compares the database with the journal outside it, and mends one that a backup made forget.

Who left stays out, what was sent is not sent again without asking, and no slot, number or article
is used twice. It never sends, and done twice it does nothing more.
"""

from __future__ import annotations

import asyncio
import html
import logging
from dataclasses import dataclass, field
from datetime import datetime

from digest.jobs import remember
from digest.jobs.binding import Memory, recall
from digest.jobs.forget import erase_again, tidy_files
from digest.jobs.world import World
from digest.model.journal import Closed, Entry, Made
from digest.model.pause import Kind, Pause, Scope
from digest.store import journals, lost, pauses, people, suppressions
from digest.store.engine import Connection
from digest.store.journal import Journal
from digest.store.journals import Standing

log = logging.getLogger("digest.journal")


# --------------------------------------------------------------- comparing


@dataclass(slots=True, kw_only=True)
class _Difference:
    """What one of the two knows and the other does not."""

    older: bool
    left: list[Standing] = field(default_factory=list)
    #: who was erased, and is there as before, by number
    erased: list[int] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    #: ids of editions that the database has, and of those that the journal lacks
    editions: set[int] = field(default_factory=set)
    untold_editions: set[int] = field(default_factory=set)
    untold: list[Entry] = field(default_factory=list)

    @property
    def is_lacking(self) -> bool:
        """The database lacks something."""
        return bool(self.older or self.left or self.erased or self.closed or self.made)


async def look(world: World) -> None:
    """Check only if the journal has come further than the database: one row and one line."""
    if world.journal is None:
        return
    mark = remember.mark_of(world.journal)
    async with world.store.read() as connection:
        known = await journals.mark(connection)
    if mark > known:
        await check(world)
    elif mark < known:  # others, with journals of their own, have come further too
        await remember.note(world, known)


async def check(world: World) -> None:
    """Compare everything, tell the journal what it lacks, and mend the database where it is older.

    Raises StoreError when either cannot be read.
    """
    journal = world.journal
    if journal is None:
        return
    # the file first: whatever it says was committed before the database is asked
    mark = remember.mark_of(journal)
    memory = await asyncio.to_thread(recall, journal)
    async with world.store.read() as connection:
        found = await _compare(connection, memory, mark)
    if found.is_lacking:
        found = await _mend(world, journal, memory, mark)
        await tidy_files(world)
    await remember.tell(journal, found.untold)
    journal.editions.update(found.editions - found.untold_editions)
    await remember.made(world, found.untold_editions)
    async with world.store.read() as connection:
        await remember.note(world, await journals.mark(connection))


async def _compare(connection: Connection, memory: Memory, mark: int) -> _Difference:
    known = await lost.known_editions(connection)
    made = [each for nonce, each in memory.made.items() if nonce not in known]
    found = _Difference(
        older=bool(made) or mark > await journals.mark(connection),
        made=made,
        editions=set(known.values()),
        untold_editions={known[nonce] for nonce in known.keys() - memory.made.keys()},
    )
    out = await journals.who_left(connection)
    if out - memory.left.keys():
        found.untold += [
            each
            async for each in journals.gone(connection)
            if (each.person, each.newsletter) not in memory.left
        ]
    shut = set()
    async for one in journals.closed(connection):
        shut.add(one.person)
        if one.person not in memory.closed:
            found.untold.append(one)
    found.closed = [each for person, each in memory.closed.items() if person not in shut]
    found.left = await _still_in(connection, memory, memory.left.keys() - out)
    found.erased = await people.back(connection, _erased(memory))
    return found


def _erased(memory: Memory) -> dict[str, datetime]:
    return {
        person: each.at
        for person, each in memory.closed.items()
        if each.reason == suppressions.ERASED
    }


async def _still_in(
    connection: Connection, memory: Memory, missing: set[tuple[str, str]]
) -> list[Standing]:
    """Who left and reads on, or waits to; not who asked or confirmed again after that."""
    return [
        each
        for each in await journals.standing(connection, {person for person, _ in missing})
        if (each.person, each.newsletter) in missing
        and each.since <= memory.left[each.person, each.newsletter]
    ]


# --------------------------------------------------------------- mending


async def _mend(world: World, journal: Journal, memory: Memory, mark: int) -> _Difference:
    """All of it, or nothing. What another process mended meanwhile is not mended again."""
    now = world.clock()
    async with world.store.write() as connection:
        await journals.lock(connection)
        found = await _compare(connection, memory, mark)
        await _keep_out(connection, found, memory, now=now)
        # last, for it takes the very lines out by which the others are known
        await _forget(connection, world, memory)
        if found.older:
            await _put_back(connection, found.made)
            await _hold(connection, now=now)
            behind = mark - await journals.mark(connection)
            await journals.advance(connection, journal.id, by=max(behind, 0))
    return found


async def _keep_out(
    connection: Connection, found: _Difference, memory: Memory, *, now: datetime
) -> None:
    left = {each.id: memory.left[each.person, each.newsletter] for each in found.left}
    detail = f"known from the journal; written on {now:%Y-%m-%d}"
    await journals.keep_out(connection, left, detail=detail)
    for shut in found.closed:
        await suppressions.suppress(connection, shut.person, reason=shut.reason, now=shut.at)
    if found.left or found.closed:
        log.warning(
            "journal status=applied unsubscribed=%d suppressed=%d",
            len(found.left),
            len(found.closed),
        )


async def _forget(connection: Connection, world: World, memory: Memory) -> None:
    """Erase again whom the backup brought back."""
    found = await erase_again(connection, world, _erased(memory))
    if found:
        log.warning("journal status=applied erased=%d", len(found))


async def _put_back(connection: Connection, made: list[Made]) -> None:
    for each in made:
        edition = await lost.put_back(connection, each, html=_shell(each))
        log.warning(
            "edition=%d newsletter=%s number=%d status=put-back articles=%d: it was sent, and the "
            "restored database had forgotten it",
            edition,
            each.newsletter,
            each.number,
            len(each.articles),
        )


def _shell(made: Made) -> str:
    """What the archive shows of an edition whose texts are lost: its subject and its headlines."""
    subject = html.escape(made.subject)
    lines = "".join(
        f'<li><a href="{html.escape(each.url)}">{html.escape(each.title)}</a></li>'
        for each in made.articles
        if each.position is not None
    )
    return (
        f'<!doctype html><html lang="{html.escape(made.language)}"><head><meta charset="utf-8">'
        f"<title>{subject}</title></head><body><h1>{subject}</h1><ul>{lines}</ul></body></html>"
    )


async def _hold(connection: Connection, *, now: datetime) -> None:
    """Pause what is open, for it may have been sent since the backup; ask a person."""
    why = "the database was restored and this may have been sent already; who waits asks again"
    expired = await lost.close_notices(connection, why=why, now=now)
    open_editions = await lost.unended(connection)
    for edition, made_at in open_editions:
        cause = (
            f"a backup was restored, and what is left of this edition of {made_at:%Y-%m-%d} may"
            f" have been sent since; `digest resume {edition}` sends it, `digest abandon {edition}`"
            " does not"
        )
        pause = Pause(
            scope=Scope.EDITION,
            name=str(edition),
            kind=Kind.RESTORED,
            cause=cause,
            began_at=now,
            until=None,
        )
        await pauses.begin(connection, pause)
    log.warning(
        "journal status=restored: the database is older than the journal; "
        "editions-held=%d confirm-mails-expired=%d",
        len(open_editions),
        expired,
    )
