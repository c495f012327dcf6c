"""Turns what a feed brought and what we hold into answers: this entry is that article, or new.

A story is told twice where we fail to see that we know it, and never where we take it for another
one. So a sign leads to an article, and something else must agree unless the sign is its very key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from digest.articles.identify import TEXT, letters
from digest.model.article import NewArticle

#: a page that shows something else each day keeps its title; an article keeps its day
_DAY = timedelta(hours=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An article that some sign leads to, and the feeds in which it stands."""

    id: int
    article: NewArticle
    feeds: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """Which article an entry is."""

    #: None for a new one
    id: int | None
    #: the place in what was found of the first entry that is the same article
    first: int


@dataclass(frozen=True, slots=True)
class _Claim:
    """An article that entries of this poll are."""

    key: str
    first: int
    signs: set[str]


@dataclass(slots=True)
class _Search:
    """One poll, as far as it is read."""

    found: Sequence[NewArticle]
    #: where a sign leads; what is new here has an id below zero until it is stored
    leads: dict[str, Known]
    feed_id: int
    #: the site stands elsewhere now: its articles are known by their texts alone
    moved: bool
    claims: dict[int, _Claim] = field(default_factory=dict)
    answers: dict[int, Recognised] = field(default_factory=dict)


def recognise(
    found: Sequence[NewArticle], leads: Mapping[str, Known], *, feed_id: int, first: bool
) -> tuple[Recognised, ...]:
    """Say of each entry which article it is, in the same order.

    `leads` gives the article that a sign leads to. `found` may come from several documents of one
    feed, the feed itself before its older pages. Two entries of one document are never one article
    unless they share the key.
    """
    search = _Search(
        found=found, leads=dict(leads), feed_id=feed_id, moved=first and _is_moved(found, leads)
    )
    for strength in range(len(_RULES)):
        for place in range(len(found)):
            if place not in search.answers:
                _look(search, place, strength)
    for place, article in enumerate(found):
        for strength in range(len(_RULES)):
            if place not in search.answers:
                _look(search, place, strength)
        if place not in search.answers:
            _add(search, place, article)
    return tuple(search.answers[place] for place in range(len(found)))


def signs_of(article: NewArticle) -> tuple[str, ...]:
    """Everything that an entry is known by, its key first."""
    link = (article.link_key,) if article.link_key else ()
    return tuple(dict.fromkeys((article.key, *link, *article.signs)))


def _is_moved(found: Sequence[NewArticle], leads: Mapping[str, Known]) -> bool:
    """True where at least half of the dated entries stood elsewhere, word and second the same."""
    texts = [text for each in found for text in each.signs if text.startswith(TEXT)]
    return 2 * sum(text in leads for text in texts) >= len(texts) > 0


def _look(search: _Search, place: int, strength: int) -> None:
    """See whether some sign of an entry leads to its article by the rule of this strength."""
    article = search.found[place]
    for sign in signs_of(article):
        known = search.leads.get(sign)
        if known and _RULES[strength](search, sign, article, known):
            claim = search.claims.get(known.id)
            # a sign that both have stood in two documents, for in one it would say nothing
            if claim is None or claim.key == article.key or sign in claim.signs:
                _claim(search, place, known)
                return


def _add(search: _Search, place: int, article: NewArticle) -> None:
    new = Known(id=-1 - place, article=article, feeds=frozenset({search.feed_id}))
    for sign in signs_of(article):
        search.leads.setdefault(sign, new)
    search.leads[article.key] = new
    _claim(search, place, new)


def _claim(search: _Search, place: int, known: Known) -> None:
    article = search.found[place]
    claim = search.claims.setdefault(known.id, _Claim(article.key, place, set()))
    claim.signs.update(signs_of(article))
    search.answers[place] = Recognised(id=known.id if known.id >= 0 else None, first=claim.first)


# --------------------------------------------------------------- the rules


def _by_key(search: _Search, sign: str, article: NewArticle, known: Known) -> bool:  # noqa: ARG001 -- every rule is asked alike
    """It has the article's very key."""
    return article.key == known.article.key


def _by_guid(search: _Search, sign: str, article: NewArticle, known: Known) -> bool:  # noqa: ARG001
    """It is keyed by a sign of the article: a guid that it once had, a link where it has no guid.

    Or the other way round, where it is the article that came without a guid.
    """
    return sign in (article.key, known.article.key)


def _by_page(search: _Search, sign: str, article: NewArticle, known: Known) -> bool:  # noqa: ARG001
    """It leads to the same page under another guid, and the title or the date says the same.

    Guids change with a site's software. Where nothing agrees, the page is one on which something
    else stands each day.
    """
    return not sign.startswith(TEXT) and _agree(article, known.article)


def _by_text(search: _Search, sign: str, article: NewArticle, known: Known) -> bool:
    """It has the same title and the same date to the second, at the same site or in this feed.

    Guid and address may both be new, for a site may move. News agencies' texts stand at many sites.
    """
    return sign.startswith(TEXT) and (
        search.moved
        or search.feed_id in known.feeds
        or _site(article.url) == _site(known.article.url) != ""
    )


_RULES = (_by_key, _by_guid, _by_page, _by_text)


def _agree(one: NewArticle, two: NewArticle) -> bool:
    if one.published_at and two.published_at:
        apart = abs(one.published_at - two.published_at)
        return not apart or (apart < _DAY and _same_title(one, two))
    return _same_title(one, two)


def _same_title(one: NewArticle, two: NewArticle) -> bool:
    return letters(one.title) == letters(two.title) != ""


def _site(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")
