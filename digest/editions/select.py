"""Turns many articles into the sections of one edition, and says why the rest stayed out.

It never rewrites an article and never decides what is said about it.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from digest.model.edition import LeftOut, Section

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from digest.model.article import Article

#: what a named section may hold before the main one is full
_SIDE: Final = 5


def select(
    articles: Sequence[Article], *, limit: int, section_order: Sequence[str | None]
) -> tuple[tuple[Section, ...], tuple[LeftOut, ...]]:
    """The sections of an edition and what was left out ("limit" or "duplicate"), newest first.

    The main section (None) leads, the others follow in `section_order`, unknown ones last by name.
    `limit` counts the articles of all sections; named sections first get up to five each and
    together about half, the main one fills the rest, and what it leaves is theirs again.
    """
    kept, doubles = _once(sorted(articles, key=_newest_first), section_order)
    order = _places([None, *section_order])
    kept.sort(key=_newest_first)
    kept.sort(key=lambda each: (order.get(each.section, len(order)), each.section or ""))
    groups = [(title, list(group)) for title, group in groupby(kept, key=lambda a: a.section)]
    quotas = _quotas([(title is None, len(group)) for title, group in groups], limit)
    sections: list[Section] = []
    left_out = [LeftOut(article=article, reason="duplicate") for article in doubles]
    for (title, group), quota in zip(groups, quotas, strict=True):
        if quota:
            sections.append(Section(title=title, articles=tuple(group[:quota])))
        left_out += [LeftOut(article=article, reason="limit") for article in group[quota:]]
    return tuple(sections), tuple(left_out)


def _places(names: Sequence[str | None]) -> dict[str | None, int]:
    return {name: place for place, name in enumerate(dict.fromkeys(names))}


def _newest_first(article: Article) -> tuple[float, int]:
    # of one moment, as undated articles of one poll are, in the order in which the feed has them
    return -article.published_at.timestamp(), article.id


def _once(
    articles: Iterable[Article], section_order: Sequence[str | None]
) -> tuple[list[Article], list[Article]]:
    """Each article once, in the section whose feed is named first; and its doubles.

    The same key is the same article, and so is the same link under the same title. The link alone
    says too little (feeds that link everything to their front page), the title alone too (two
    vacancies for the same work). The very same article given twice is no double of itself.
    """
    places = _places(section_order)
    kept: dict[int, Article] = {}
    doubles: dict[int, Article] = {}
    seen: set[tuple[str, ...]] = set()
    for article in sorted(articles, key=lambda each: places.get(each.section, len(places))):
        marks: set[tuple[str, ...]] = {(article.key,)}
        if article.link_key is not None:
            marks.add((article.link_key, _squeezed(article.title)))
        (doubles if marks & seen else kept)[article.id] = article
        seen |= marks
    return list(kept.values()), [each for each in doubles.values() if each.id not in kept]


def _squeezed(title: str) -> str:
    return " ".join(title.casefold().split())


def _quotas(sections: Sequence[tuple[bool, int]], limit: int) -> list[int]:
    """How many articles each section may show; `sections` are (is it the main one, its size)."""
    sides = sum(not main for main, _ in sections)
    side = min(_SIDE, max(1, limit // (2 * sides))) if sides else 0
    everything = max((size for _, size in sections), default=0)
    quotas = [0] * len(sections)
    left = max(0, limit)
    # each wave raises what a main and what a named section may hold
    for main_cap, side_cap in ((1, 1), (1, side), (everything, side), (everything, everything)):
        for index, (main, size) in enumerate(sections):
            more = min(left, max(0, min(size, main_cap if main else side_cap) - quotas[index]))
            quotas[index] += more
            left -= more
    return quotas
