"""Turns what happened to a subscription into the notice about it.

A notice says who, what and when, and nothing else: a confirm mail with a logo or a welcome in it
is advertising to somebody who may never have asked (LG Stendal, 22 S 87/20).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from digest.messages import plain

if TYPE_CHECKING:
    from datetime import datetime

    from digest.messages.render import Renderer
    from digest.model.message import Notice
    from digest.model.newsletter import Newsletter

CONFIRM = "confirm"
MOVED = "moved"


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
