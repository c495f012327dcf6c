"""Corrects what an edition told: queues a notice for those who got the wrong text, and no others.

The edition stays as it was sent. Who gets it later than the correction was made gets the
correction too, with `correct_late`, by the clock.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from digest.errors import UsageError
from digest.jobs.edit import find_known
from digest.jobs.world import World
from digest.messages import plain
from digest.messages.notices import Erratum
from digest.model.edition import Edition
from digest.model.layout import read_extra, read_plan
from digest.model.text import one_line
from digest.store import corrections, editions, verdicts
from digest.store.corrections import Correction, Version
from digest.store.dialect import lock_newsletter
from digest.store.engine import Connection

log = logging.getLogger("digest.correct")

#: how long those who get an edition late get its corrections unasked
LATE = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """What a correction came to."""

    correction: Correction
    #: how many get it now, and how many had it before
    queued: int
    before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """Which deliveries of an edition told an article."""

    #: selections, for deliveries without anything of their own
    choices: frozenset[str]
    #: the ids of deliveries with something of their own
    rows: tuple[int, ...]


async def correct(
    world: World, edition_id: int, article: str, *, note: str = "", dry_run: bool = False
) -> Corrected:
    """Queue the correction of an article in an edition for each active reader who got it.

    Once for each version of the article: a second time adds those who got the edition since.
    With `dry_run` nothing is stored. Raises UsageError where the edition or article is unknown,
    the one did not tell the other, or nothing is wrong.
    """
    opened = world.store.rehearse() if dry_run else world.store.write()
    async with opened as connection:
        edition = await editions.get(connection, edition_id)
        if edition is None:
            raise UsageError(f"there is no edition {edition_id}: `digest status` names the last")
        newsletter = world.newsletter(edition.newsletter)
        await lock_newsletter(connection, newsletter.slug)
        key = (await find_known(connection, article)).article.id
        told = await _told(connection, edition, key)
        if not told.choices and not told.rows:
            raise UsageError(f"edition {edition_id} told nobody of {article}")
        correction = await _write(connection, world, edition, key, note=one_line(note))
        before = await corrections.counted(connection, correction)
        queued = await corrections.queue(
            connection, correction, choices=told.choices, rows=told.rows, now=world.clock()
        )
    if not dry_run:
        log.info(
            "edition=%d article=%d correction=%d queued=%d",
            edition_id,
            key,
            correction.id,
            queued,
        )
    return Corrected(correction=correction, queued=queued, before=before)


async def correct_late(world: World) -> int:
    """Queue corrections for those who got the wrong text after it was corrected; say how many."""
    now, added = world.clock(), 0
    async with world.store.read() as connection:
        late = [
            each
            for each in await corrections.made_since(connection, now - LATE)
            if await _is_owed(connection, each)
        ]
    for each in late:
        async with world.store.write() as connection:
            edition = await editions.get(connection, each.edition_id)
            if edition is None:
                continue
            await lock_newsletter(connection, edition.newsletter)
            told = await _told(connection, edition, each.article_id)
            added += await corrections.queue(
                connection,
                each,
                choices=told.choices,
                rows=told.rows,
                since=each.made_at,
                now=now,
            )
    if added:
        log.info("corrections=%d queued=%d", len(late), added)
    return added


async def read_erratum(connection: Connection, correction_id: int) -> Erratum:
    """What the notice of a correction says. Raises LookupError where it is gone."""
    found = await corrections.get(connection, correction_id)
    edition = await editions.get(connection, found.edition_id) if found else None
    if found is None or edition is None:
        raise LookupError(f"correction {correction_id} is gone")
    was = await _version_told(connection, edition, found.article_id)
    right = await corrections.said(connection, found.article_id, version=found.version)
    if was is None or right is None:
        raise LookupError(f"the article of correction {correction_id} is gone")
    return Erratum(
        number=edition.number,
        edition_made_at=edition.made_at,
        was=found.was,
        title=found.title,
        was_text=was.excerpt,
        text=right.excerpt,
        note=found.note,
        url=right.url,
    )


async def _is_owed(connection: Connection, correction: Correction) -> bool:
    edition = await editions.get(connection, correction.edition_id)
    if edition is None:
        return False
    told = await _told(connection, edition, correction.article_id)
    return await corrections.is_owed(
        connection, correction, choices=told.choices, rows=told.rows, since=correction.made_at
    )


async def _write(
    connection: Connection, world: World, edition: Edition, article_id: int, *, note: str
) -> Correction:
    """The correction by the version that is held now. Raises UsageError where nothing is wrong."""
    was = await _version_told(connection, edition, article_id)
    right = await corrections.said(connection, article_id, at=world.clock())
    if was is None or right is None:  # the ledger knows it: articles that were told are never gone
        raise UsageError(f"article {article_id} is gone")
    titles = await _titles(connection, edition, article_id, was, right)
    known = await corrections.find(connection, edition.id, article_id, right.number)
    if known is not None:
        if note not in ("", known.note) or titles[1] != known.title:
            raise UsageError(
                f"this was corrected on {known.made_at:%Y-%m-%d %H:%M} UTC with other words, and"
                " nobody gets two corrections of one thing"
            )
        return known
    if was == right and titles[0] == titles[1] and not note:
        raise UsageError(
            f"nothing of it changed since edition {edition.id} told it:"
            " say with --note what was wrong, or `digest retitle` it first"
        )
    return await corrections.add(
        connection,
        edition_id=edition.id,
        article_id=article_id,
        version=right.number,
        was=titles[0],
        title=titles[1],
        note=note,
        now=world.clock(),
    )


async def _version_told(
    connection: Connection, edition: Edition, article_id: int
) -> Version | None:
    """What the article said when the edition told it; by the clock where that was not noted."""
    _, version = await corrections.stood(connection, edition.id, article_id)
    if version is None:
        return await corrections.said(connection, article_id, at=edition.made_at)
    return await corrections.said(connection, article_id, version=version)


async def _titles(
    connection: Connection, edition: Edition, article_id: int, was: Version, right: Version
) -> tuple[str, str]:
    """The title as it was told and as it is right: the editors' own counts from when it is said."""
    said = await verdicts.of(connection, edition.newsletter)
    mine = next((each.title for each in said if each.article_id == article_id), None)
    if mine is None:
        return was.title, right.title
    new = await verdicts.of(connection, edition.newsletter, since=edition.made_at)
    later = any(each.article_id == article_id for each in new)
    return (was.title if later else mine), mine


async def _told(connection: Connection, edition: Edition, article_id: int) -> _Told:
    """Which deliveries of an edition told an article: its plan, or its own text, says so."""
    everybody, _ = await corrections.stood(connection, edition.id, article_id)
    was = await _version_told(connection, edition, article_id)
    choices = {""} if everybody else set()
    async for choice, plan, text in corrections.laid_out(connection, edition.id):
        if _holds(plan, text, article_id, was):
            choices.add(choice)
    rows = [
        row
        async for row, choice, extra in corrections.extras(connection, edition.id)
        if _gets(extra, article_id, otherwise=choice in choices)
    ]
    return _Told(choices=frozenset(choices), rows=tuple(rows))


def _holds(plan: Mapping[str, Any] | None, text: str, article_id: int, was: Version | None) -> bool:
    if plan is not None:
        return article_id in read_plan(plan).article_ids
    # an edition of old: its text names the address of each story on a line of its own
    return was is not None and plain.link_to(was.url) in text.split()


def _gets(extra: Mapping[str, Any], article_id: int, *, otherwise: bool) -> bool:
    """Whether a reader got an article, by what he got more or less than others of his choice."""
    found = read_extra(extra)
    if article_id in found.omit:
        return False
    more = {*found.meanwhile, *(each.article_id for each in found.followed)}
    return article_id in more or otherwise
