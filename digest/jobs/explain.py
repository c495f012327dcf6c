"""Says why an article is in or out of an edition, number by number; it stores nothing.

Of an edition that was made it tells what was noted with it. Of the next one it makes the choice
once more, from what is held now, without asking any feed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from digest.editions.topics import signs_of, with_topics
from digest.errors import UsageError
from digest.jobs.exhibit import utc
from digest.jobs.prepare import prepare
from digest.jobs.world import World
from digest.messages.shortened import shortened
from digest.model.article import Article
from digest.model.newsletter import Newsletter, Schedule
from digest.store import reasons, selections
from digest.store.engine import Connection
from digest.store.reasons import Considered, Known

#: what each reason means, in words
MEANINGS = {
    "limit": "the edition was full; it may come in the next one while it is fresh",
    "section limit": "its section was full; it may come in the next edition while it is fresh",
    "minutes": "reading the mail would have taken too long; it may come in the next edition",
    "size": "mail programs would have cut the mail; it may come in the next edition",
    "duplicate": "the same article stands there already",
    "thread": "another article about the same event stands there, and names it",
    "told": "an earlier edition told all that it says",
    "choice": "it was told to readers of some topics, and found no room in the whole",
    "off topic": "no topic of the newsletter is about it, and its feed takes nothing else",
    "refused": "the editors refused it",
    "old": "it was old when its feed was first read",
    "withdrawn": "its publisher took it back",
    "flood": "it came with far more than usual and is held: see `digest feed held`",
    "past": "an edition was made without it before it was seen, or it is too old for this one",
    "no news": "there is nothing new to make an edition of",
    "elsewhere": "no feed of this newsletter carries it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why an article is in or out of one edition of one newsletter."""

    newsletter: str
    schedule: str
    #: None: the one that would be made now
    edition: int | None
    #: its place, counted from 1; None where it is out
    position: int | None
    section: str | None
    #: a word of MEANINGS; None where it is in
    reason: str | None
    #: title and address of the article that was told in its place
    instead: tuple[str, str] | None
    #: the parts of its rank and "total"; empty where it was not ranked
    score: dict[str, float]
    #: what says that it is about a topic: topic, where, word, weight
    signs: tuple[tuple[str, str, str, float], ...] = ()
    #: how much of it would have been told in a larger mail, and how much is; None: all of that
    cut: tuple[str, str] | None = None

    def as_json(self) -> dict[str, object]:
        """As `digest explain --json` prints it."""
        instead = {"title": self.instead[0], "url": self.instead[1]} if self.instead else None
        return {
            "newsletter": self.newsletter,
            "schedule": self.schedule,
            "edition": self.edition,
            "in": self.position is not None,
            "position": self.position,
            "section": self.section,
            "reason": self.reason,
            "why": MEANINGS.get(self.reason, self.reason) if self.reason else None,
            "instead": instead,
            "score": self.score,
            "cut": self._cut(),
            "signs": [
                {"topic": topic, "where": where, "name": name, "weight": weight}
                for topic, where, name, weight in self.signs
            ],
        }

    def _cut(self) -> dict[str, str | None] | None:
        """What it lost, so that mail programs show the whole mail."""
        if self.reason == "size":
            return {"from": None, "to": "dropped"}
        return {"from": self.cut[0], "to": self.cut[1]} if self.cut else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """An article, and why it is in or out of editions: those that were made, then the next."""

    article: Known
    reasons: tuple[Reason, ...]

    def as_json(self) -> dict[str, object]:
        """As `digest explain --json` prints it."""
        known = self.article.article
        return {
            "article": {
                "id": known.id,
                "url": known.url,
                "title": known.title,
                "published": utc(known.published_at),
                "source": known.source or None,
            },
            "editions": [each.as_json() for each in self.reasons],
        }


async def explain(world: World, article: str, edition: int | None = None) -> Explained:
    """Why an article, named by its id or address, is in or out.

    Of one edition, or of all that considered it and of the next one of each rhythm. Raises
    UsageError where the article or the edition is unknown.
    """
    async with world.store.rehearse() as connection:
        known = await reasons.find(connection, article)
        if known is None:
            raise UsageError(
                f"{article}: no such article is held; name it by the address that its feed gives,"
                " or gather first"
            )
        made = await reasons.considered(connection, known.article.id)
        if edition is not None:
            found = [each for each in made if each.edition == edition]
            if not found and not await reasons.is_edition(connection, edition):
                raise UsageError(f"there is no edition {edition}: `digest status` names the last")
            cuts = {edition: await _lost(connection, edition, known)}
            return Explained(article=known, reasons=_past(world, known, found, edition, cuts))
        ahead = [
            await _ahead(
                connection, world, newsletter=newsletter, schedule=schedule, known=known, made=made
            )
            for newsletter in world.newsletters
            for schedule in newsletter.schedules
        ]
        cuts = {each.edition: await _lost(connection, each.edition, known) for each in made}
        return Explained(article=known, reasons=(*_past(world, known, made, None, cuts), *ahead))


def _past(
    world: World,
    known: Known,
    made: list[Considered],
    edition: int | None,
    cuts: Mapping[int, tuple[str, str] | None],
) -> tuple[Reason, ...]:
    if not made and edition is not None:
        return (
            Reason(
                newsletter="",
                schedule="",
                edition=edition,
                position=None,
                section=None,
                reason=known.kept_out or "past",
                instead=None,
                score={},
            ),
        )
    named = {each.slug: each for each in world.newsletters}
    return tuple(
        Reason(
            newsletter=each.newsletter,
            schedule=each.schedule,
            edition=each.edition,
            position=each.position,
            section=each.section,
            reason=each.reason,
            instead=each.instead,
            score=each.score,
            signs=_signs(known.article, named.get(each.newsletter)),
            cut=cuts.get(each.edition),
        )
        for each in made
    )


async def _ahead(
    connection: Connection,
    world: World,
    *,
    newsletter: Newsletter,
    schedule: Schedule,
    known: Known,
    made: list[Considered],
) -> Reason:
    """Why it would be in or out of the edition that would be made now."""
    out = _out_for(known, newsletter, schedule, made)
    prepared = None
    if out is None:
        prepared = await prepare(connection, world, newsletter, schedule)
    if out is not None or prepared is None:
        return _reason(newsletter, schedule, reason=out or "no news")
    draft, key = prepared.draft, known.article.id
    score = draft.scores.get(key)
    numbers = {**dict(score.parts), "total": round(score.total, 6)} if score else {}
    for position, article in enumerate(draft.articles, start=1):
        if article.id == key:
            return _reason(
                newsletter,
                schedule,
                position=position,
                section=article.section,
                score=numbers,
                signs=_signs(article, newsletter),
                cut=shortened(prepared.plan).get(key),
            )
    titles = {each.id: (each.title, each.url) for each in draft.articles}
    for left in draft.left_out:
        if left.article.id == key:
            return _reason(
                newsletter,
                schedule,
                section=left.article.section,
                reason=left.reason,
                instead=titles.get(left.instead or 0)
                or await reasons.headline(connection, left.instead),
                score=numbers,
                signs=_signs(left.article, newsletter),
            )
    return _reason(newsletter, schedule, reason="past")


def _out_for(
    known: Known, newsletter: Newsletter, schedule: Schedule, made: list[Considered]
) -> str | None:
    """A reason that needs no choice."""
    if not known.feeds & {each.url for each in newsletter.feeds}:
        return "elsewhere"
    if known.kept_out is not None:
        return known.kept_out
    here = [
        each
        for each in made
        if (each.newsletter, each.schedule) == (newsletter.slug, schedule.name)
    ]
    if any(each.position is not None for each in here):
        return f"told in edition {next(e.edition for e in here if e.position is not None)}"
    return None


def _reason(
    newsletter: Newsletter,
    schedule: Schedule,
    *,
    position: int | None = None,
    section: str | None = None,
    reason: str | None = None,
    instead: tuple[str, str] | None = None,
    score: dict[str, float] | None = None,
    signs: tuple[tuple[str, str, str, float], ...] = (),
    cut: tuple[str, str] | None = None,
) -> Reason:
    return Reason(
        newsletter=newsletter.slug,
        schedule=schedule.name,
        edition=None,
        position=position,
        section=section,
        reason=reason,
        instead=instead,
        score=score or {},
        signs=signs,
        cut=cut,
    )


async def _lost(connection: Connection, edition: int, known: Known) -> tuple[str, str] | None:
    """How much of it would have been told in that edition, and how much was; None: all of that."""
    found = await selections.get(connection, edition, "")
    return shortened(found.plan).get(known.article.id) if found and found.plan else None


def _signs(
    article: Article, newsletter: Newsletter | None
) -> tuple[tuple[str, str, str, float], ...]:
    if newsletter is None:
        return ()
    [named] = with_topics([article], newsletter)
    return tuple(
        (topic.name, sign.where, sign.name, sign.weight)
        for topic in newsletter.topics
        if topic.name in named.topics
        for sign in signs_of(article, topic)
    )
