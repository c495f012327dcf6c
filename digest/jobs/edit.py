"""Turns an editor's word on an article into a verdict, which the next editions follow.

What was sent stays as it was sent: a correction is `jobs/correct.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from digest.articles.identify import page_signs
from digest.errors import UsageError
from digest.jobs.world import World
from digest.model.newsletter import Newsletter
from digest.model.text import one_line
from digest.store import lookup, reasons, verdicts
from digest.store.engine import Connection
from digest.store.reasons import Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What was said, and about what."""

    article_id: int
    #: its own, whatever it is told under
    title: str
    newsletter: str
    #: "old", "withdrawn" or "flood": no edition tells it, whatever the editors say
    kept_out: str | None
    #: the editions that told it already, oldest first
    told_in: tuple[int, ...]


async def pin(world: World, article: str, newsletter: str | None, *, place: int | None) -> Spoken:
    """Put an article at a place of the next editions; None takes the pin off.

    Raises UsageError where article or newsletter is unknown.
    """
    async with world.store.write() as connection:
        spoken = await _find(connection, world, article, newsletter)
        await verdicts.pin(
            connection, spoken.newsletter, spoken.article_id, place=place, now=world.clock()
        )
    return spoken


async def refuse(world: World, article: str, newsletter: str | None, *, refused: bool) -> Spoken:
    """Keep an article out of the next editions, or let it in again. Raises UsageError."""
    async with world.store.write() as connection:
        spoken = await _find(connection, world, article, newsletter)
        await verdicts.refuse(
            connection, spoken.newsletter, spoken.article_id, refused=refused, now=world.clock()
        )
    return spoken


async def retitle(
    world: World, article: str, newsletter: str | None, *, title: str | None
) -> Spoken:
    """Tell an article under another title; None: under its own. Raises UsageError."""
    if title is not None:
        title = one_line(title)
        if not title:
            raise UsageError(
                "a title needs at least a letter; --off gives the article its own back"
            )
    async with world.store.write() as connection:
        spoken = await _find(connection, world, article, newsletter)
        await verdicts.retitle(
            connection, spoken.newsletter, spoken.article_id, title=title, now=world.clock()
        )
    return spoken


async def find_known(connection: Connection, article: str) -> Known:
    """The article that is meant by an id or address. Raises UsageError where there is none."""
    found = await lookup.find_article(connection, article, page_signs(article))
    known = await reasons.find(connection, str(found)) if found is not None else None
    if known is None:
        raise UsageError(
            f"{article}: no such article is held; name it by its id or by the address that its"
            " feed gives, or gather first"
        )
    return known


async def _find(
    connection: Connection, world: World, article: str, newsletter: str | None
) -> Spoken:
    known = await find_known(connection, article)
    which = _newsletter(world, known, newsletter)
    if not _carries(which, known):
        raise UsageError(f"{article}: no feed of {which.slug} carries it")
    made = await reasons.considered(connection, known.article.id)
    return Spoken(
        article_id=known.article.id,
        title=known.article.title,
        newsletter=which.slug,
        kept_out=known.kept_out,
        told_in=tuple(
            each.edition
            for each in made
            if each.newsletter == which.slug and each.position is not None
        ),
    )


def _newsletter(world: World, known: Known, slug: str | None) -> Newsletter:
    """The one that is named, else the only one that carries the article. Raises UsageError."""
    carry = [each for each in world.newsletters if _carries(each, known)]
    if slug is None and len(carry) == 1:
        return carry[0]
    return world.newsletter(slug)


def _carries(newsletter: Newsletter, known: Known) -> bool:
    return not known.feeds.isdisjoint(each.url for each in newsletter.feeds)
