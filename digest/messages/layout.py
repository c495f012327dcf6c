"""Turns a sheet and a plan into a written edition, by string operations alone.

It renders nothing and asks nobody: the worker calls it for a single reader with what was stored.
"""

from __future__ import annotations

from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from digest import words
from digest.messages import lines, marks, plain
from digest.messages.arrange import arrange, shorten
from digest.messages.contents import FOLLOWED
from digest.messages.cut import tidy
from digest.messages.sheet import card_name, read_facts
from digest.messages.stories import title_as_shown
from digest.model.edition import Card, Written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from digest.messages.arrange import Arranged, Stand
    from digest.messages.sheet import Facts
    from digest.model.layout import Extra, Followed, Plan, Sheet

#: octets of the HTML part: Gmail cuts what is longer than 102,000, links and all
SIZE: Final = 90_000
#: octets of "/unsubscribe/" and a token; of an address, each sign before the @ escaped
_TOKEN: Final = 52
_ADDRESS: Final = 254 + 64 * 5
#: characters of the title of what a reader follows
_FOLLOWED: Final = 120
#: between links to other articles; in a text each has a line
_BETWEEN: Final = " · "
_NOWHERE: Final[Mapping[str, str]] = MappingProxyType({})


def size_of(written: Written) -> int:
    """Return how many octets the HTML part has with all cards, personal values left out."""
    return sum(len(part.encode()) for part in (written.html, *(c.html for c in written.cards)))


def size(sheet: Sheet, plan: Plan) -> int:
    """Return how many octets the HTML of a selection has, personal values left out."""
    return _octets(_html(sheet, plan))


def largest(sheet: Sheet, plan: Plan) -> int:
    """Return how many octets the HTML of a selection has for whoever has the longest values."""
    html = _html(sheet, plan)
    return _octets(html) + _room(html, read_facts(sheet))


def _html(sheet: Sheet, plan: Plan) -> list[str]:
    arranged, nonce = arrange(sheet, plan, None), read_facts(sheet).nonce
    return _write(sheet, plan, arranged, nonce, html=True, stop_urls=_NOWHERE)


def lay_out(
    sheet: Sheet,
    plan: Plan,
    *,
    nonce: str,
    extra: Extra | None = None,
    stop_urls: Mapping[str, str] = _NOWHERE,
) -> Written:
    """Write a selection, or with an `extra` what one reader gets of it.

    The frame has a slot for each card, and the cards stand apart. `stop_urls` has for the
    reference of each follow the address that stops it. Articles that the sheet does not hold are
    left out; where an extra makes the mail too large, its last stories are told shorter, and what
    of the extra finds no room even so is left out: the cards are what is told.
    """
    arranged = arrange(sheet, plan, extra)
    html = _write(sheet, plan, arranged, nonce, html=True, stop_urls=stop_urls)
    if extra is not None and (excess := _excess(html, sheet)) > 0:
        arranged = shorten(sheet, plan, arranged, excess)
        html = _write(sheet, plan, arranged, nonce, html=True, stop_urls=stop_urls)
    text = _write(sheet, plan, arranged, nonce, html=False, stop_urls=stop_urls)
    cards = zip(arranged.cards, html[1:], text[1:], strict=True)
    return Written(
        subject=arranged.subject,
        preheader=arranged.preheader,
        html=html[0],
        text=tidy(text[0]),
        cards=tuple(Card(article_id=c.article_id, html=page, text=said) for c, page, said in cards),
        minutes=arranged.minutes,
    )


def _write(
    sheet: Sheet,
    plan: Plan,
    arranged: Arranged,
    nonce: str,
    *,
    html: bool,
    stop_urls: Mapping[str, str],
) -> list[str]:
    """The frame, and all cards."""
    part = _Layout(sheet, plan, arranged, nonce=nonce, html=html, stop_urls=stop_urls)
    return [part.frame(), *part.cards()]


def _octets(parts: list[str]) -> int:
    return sum(len(part.encode()) for part in parts)


def _excess(parts: list[str], sheet: Sheet) -> int:
    return _octets(parts) + _room(parts, read_facts(sheet)) - SIZE


def _room(parts: list[str], facts: Facts) -> int:
    """How many octets the personal values have at most more than the slots they come into."""
    begin = len(facts.public_url)
    longest = {
        "unsubscribe": begin + _TOKEN,
        "preferences": begin + _TOKEN,
        "archive": begin + facts.view,
        "view": begin + facts.view,
        "address": _ADDRESS,
    }
    slots = {marks.slot(facts.nonce, name): most for name, most in longest.items()}
    more = {slot: max(0, most - len(slot)) for slot, most in slots.items()}
    return sum(part.count(slot) * octets for part in parts for slot, octets in more.items())


class _Layout:
    """One of the two parts of a mail in the making."""

    def __init__(
        self,
        sheet: Sheet,
        plan: Plan,
        arranged: Arranged,
        *,
        nonce: str,
        html: bool,
        stop_urls: Mapping[str, str],
    ) -> None:
        self.sheet, self.plan, self.arranged = sheet, plan, arranged
        self.nonce, self.html, self.stop_urls = nonce, html, stop_urls
        self.slots = {name: marks.slot(nonce, name) for name in marks.LAYOUT_SLOTS}
        self.ngettext = words.translations(sheet.language).ngettext

    def frame(self) -> str:
        """The frame with its sections and headlines, and a slot for each card."""
        frame = self._piece("frame").replace(self._mark("parts"), self._parts(), 1)
        arranged, plan = self.arranged, self.plan
        count = len(arranged.cards)
        below = count - arranged.headlines
        frame = self._box(frame, "headlines", arranged.headlines > 0)
        frame = self._box(frame, "below", arranged.headlines > 0 and below > 0)
        frame = self._box(frame, "more", plan.more > 0)
        frame = self._box(frame, "more_link", plan.more > 0 and plan.more_url is not None)
        frame = frame.replace(self._mark("items"), self._headlines())
        return self._filled(
            frame,
            subject=arranged.subject,
            preheader=arranged.preheader,
            stories=self.ngettext("%(count)s story", "%(count)s stories", count) % {"count": count},
            minutes=self.ngettext("%(minutes)s minute", "%(minutes)s minutes", arranged.minutes)
            % {"minutes": arranged.minutes},
            below=self.ngettext("and %(count)s more below", "and %(count)s more below", below)
            % {"count": below},
            more=self._more(),
            more_url=plan.more_url or "",
            more_host=plan.more_host,
        )

    def cards(self) -> list[str]:
        """All cards, each behind the lines that say why this reader gets it."""
        return [self._card(card, n) for n, card in enumerate(self.arranged.cards, start=1)]

    def _card(self, card: Stand, number: int) -> str:
        told = self._piece(card_name(card.article_id, card.form))
        if self.nonce in told:
            told = self._also(told, card.also).replace(self.slots["number"], str(number))
        return "".join([*map(self._why, card.why), told]) if card.why else told

    def _also(self, told: str, ids: tuple[int, ...]) -> str:
        found = [self._piece(f"also:{key}") for key in ids]
        also = [each for each in found if each]
        told = self._box(told, "also", bool(also))
        between = _BETWEEN if self.html else ""
        return told.replace(self.slots["also"], between.join(also).rstrip("\n")) if also else told

    def _why(self, followed: Followed) -> str:
        # the title was read long before, and is no mark of ours even if somebody guessed one
        title = title_as_shown(followed.title).replace(self.nonce, "")
        values = {
            "followed": plain.shorten(title, _FOLLOWED),
            "stop": self.stop_urls.get(followed.ref, ""),
        }
        why = self._piece("why")
        if self.html:
            return self._filled(why, **values)
        said = (
            lines.wrap(self._filled(line, **values)) if self.slots["followed"] in line else line
            for line in why.split("\n")
        )
        return self._filled("\n".join(said), **values)

    def _headlines(self) -> str:
        shown = self.arranged.cards[: self.arranged.headlines]
        width = 1 if self.html else 2
        return "".join(
            self._filled(self._piece(f"headline:{card.article_id}"), number=f"{number:{width}}")
            for number, card in enumerate(shown, start=1)
        )

    def _parts(self) -> str:
        parts = [self._part(name, cards) for name, cards in self.arranged.parts]
        # behind the first section: what one reader follows is no place for it
        mine = any(name == FOLLOWED for name, _ in self.arranged.parts[:1])
        parts.insert(2 if mine else 1, self._piece("sponsors"))
        return "".join(parts)

    def _part(self, name: str, cards: tuple[Stand, ...]) -> str:
        slots = [marks.card_slot(self.nonce, card.article_id, html=self.html) for card in cards]
        between = "\n" if self.html else ""
        return self._piece(name).replace(self._mark("cards"), between.join(slots), 1)

    def _more(self) -> str:
        more = self.plan.more
        if self.plan.more_url is not None:
            said = self.ngettext("There is %(count)s more at", "There are %(count)s more at", more)
        else:
            said = self.ngettext(
                "%(count)s more story found no room here.",
                "%(count)s more stories found no room here.",
                more,
            )
        return said % {"count": more}

    def _piece(self, name: str) -> str:
        piece = self.sheet.pieces.get(name)
        return "" if piece is None else piece.html if self.html else piece.text

    def _mark(self, name: str) -> str:
        return marks.write_mark(self.nonce, name, html=self.html)

    def _box(self, text: str, name: str, keep: bool) -> str:  # noqa: FBT001 -- there or not
        """The text with what stands in a region, or without."""
        begin, end = self._mark(name), self._mark(f"/{name}")
        while begin in text:
            before, _, rest = text.partition(begin)
            inner, _, after = rest.partition(end)
            text = f"{before}{inner if keep else ''}{after}"
        return text

    def _filled(self, text: str, **values: str) -> str:
        """The text with values in its slots."""
        for name, value in values.items():
            slot = self.slots[name]
            if slot in text:
                text = text.replace(slot, escape(value) if self.html else value)
        return text
