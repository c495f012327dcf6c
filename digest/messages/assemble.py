"""Turns a stored edition and one reader's links into the two texts of his message.

In two steps: `join_cards` once an edition, `fill` once a reader. It renders nothing: what was
stored is what everybody gets, also two days later and on the web.
"""

from __future__ import annotations

import html
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from digest.messages import marks

if TYPE_CHECKING:
    from digest.model.edition import Edition, Written
    from digest.model.message import Links

#: literal text and slot names (or values) by turns, beginning and ending with text
Pieces = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """An edition with all its cards in place, cut at the personal slots."""

    html: Pieces
    text: Pieces


def join_cards(edition: Edition) -> Joined:
    """Put every card into the frame, keep what only the mail has, drop what only the web has."""
    find = marks.find_slots(edition.nonce)
    return Joined(
        html=tuple(find.split(_joined(edition, html=True, keep=marks.MAIL))),
        text=tuple(find.split(_joined(edition, html=False, keep=marks.MAIL))),
    )


def fill(joined: Joined, links: Links, *, address: str) -> tuple[Pieces, Pieces]:
    """Return the HTML and the text for one reader, text and values by turns, escaped in the HTML.

    Joined, the pieces are what the reader gets.
    """
    values = {
        "unsubscribe": links.unsubscribe,
        "preferences": links.preferences,
        "view": links.view,
        "archive": links.archive,
        "address": address,
    }
    escaped = {name: html.escape(value) for name, value in values.items()}
    return _filled(joined.html, escaped), _filled(joined.text, values)


def assemble(edition: Edition, links: Links, *, address: str) -> tuple[str, str]:
    """Return the HTML and the text for one reader: both steps at once."""
    html, text = fill(join_cards(edition), links, address=address)
    return "".join(html), "".join(text)


def archive_html(edition: Edition, *, public_url: str) -> str:
    """Return the edition as everybody may see it on the web: nothing of it is personal.

    What stands between the theme's `mail` marks is gone; a personal link that stands elsewhere
    leads to the newsletter's own page, an address to nobody.
    """
    home = f"{public_url.rstrip('/')}/{edition.newsletter}"
    archive = f"{public_url.rstrip('/')}/archive/{edition.newsletter}"
    values = {
        "unsubscribe": home,
        "preferences": home,
        "view": f"{archive}/{edition.id}",
        "archive": archive,
        "address": "",
    }
    page = _joined(edition, html=True, keep=marks.WEB)
    pieces = marks.find_slots(edition.nonce).split(page)
    return "".join(
        _filled(tuple(pieces), {name: html.escape(value) for name, value in values.items()})
    )


def _joined(edition: Edition, *, html: bool, keep: str) -> str:
    written, nonce = edition.written, edition.nonce
    whole = _with_cards(written, nonce, html=html)
    for name in (marks.MAIL, marks.WEB):
        region = marks.find_region(nonce, name, html=html)
        whole = region.sub(lambda m: m.group(1), whole) if name == keep else region.sub("", whole)
    return whole


def bind(written: Written, *, nonce: str) -> Written:
    """The same with all cards in their places: what a choice of topics is stored as."""
    return replace(
        written,
        html=_with_cards(written, nonce, html=True),
        text=_with_cards(written, nonce, html=False),
        cards=(),
    )


def _with_cards(written: Written, nonce: str, *, html: bool) -> str:
    whole = written.html if html else written.text
    for card in written.cards:
        slot = marks.card_slot(nonce, card.article_id, html=html)
        whole = whole.replace(slot, card.html if html else card.text, 1)
    return whole


def _filled(pieces: Pieces, values: dict[str, str]) -> Pieces:
    return tuple(values[piece] if place % 2 else piece for place, piece in enumerate(pieces))
