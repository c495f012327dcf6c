"""Turns the editors' link into the draft as it would go out now, and their presses into verdicts.

Looking changes nothing. Two editors at once: the last word counts, and each sees what it is.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from digest.editions.approval import LIFE, goes_at, is_overtaken, put
from digest.errors import LinkRefused
from digest.jobs.prepare import find_candidates
from digest.jobs.proof import prepare_seen
from digest.jobs.world import World
from digest.model.article import Article
from digest.model.edition import Draft
from digest.model.newsletter import Newsletter, Schedule
from digest.model.policy import Approval, Verdict
from digest.model.proof import Proof, ProofState
from digest.model.text import one_line
from digest.store import editions, proofs, verdicts
from digest.store.dialect import lock_newsletter
from digest.store.engine import Connection

log = logging.getLogger("digest.proof")

#: characters that editors may write above the news, and that a title may have
LEAD = 2000
TITLE = 300


class Refusal(StrEnum):
    """Why nothing was changed."""

    OVER = "over"
    UNKNOWN = "unknown"
    LONG = "long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A draft before the editors, as it stands now."""

    newsletter: Newsletter
    schedule: Schedule
    approval: Approval
    proof: Proof
    #: None: nothing of it would go out
    draft: Draft | None
    #: all that it could tell, under their own titles, by id
    articles: dict[int, Article]
    #: what stays out and why, in the order of `articles`
    left_out: tuple[tuple[int, str], ...]
    #: what the editors said, by the article's id
    verdicts: dict[int, Verdict]
    #: the edition was made, or its slot has passed
    over: bool
    #: when it goes out by itself; None: when somebody lets it
    goes_at: datetime | None


async def look(world: World, token: str) -> Desk:
    """The draft behind a link; changes nothing. Raises LinkRefused."""
    async with world.store.read() as connection:
        found = await _find(connection, world, token)
        return await _desk(connection, world, *found)


async def decide(world: World, token: str, state: ProofState) -> Desk | Refusal:
    """Hold it, let it go at its slot, or send it now. Raises LinkRefused."""
    async with world.store.write() as connection:
        found = await _open(connection, world, token)
        if isinstance(found, Refusal):
            return found
        newsletter, schedule, proof = found
        await proofs.decide(connection, proof.id, state, now=world.clock())
    log.info(
        "newsletter=%s schedule=%s slot=%s proof=%d decided=%s",
        *(newsletter.slug, schedule.name, proof.slot.at.isoformat(), proof.id, state),
    )
    return await look(world, token)


async def write_lead(world: World, token: str, text: str) -> Desk | Refusal:
    """Put a text above the news of this edition; an empty one takes it away. Raises LinkRefused."""
    lead = read_lead(text)
    if len(lead) > LEAD:
        return Refusal.LONG
    async with world.store.write() as connection:
        found = await _open(connection, world, token)
        if isinstance(found, Refusal):
            return found
        await proofs.write_lead(connection, found[2].id, lead)
    return await look(world, token)


def read_lead(text: str) -> str:
    """Paragraphs of plain text, one a line, without what no text of ours may carry."""
    lines = (one_line(line) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


async def place(world: World, token: str, article: int, where: int) -> Desk | Refusal:
    """Bring a story to a place of its section, or one that was left out into it.

    Raises LinkRefused.
    """
    async with world.store.write() as connection:
        desk = await _at(connection, world, token, article)
        if isinstance(desk, Refusal):
            return desk
        pinned = {key: each.pinned for key, each in desk.verdicts.items() if each.pinned}
        order = _section_of(desk, article)
        for each, number in put(order, pinned, article, where).items():
            if pinned.get(each) != number:
                await verdicts.pin(
                    connection, desk.newsletter.slug, each, place=number, now=world.clock()
                )
    return await look(world, token)


def _section_of(desk: Desk, article: int) -> Sequence[int]:
    """The stories that stand in the section of an article, in their order."""
    wanted = desk.articles[article].section
    sections = desk.draft.sections if desk.draft else ()
    return [each.id for section in sections if section.title == wanted for each in section.articles]


async def take(world: World, token: str, article: int) -> Desk | Refusal:
    """Bring in what was left out: behind the pins of its section, or where its rank puts it."""
    async with world.store.write() as connection:
        desk = await _at(connection, world, token, article)
        if isinstance(desk, Refusal):
            return desk
        slug, now, said = desk.newsletter.slug, world.clock(), desk.verdicts.get(article)
        if said is not None and said.refused:
            await verdicts.refuse(connection, slug, article, refused=False, now=now)
        else:
            pins = sum(
                each in desk.verdicts and desk.verdicts[each].pinned is not None
                for each in _section_of(desk, article)
            )
            await verdicts.pin(connection, slug, article, place=pins + 1, now=now)
    return await look(world, token)


async def free(world: World, token: str, article: int) -> Desk | Refusal:
    """Take the pin off: its rank says where it stands. Raises LinkRefused."""
    async with world.store.write() as connection:
        desk = await _at(connection, world, token, article)
        if isinstance(desk, Refusal):
            return desk
        slug = desk.newsletter.slug
        await verdicts.pin(connection, slug, article, place=None, now=world.clock())
    return await look(world, token)


async def drop(world: World, token: str, article: int) -> Desk | Refusal:
    """Tell it to nobody. Raises LinkRefused."""
    async with world.store.write() as connection:
        desk = await _at(connection, world, token, article)
        if isinstance(desk, Refusal):
            return desk
        slug = desk.newsletter.slug
        await verdicts.refuse(connection, slug, article, refused=True, now=world.clock())
    return await look(world, token)


async def retitle(world: World, token: str, article: int, title: str) -> Desk | Refusal:
    """Tell it under another title; an empty one is its own. Raises LinkRefused."""
    wanted = one_line(title)
    if len(wanted) > TITLE:
        return Refusal.LONG
    async with world.store.write() as connection:
        desk = await _at(connection, world, token, article)
        if isinstance(desk, Refusal):
            return desk
        own = desk.articles[article].title
        await verdicts.retitle(
            connection,
            desk.newsletter.slug,
            article,
            title=wanted if wanted and wanted != one_line(own) else None,
            now=world.clock(),
        )
    return await look(world, token)


# --------------------------------------------------------------- what the link is about

_Found = tuple[Newsletter, Schedule, Proof]


async def _find(connection: Connection, world: World, token: str) -> _Found:
    ref = world.signer.check_proof(token)
    proof = await proofs.by_ref(connection, ref)
    named = proof.slot.newsletter if proof else None
    newsletter = next((each for each in world.newsletters if each.slug == named), None)
    schedule = newsletter.schedule(proof.slot.schedule) if newsletter and proof else None
    if proof is None or newsletter is None or schedule is None or newsletter.approval is None:
        raise LinkRefused("this link leads to no draft any more")
    if world.clock() - proof.slot.at >= LIFE:
        raise LinkRefused("this link is too old: its draft is over")
    return newsletter, schedule, proof


async def _open(connection: Connection, world: World, token: str) -> _Found | Refusal:
    """The same under the newsletter's lock: whoever publishes comes before or after."""
    newsletter, _, _ = await _find(connection, world, token)
    await lock_newsletter(connection, newsletter.slug)
    found = await _find(connection, world, token)
    return Refusal.OVER if await _is_over(connection, world, *found) else found


async def _is_over(
    connection: Connection, world: World, newsletter: Newsletter, schedule: Schedule, proof: Proof
) -> bool:
    return (
        proof.state is ProofState.PASSED
        or is_overtaken(proof, newsletter, schedule, now=world.clock())
        or await editions.is_taken(connection, proof.slot)
    )


async def _at(connection: Connection, world: World, token: str, article: int) -> Desk | Refusal:
    """The desk, for a change of one of its articles."""
    found = await _open(connection, world, token)
    if isinstance(found, Refusal):
        return found
    desk = await _desk(connection, world, *found)
    return desk if article in desk.articles else Refusal.UNKNOWN


async def _desk(
    connection: Connection, world: World, newsletter: Newsletter, schedule: Schedule, proof: Proof
) -> Desk:
    assert newsletter.approval is not None  # noqa: S101 -- `_find` made sure
    over = await _is_over(connection, world, newsletter, schedule, proof)
    now, draft, articles = world.clock(), None, dict[int, Article]()
    said = {each.article_id: each for each in await verdicts.of(connection, newsletter.slug)}
    if not over:
        prepared = await prepare_seen(connection, world, newsletter, schedule, proof)
        draft = prepared.draft if prepared else None
        found = await find_candidates(connection, newsletter, schedule, now=now)
        articles = {each.id: each for each in found}
    return Desk(
        newsletter=newsletter,
        schedule=schedule,
        approval=newsletter.approval,
        proof=proof,
        draft=draft,
        articles=articles,
        left_out=tuple(_left_out(articles, draft, proof, said)),
        verdicts={key: each for key, each in said.items() if key in articles},
        over=over,
        goes_at=None if over else goes_at(proof, newsletter.approval),
    )


def _left_out(
    articles: dict[int, Article], draft: Draft | None, proof: Proof, said: dict[int, Verdict]
) -> list[tuple[int, str]]:
    chosen = {each.id for each in draft.articles} if draft else set()
    reasons = {each.article.id: each.reason for each in draft.left_out} if draft else {}
    found = []
    for key in articles:
        if key in chosen:
            continue
        verdict = said.get(key)
        if verdict is not None and verdict.refused:
            reason = "refused"
        elif key not in proof.known and (verdict is None or verdict.pinned is None):
            reason = "late"
        else:
            reason = reasons.get(key, "no news")
        found.append((key, reason))
    return found
