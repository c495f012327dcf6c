"""Turns the nonce of an edition into the marks that a theme sets and that `assemble` finds again.

A mark holds 128 random bits drawn after the articles were read: no feed can write one.
Two forms of a region, <!--nonce:name-->…<!--nonce:/name--> in HTML and the same without the
brackets on lines of their own in text; and slots, nonce-name, anywhere in a line or attribute.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

#: what is filled in for each reader
SLOTS: Final = ("unsubscribe", "preferences", "view", "archive", "address")
#: regions that only the mail has (what is personal), and that only the web has
MAIL, WEB = "mail", "web"


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one edition, as a template of the text or the HTML part writes them."""

    nonce: str
    html: bool

    def _mark(self, name: str) -> str:
        return Markup(f"<!--{self.nonce}:{name}-->") if self.html else f"{self.nonce}:{name}"  # noqa: S704 -- a nonce of ours

    def card(self, article_id: int) -> str:
        """Where the card of an article begins."""
        return self._mark(f"card:{article_id}")

    @property
    def card_end(self) -> str:
        """Where a card ends."""
        return self._mark("/card")

    @property
    def mail(self) -> str:
        """Where something begins that only the mail has."""
        return self._mark(MAIL)

    @property
    def mail_end(self) -> str:
        """Where that ends."""
        return self._mark(f"/{MAIL}")

    @property
    def web(self) -> str:
        """Where something begins that only the archive has."""
        return self._mark(WEB)

    @property
    def web_end(self) -> str:
        """Where that ends."""
        return self._mark(f"/{WEB}")


def slots(nonce: str) -> dict[str, str]:
    """Return the slots of an edition by name, as a template writes them."""
    return {name: f"{nonce}-{name}" for name in SLOTS}


def find_slots(nonce: str) -> re.Pattern[str]:
    """Return a pattern that finds every slot; group 1 is its name."""
    return re.compile(rf"{re.escape(nonce)}-({'|'.join(SLOTS)})")


def find_region(nonce: str, name: str, *, html: bool) -> re.Pattern[str]:
    """Return a pattern that finds every region of a name; the last group is what stands in it.

    For cards (`card:([0-9]+)`) the first group is the article's id.
    """
    begin, end = f"{re.escape(nonce)}:{name}", f"{re.escape(nonce)}:/{name.partition(':')[0]}"
    if html:
        return re.compile(f"<!--{begin}-->(.*?)<!--{end}-->", re.DOTALL)
    return re.compile(f"^{begin}\n(.*?)^{end}\n", re.DOTALL | re.MULTILINE)


def card_slot(nonce: str, article_id: int, *, html: bool) -> str:
    """Return what stands in the frame where a card belongs."""
    return f"<!--{nonce}:card:{article_id}-->" if html else f"{nonce}:card:{article_id}\n"


CARD: Final = "card:([0-9]+)"
