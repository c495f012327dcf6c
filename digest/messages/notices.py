"""Turns what happened to a subscription into the notice about it.

A notice says who, what and when, and nothing else: a confirm mail with a logo or a welcome in it
is advertising to somebody who may never have asked (LG Stendal, 22 S 87/20).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from digest.messages import plain

if TYPE_CHECKING:
    from datetime import datetime

    from digest.messages.render import Renderer
    from digest.model.message import Notice
    from digest.model.newsletter import Newsletter

CONFIRM = "confirm"
MOVED = "moved"
CORRECTION = "correction"

#: characters of what a feed wrote
_TITLE = 320
_TEXT = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Erratum:
    """What an edition told, and what is right: titles and texts as feeds and editors wrote them."""

    #: the edition's number, and when it was made (UTC)
    number: int
    edition_made_at: datetime
    was: str
    title: str
    was_text: str
    text: str
    #: the editors' own words on it; "" where there are none
    note: str
    url: str


def write_confirm(
    renderer: Renderer,
    newsletter: Newsletter,
    *,
    address: str,
    frequency: str,
    moves: bool = False,
    requested_at: datetime,
    confirm_url: str,
    unsubscribe_url: str,
    language: str,
    timezone: str | None = None,
) -> Notice:
    """Write the one mail that asks whether it was really this person who asked for a newsletter.

    `moves`: it is to come here instead of to another address, with all that comes there.
    `frequency` names a schedule, `requested_at` is UTC and is said in `timezone` (by default the
    newsletter's). Raises TemplateFault.
    """
    return renderer.render_notice(
        CONFIRM,
        language=language,
        newsletter=replace(newsletter, title=plain.tame(newsletter.title)),
        address=address,
        frequency=frequency,
        moves=moves,
        requested_at=requested_at,
        confirm_url=confirm_url,
        unsubscribe_url=unsubscribe_url,
        timezone=timezone or newsletter.timezone,
    )


def write_moved(
    renderer: Renderer,
    newsletter: Newsletter,
    *,
    address: str,
    moved_at: datetime,
    language: str,
    timezone: str | None = None,
) -> Notice:
    """Write the last mail to an address that was given up for another one.

    It does not say which one: whoever reads mail here now may be somebody else. `moved_at` is UTC
    and is said in `timezone` (by default the newsletter's). Raises TemplateFault.
    """
    return renderer.render_notice(
        MOVED,
        language=language,
        newsletter=replace(newsletter, title=plain.tame(newsletter.title)),
        address=address,
        moved_at=moved_at,
        contact=newsletter.reply_to or newsletter.sender.address,
        timezone=timezone or newsletter.timezone,
    )


def write_correction(
    renderer: Renderer,
    newsletter: Newsletter,
    erratum: Erratum,
    *,
    unsubscribe_url: str,
    language: str,
    timezone: str | None = None,
) -> Notice:
    """Write the correction of what an edition told, for somebody who got that edition.

    Days are said in `timezone` (by default the newsletter's). Raises TemplateFault.
    """
    was, title = (plain.shorten(plain.tame(each), _TITLE) for each in (erratum.was, erratum.title))
    before, text = (
        plain.shorten(plain.tame(each), _TEXT) for each in (erratum.was_text, erratum.text)
    )
    return renderer.render_notice(
        CORRECTION,
        language=language,
        newsletter=replace(newsletter, title=plain.tame(newsletter.title)),
        number=erratum.number,
        made_at=erratum.edition_made_at,
        was=was,
        title=title,
        was_text=before,
        text=text,
        note=plain.tame(erratum.note),
        url=plain.link_to(erratum.url),
        unsubscribe_url=unsubscribe_url,
        timezone=timezone or newsletter.timezone,
    )
