"""Turns many articles into the sections of one edition, and says why the rest stayed out.

It never rewrites an article and never decides what is said about it.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from digest.editions.weigh import Ranks
from digest.model.edition import LeftOut, Section

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from digest.model.article import Article
    from digest.model.policy import SectionRule

#: what a named section may hold before the main one is full
_SIDE: Final = 5
#: before there are ranks: nothing is known of any article but its age
_NONE: Final = Ranks()


def select(
    articles: Sequence[Article],
    *,
    limit: int,
    section_order: Sequence[str | None],
    ranks: Ranks = _NONE,
    rules: Sequence[SectionRule] = (),
) -> tuple[tuple[Section, ...], tuple[LeftOut, ...]]:
    """The sections of an edition and what was left out, the highest ranks first.

    Left out for "limit", "section limit", "duplicate", or "thread", where another article about
    the same event stands in the section. The main section (None) leads, then those with `rules` in
    their order, the others in `section_order`, unknown ones last by name. `limit` counts the
    articles of all sections; named sections first get up to five each and together about half, the
    main one fills the rest, and what it leaves is theirs again.
    """
    order = _places([None, *(each.title for each in rules), *section_order])
    kept, left_out = _once(sorted(articles, key=ranks.order), section_order)
    kept.sort(key=ranks.order)
    kept.sort(key=lambda each: (order.get(each.section, len(order)), each.section or ""))
    ruled = {each.title: each for each in rules}
    groups: list[tuple[str | None, list[Article]]] = []
    for title, mine in groupby(kept, key=lambda each: each.section):
        told, others = _one_an_event(list(mine), ranks)
        rule = ruled.get(title) if title is not None else None
        if rule is not None and rule.order == "newest":
            told.sort(key=lambda each: (-each.published_at.timestamp(), each.id))
        most = len(told) if rule is None or rule.limit is None else rule.limit
        groups.append((title, told[:most]))
        left_out += others
        left_out += [LeftOut(article=each, reason="section limit") for each in told[most:]]
    quotas = _quotas([(title is None, len(group)) for title, group in groups], limit)
    sections: list[Section] = []
    for (title, group), quota in zip(groups, quotas, strict=True):
        if quota:
            sections.append(Section(title=title, articles=tuple(group[:quota])))
        left_out += [LeftOut(article=article, reason="limit") for article in group[quota:]]
    return tuple(sections), tuple(left_out)


def _one_an_event(group: Sequence[Article], ranks: Ranks) -> tuple[list[Article], list[LeftOut]]:
    """Of articles about one event only the first; the others are named under it."""
    told: dict[int, Article] = {}
    others: list[LeftOut] = []
    for article in group:
        # ids of articles are positive: one of no event stands for itself
        event = ranks.events.get(article.id, -article.id)
        best = told.setdefault(event, article)
        if best is not article:
            others.append(LeftOut(article=article, reason="thread", instead=best.id))
    return list(told.values()), others


def _places(names: Sequence[str | None]) -> dict[str | None, int]:
    return {name: place for place, name in enumerate(dict.fromkeys(names))}


def _once(
    articles: Iterable[Article], section_order: Sequence[str | None]
) -> tuple[list[Article], list[LeftOut]]:
    """Each article once, in the section whose feed is named first; and its doubles.

    The same key is the same article, and so is the same link under the same title. The link alone
    says too little (feeds that link everything to their front page), the title alone too (two
    vacancies for the same work). The very same article given twice is no double of itself.
    """
    places = _places(section_order)
    kept: dict[int, Article] = {}
    doubles: dict[int, LeftOut] = {}
    seen: dict[tuple[str, ...], int] = {}
    for article in sorted(articles, key=lambda each: places.get(each.section, len(places))):
        marks: set[tuple[str, ...]] = {(article.key,)}
        if article.link_key is not None:
            marks.add((article.link_key, _squeezed(article.title)))
        same = min((seen[mark] for mark in marks if mark in seen), default=None)
        if same is None:
            kept[article.id] = article
        else:
            doubles[article.id] = LeftOut(article=article, reason="duplicate", instead=same)
        for mark in marks:
            seen.setdefault(mark, article.id)
    return list(kept.values()), [each for key, each in doubles.items() if key not in kept]


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
