"""Turns articles, and what was told before, into events: threads, and what in them is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.editions.likeness import learn, text_of
from digest.editions.threads import NEW_ENOUGH, group, news_in
from digest.editions.weigh import Event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digest.model.article import Article


def events_of(
    found: Sequence[Article], *, told: Sequence[Article] = (), background: Sequence[Article] = ()
) -> list[Event]:
    """The events that two or more of these articles are about, or that were told before.

    `background` teaches which words are rare, beside these articles themselves. Each section is
    looked at by itself: a vacancy and a story about its firm are no event.
    """
    every = {each.id: each for each in (*background, *told, *found)}
    rarity = learn(text_of(each) for each in every.values())
    events: list[Event] = []
    for section in dict.fromkeys(each.section for each in found):
        mine = [each for each in found if each.section == section]
        known = {each.id: each for each in told if each.section == section}
        by_id = {each.id: each for each in mine}
        for thread in group(mine, known=list(known.values()), rarity=rarity):
            before = tuple(
                sorted((known[each] for each in thread.known), key=lambda a: a.published_at)
            )
            if len(thread.ids) + len(before) > 1:
                new = frozenset(
                    each
                    for each in thread.ids
                    if before and news_in(by_id[each], before, rarity=rarity) >= NEW_ENOUGH
                )
                events.append(Event(ids=thread.ids, told=before, goes_on=new))
    return events
