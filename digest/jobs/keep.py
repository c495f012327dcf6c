"""Takes what a feed brought into the store: each story once, edits as versions, floods held.

The one way from a feed's articles into the store, whoever read them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.articles.recognise import Known, Recognised, recognise, signs_of
from digest.jobs import flood
from digest.jobs.revise import is_edit, revise
from digest.jobs.world import World
from digest.model.article import NewArticle
from digest.model.feed import Feed
from digest.store import articles, held, signs, texts
from digest.store.dialect import lock_articles
from digest.store.engine import Connection
from digest.store.held import Held

#: whoever turns back so often within such a time is no publisher but two caches, one of them old
TURNS = 2
TURNING = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of it."""

    #: how many new articles may be told now
    new: int
    #: how many new articles wait for the operator's word
    held: int
    #: the new articles that may be told, now or when the operator says so
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """The entries of this poll that are one article."""

    #: None for a new one
    id: int | None
    #: the one that speaks for it
    article: NewArticle
    signs: frozenset[str]
    #: no entry of the feed itself is among them
    filled: bool


async def take_in(
    connection: Connection,
    world: World,
    feed: Feed,
    found: Sequence[NewArticle],
    *,
    first: bool,
    filled: Sequence[NewArticle] = (),
) -> Taken:
    """Store what is new among `found`, bring the rest up to date, in the caller's transaction.

    `feed` is as it was before this poll. `filled` was read on older pages or asked of the site; it
    adds what is missing and edits nothing. With `first` (nothing of the feed was kept yet) only
    what lies within the world's first window may be told.
    """
    now = world.clock()
    await lock_articles(connection)
    every = [*found, *filled]
    leads = await signs.lead(connection, {sign for each in every for sign in signs_of(each)})
    known = await held.look(connection, set(leads.values()), now=now)
    answers = recognise(every, _known(leads, known), feed_id=feed.id, first=first)
    groups = _group(every, answers, own=len(found))
    old = [(each, known[each.id]) for each in groups if each.id is not None]
    await _refresh(connection, feed, old, leads, now=now)
    window = world.first_window if first else None
    return await _add(
        connection,
        feed,
        [each for each in groups if each.id is None],
        now=now,
        since=now - window if window is not None else None,
        first=first,
    )


def _known(leads: Mapping[str, int], known: Mapping[int, Held]) -> dict[str, Known]:
    as_known = {
        each.id: Known(id=each.id, article=each.article, feeds=each.feeds)
        for each in known.values()
    }
    return {sign: as_known[article] for sign, article in leads.items()}


def _group(found: Sequence[NewArticle], answers: Sequence[Recognised], *, own: int) -> list[_Group]:
    places: dict[int, list[int]] = {}
    for place, answer in enumerate(answers):
        places.setdefault(answer.first, []).append(place)
    return [
        _Group(
            id=answers[first].id,
            article=found[same[0]],
            signs=frozenset(sign for place in same for sign in signs_of(found[place])),
            filled=same[0] >= own,
        )
        for first, same in places.items()
    ]


async def _add(
    connection: Connection,
    feed: Feed,
    new: Sequence[_Group],
    *,
    now: datetime,
    since: datetime | None,
    first: bool,
) -> Taken:
    fresh = {each.article.key for each in new if articles.is_fresh(each.article, since)}
    of_poll = [each.article for each in new]
    which, kept_back = (
        (None, frozenset[str]()) if first else await flood.hold(connection, feed, of_poll, now=now)
    )
    rows = [(each, each.key in fresh, which if each.key in kept_back else None) for each in of_poll]
    ids = await articles.add(connection, rows, now=now)
    pairs = [(sign, id_) for each, id_ in zip(new, ids, strict=True) for sign in each.signs]
    await signs.add(connection, pairs)
    await articles.appear(connection, ids, feed.id, now=now)
    tellable = [pair for pair in zip(of_poll, ids, strict=True) if pair[0].key in fresh]
    for article, id_ in tellable:
        if article.html:
            await texts.keep(connection, id_, article.html, origin="feed")
    return Taken(
        new=len(fresh - kept_back),
        held=len(kept_back),
        ids=tuple(id_ for _, id_ in tellable),
    )


async def _refresh(
    connection: Connection,
    feed: Feed,
    known: Sequence[tuple[_Group, Held]],
    leads: Mapping[str, int],
    *,
    now: datetime,
) -> None:
    """Bring known articles up to date: their signs, where they stand, what they say."""
    others = [(sign, was.id) for each, was in known for sign in each.signs if sign not in leads]
    await signs.add(connection, others)
    elsewhere = [was.id for _, was in known if feed.id not in was.feeds]
    await articles.appear(connection, elsewhere, feed.id, now=now)
    back = [was.id for _, was in known if was.withdrawn]
    await articles.bring_back(connection, back, now=now)
    says = {
        was.id: revise(was, each.article, feed_id=feed.id, filled=each.filled)
        for each, was in known
    }
    changed = [(each, was) for each, was in known if says[was.id] != was.article]
    edited = [(was, says[was.id]) for _, was in changed if is_edit(was, says[was.id])]
    since = now - TURNING
    left = await held.replaced(connection, [was.id for was, _ in edited], since=since)
    turning = {was.id for was, now_says in edited if left[_spoken(was, now_says)] >= TURNS}
    await held.revise(connection, [each for each in edited if each[0].id not in turning], now=now)
    edits = {was.id for was, _ in edited}
    rest = [(was, says[was.id]) for _, was in changed if was.id not in edits]
    await held.update_all(connection, rest)
    for each, was in changed:
        own_words = was.id not in turning and not was.page_text
        if each.article.html and own_words and _is_said(says[was.id], each.article):
            await texts.keep(connection, was.id, each.article.html, origin="feed")


def _spoken(was: Held, says: NewArticle) -> tuple[int, str, str, str]:
    return was.id, says.url, says.title, says.excerpt


def _is_said(says: NewArticle, said: NewArticle) -> bool:
    """True where the article speaks with the words of this entry."""
    return (says.title, says.excerpt, says.words) == (said.title, said.excerpt, said.words)
