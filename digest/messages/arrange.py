"""Turns a plan and what one reader gets more or less into what his mail holds, card by card.

It writes no markup. Without an extra, everybody of a selection gets the plan as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from digest import words
from digest.messages import plain
from digest.messages.contents import FOLLOWED, MEANWHILE, part_name
from digest.messages.sheet import card_name, form_in, minutes_of, read_telling
from digest.model.layout import Form

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from digest.model.layout import Extra, Followed, Place, Plan, Sheet

#: characters of a subject, of a preheader, and of a title that is surely the same title
_SUBJECT: Final = 120
_PREHEADER: Final = 140
_TELLING: Final = 24
#: in which order stories are told shorter where a mail is too large: which ones, and how
_SHORTER: Final = (
    ({Form.BRIEF}, Form.LINE),
    ({Form.LEAD, Form.FULL}, Form.BRIEF),
    ({Form.LEAD, Form.FULL, Form.BRIEF}, Form.LINE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """A card in a mail."""

    article_id: int
    form: Form
    also: tuple[int, ...] = ()
    #: because of which follows it is there
    why: tuple[Followed, ...] = ()


#: a section's piece by name, and the cards in it
_Section = tuple[str, tuple[Stand, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arranged:
    """What a mail holds."""

    subject: str
    preheader: str
    parts: tuple[_Section, ...]
    headlines: int
    minutes: int

    @property
    def cards(self) -> tuple[Stand, ...]:
        """All cards in the order in which they are read."""
        return tuple(card for _, cards in self.parts for card in cards)


def arrange(sheet: Sheet, plan: Plan, extra: Extra | None) -> Arranged:
    """Say what stands where; articles that the sheet does not hold are left out."""
    if extra is None:
        parts = [(part_name(part.title), tuple(map(_stand, part.places))) for part in plan.parts]
        return Arranged(
            subject=plan.subject,
            preheader=plan.preheader,
            parts=tuple(parts),
            headlines=plan.headlines,
            minutes=plan.minutes,
        )
    return _worded(sheet, plan, _parts(sheet, plan, extra))


def shorten(sheet: Sheet, plan: Plan, arranged: Arranged, excess: int) -> Arranged:
    """Tell stories shorter, the last ones first, until the HTML lost so many octets.

    Where that is not enough, what only this reader gets is left out, the last ones first.
    """
    cards = {card.article_id: card for card in arranged.cards}
    for forms, to in _SHORTER:
        for key in reversed(list(cards)):
            now, name = cards[key], card_name(key, to)
            if excess > 0 and now.form in forms and name in sheet.pieces:
                excess -= _octets(sheet, card_name(key, now.form)) - _octets(sheet, name)
                cards[key] = replace(now, form=to)
    own = _added_ids(arranged)
    while excess > 0 and own:
        left_out = cards.pop(own.pop())
        excess -= _octets(sheet, card_name(left_out.article_id, left_out.form))
    parts = [
        (name, tuple(cards[card.article_id] for card in stands if card.article_id in cards))
        for name, stands in arranged.parts
    ]
    return _worded(sheet, plan, _filled(sheet, parts))


def _added_ids(arranged: Arranged) -> list[int]:
    """What only this reader gets, in the order of what matters more to him."""
    parts = dict(arranged.parts)
    return [card.article_id for name in (FOLLOWED, MEANWHILE) for card in parts.get(name, ())]


def _octets(sheet: Sheet, name: str) -> int:
    return len(sheet.pieces[name].html.encode())


def _stand(place: Place) -> Stand:
    return Stand(article_id=place.article_id, form=place.form, also=place.also)


def _parts(sheet: Sheet, plan: Plan, extra: Extra) -> list[_Section]:
    """The sections of one reader: what he follows first, what he missed last."""
    had = set(extra.omit)
    why: dict[int, tuple[Followed, ...]] = {}
    for each in extra.followed:
        why[each.article_id] = (*why.get(each.article_id, ()), each)
    planned = set(plan.article_ids) - had
    followed = [key for key in why if key not in planned | had]
    missed = [key for key in dict.fromkeys(extra.meanwhile) if key not in planned | had | set(why)]
    parts = [
        (FOLLOWED, _added(sheet, followed, Form.FULL)),
        *(
            (
                part_name(part.title),
                tuple(_stand(place) for place in part.places if place.article_id not in had),
            )
            for part in plan.parts
        ),
        (MEANWHILE, _added(sheet, missed, Form.BRIEF)),
    ]
    told = {card.article_id for _, cards in parts for card in cards} | had
    mine = [
        (name, tuple(_of_this_reader(card, why.get(card.article_id, ()), told) for card in cards))
        for name, cards in parts
    ]
    return _filled(sheet, mine)


def _filled(sheet: Sheet, parts: Iterable[_Section]) -> list[_Section]:
    """The sections that say something, be it only a fixed text."""
    return [part for part in parts if part[1] or f"fixed:{part[0]}" in sheet.pieces]


def _added(sheet: Sheet, ids: Iterable[int], form: Form) -> tuple[Stand, ...]:
    found = ((key, form_in(sheet, key, form)) for key in ids)
    return tuple(Stand(article_id=key, form=form) for key, form in found if form is not None)


def _of_this_reader(card: Stand, why: tuple[Followed, ...], told: set[int]) -> Stand:
    """The card with why it is there; what he had, or has elsewhere, is not named under it."""
    if not why and not card.also:
        return card
    return replace(card, why=why, also=tuple(key for key in card.also if key not in told))


def _worded(sheet: Sheet, plan: Plan, parts: Sequence[_Section]) -> Arranged:
    """The sections with a subject, a preheader and numbers that are true for them."""
    cards = [card for _, stands in parts for card in stands]
    ids = [card.article_id for card in cards]
    before = list(plan.article_ids)
    headlines = min(plan.headlines, len(cards)) if len(cards) > 1 else 0
    if ids == before:
        subject, preheader, minutes = plan.subject, plan.preheader, plan.minutes
    else:
        titles = {key: read_telling(sheet, key).title for key in {*before, *ids}}
        subject = _subject(sheet, plan, titles, before, ids)
        preheader = _preheader(plan, titles, before, ids)
        minutes = minutes_of(sheet, ((card.article_id, card.form) for card in cards))
    return Arranged(
        subject=subject,
        preheader=preheader,
        parts=tuple(parts),
        headlines=headlines,
        minutes=minutes,
    )


def _subject(
    sheet: Sheet, plan: Plan, titles: dict[int, str], before: Sequence[int], ids: Sequence[int]
) -> str:
    """The subject with the first title and the number of others as they are now.

    A subject that says something else than the first title, as the theme's or an editor's, stays.
    """
    if not ids or not before:
        return plan.subject
    begin = plan.subject.find(titles[before[0]][:_TELLING])
    if begin < 0:
        return plan.subject
    # what was planned goes on being what the mail is called after, while it is in there
    first = next((key for key in before if key in ids), ids[0])
    counts = len(before) == 1 or _tail(sheet, len(before) - 1) in plan.subject
    tail = _tail(sheet, len(ids) - 1) if counts and len(ids) > 1 else ""
    return f"{plan.subject[:begin]}{plain.shorten(titles[first], _SUBJECT - len(tail))}{tail}"


def _tail(sheet: Sheet, more: int) -> str:
    """How a subject says that there are more stories than the first."""
    ngettext = words.translations(sheet.language).ngettext
    return " " + ngettext("(+%(count)d more)", "(+%(count)d more)", more) % {"count": more}


def _preheader(
    plan: Plan, titles: dict[int, str], before: Sequence[int], ids: Sequence[int]
) -> str:
    """The preheader without titles that are not told; the next ones take their place."""
    gone = [titles[key] for key in before if key not in ids]
    if not any(title[:_TELLING] in plan.preheader for title in gone):
        return plan.preheader
    left = [key for key in before if key in ids] or list(ids)
    following = dict.fromkeys(titles[key] for key in left[1:4])
    return plain.shorten(" · ".join(following), _PREHEADER)
