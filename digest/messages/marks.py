"""Turns the nonce of an edition into the marks that a theme sets and that others find again.

A mark holds 128 random bits drawn after the articles were read: no feed can write one.
Two forms of a region, <!--nonce:name-->…<!--nonce:/name--> in HTML and the same without the
brackets on lines of their own in text; and slots, nonce-name, anywhere in a line or attribute.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

if TYPE_CHECKING:
    from digest.messages.beside import Other
    from digest.messages.contents import Part
    from digest.messages.stories import Story

#: what is filled in for each reader
SLOTS: Final = ("unsubscribe", "preferences", "view", "archive", "address")
#: what is filled in when a selection is laid out: it is the same for all who get that selection
LAYOUT_SLOTS: Final = (
    "subject", "preheader", "stories", "minutes", "below", "more", "more_url", "more_host",
    "number", "also", "followed", "stop",
)  # fmt: skip
#: regions that only the mail has (what is personal), and that only the web has
MAIL, WEB = "mail", "web"
#: regions that stand once in an edition or not at all, wherever the theme has them
BOXES: Final = ("headlines", "below", "more", "more_link", "also")
#: regions that are cut out and put where a plan says
PIECES: Final = ("card", "part", "headline", "other", "sponsors", "why")
REGIONS: Final = (MAIL, WEB, *BOXES, *PIECES)
#: what stands in a piece where others belong: all cards of a part, all parts, all headlines
HOLES: Final = {"card": "cards", "part": "parts", "headline": "items"}


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one edition, as a template of the text or the HTML part writes them.

    Every region without an article has a name for its beginning and one for its end: `more` and
    `more_end`.
    """

    nonce: str
    html: bool

    def __getattr__(self, name: str) -> str:
        """The mark of that name. Raises AttributeError where there is none."""
        begun = name.removesuffix("_end")
        if begun not in REGIONS:
            raise AttributeError(f"there is no marks.{name}")
        return self._mark(begun if begun == name else f"/{begun}")

    def card(self, story: Story) -> str:
        """Where a card of a story begins."""
        return self._mark(f"card:{_of('card', story, 'id')}:{_of('card', story, 'form')}")

    def headline(self, story: Story) -> str:
        """Where the headline of a story begins."""
        return self._mark(f"headline:{_of('headline', story, 'id')}")

    def other(self, other: Other) -> str:
        """Where the link to another article about the same event begins."""
        return self._mark(f"other:{_of('other', other, 'id')}")

    def part(self, part: Part) -> str:
        """Where a section begins, with its heading and its cards."""
        return self._mark(f"part:{_of('part', part, 'index')}")

    def _mark(self, name: str) -> str:
        return Markup(f"<!--{self.nonce}:{name}-->") if self.html else f"{self.nonce}:{name}"  # noqa: S704 -- a nonce of ours


def _of(name: str, thing: object, field: str) -> object:
    try:
        return getattr(thing, field)
    except AttributeError:
        said = "part" if name == "part" else "other" if name == "other" else "story"
        raise TypeError(f"marks.{name} wants all of it: write marks.{name}({said})") from None


def slots(nonce: str) -> dict[str, str]:
    """Return the slots of an edition by name, as a template writes them."""
    return {name: slot(nonce, name) for name in (*SLOTS, *LAYOUT_SLOTS)}


def slot(nonce: str, name: str) -> str:
    """Return the slot of that name."""
    return f"{nonce}-{name}." if name in LAYOUT_SLOTS else f"{nonce}-{name}"


def find_slots(nonce: str) -> re.Pattern[str]:
    """Return a pattern that finds every slot of a reader; group 1 is its name."""
    return re.compile(rf"{re.escape(nonce)}-({'|'.join(SLOTS)})")


def find_region(nonce: str, name: str, *, html: bool) -> re.Pattern[str]:
    """Return a pattern that finds every region of a name; the last group is what stands in it."""
    begin, end = f"{re.escape(nonce)}:{name}", f"{re.escape(nonce)}:/{name}"
    if html:
        return re.compile(f"<!--{begin}-->(.*?)<!--{end}-->", re.DOTALL)
    return re.compile(f"^{begin}\n(.*?)^{end}\n", re.DOTALL | re.MULTILINE)


def find_marks(nonce: str, *, html: bool) -> re.Pattern[str]:
    """Return a pattern that finds every mark; its groups are "/" or nothing, name and argument."""
    mark = rf"{re.escape(nonce)}:(/?)([a-z_]+)(?::([0-9a-z:]+))?"
    return re.compile(f"<!--{mark}-->") if html else re.compile(rf"^{mark}\n", re.MULTILINE)


def write_mark(nonce: str, name: str, *, html: bool) -> str:
    """Return a mark as it stands in a piece."""
    return f"<!--{nonce}:{name}-->" if html else f"{nonce}:{name}\n"


def card_slot(nonce: str, article_id: int, *, html: bool) -> str:
    """Return what stands in the frame where a card belongs."""
    return write_mark(nonce, f"card:{article_id}", html=html)
