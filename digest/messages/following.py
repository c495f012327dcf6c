"""Turns a wish to follow an article into the mail that asks about it, and findings into their mail.

What feeds wrote is text here, never markup. The first says who, what and when, and nothing else:
whoever gets it may never have asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from digest.messages import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from digest.messages.render import Renderer
    from digest.model.message import Notice
    from digest.model.newsletter import Newsletter

#: the folders of templates/notices
FOLLOW: Final = "follow"
SIMILAR: Final = "similar"

#: characters of a title and of an excerpt
TITLE: Final = 200
_TEXT: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A story that somebody is told because he follows another one. As it was written."""

    title: str
    text: str
    url: str
    #: the title of what he follows
    because: str
    #: what both have in common
    words: tuple[str, ...]
    #: the page on which he ends just this
    stop_url: str


def write_follow(
    renderer: Renderer,
    newsletter: Newsletter,
    *,
    address: str,
    title: str,
    prompt: bool,
    begins: bool,
    rhythm: str | None,
    requested_at: datetime,
    confirm_url: str,
    unsubscribe_url: str,
    language: str,
    timezone: str | None = None,
) -> Notice:
    """Write the one mail that asks whether this person wants news like the story of this title.

    `prompt`: at once, else with the next edition. `begins`: he gets nothing of this newsletter yet,
    and can withdraw it all; `rhythm`: the one in which he asked for its editions, and has not
    confirmed. `requested_at` is UTC and is said in `timezone` (by default the newsletter's).
    Raises TemplateFault.
    """
    return renderer.render_notice(
        FOLLOW,
        language=language,
        newsletter=replace(newsletter, title=plain.tame(newsletter.title)),
        address=address,
        title=plain.shorten(plain.tame(title), TITLE),
        prompt=prompt,
        begins=begins,
        rhythm=rhythm,
        requested_at=requested_at,
        confirm_url=confirm_url,
        unsubscribe_url=unsubscribe_url,
        timezone=timezone or newsletter.timezone,
    )


def write_similar(
    renderer: Renderer,
    newsletter: Newsletter,
    items: Sequence[Item],
    *,
    preferences_url: str,
    unsubscribe_url: str,
    language: str,
) -> Notice:
    """Write the mail that tells what resembles what a reader follows. Raises TemplateFault."""
    return renderer.render_notice(
        SIMILAR,
        language=language,
        newsletter=replace(newsletter, title=plain.tame(newsletter.title)),
        items=[_tamed(each) for each in items],
        preferences_url=preferences_url,
        unsubscribe_url=unsubscribe_url,
    )


def _tamed(item: Item) -> dict[str, object]:
    url = plain.link_to(item.url)
    return {
        "title": plain.shorten(plain.tame(item.title), TITLE) or url or "…",
        "text": plain.shorten(plain.tame(item.text), _TEXT),
        "url": url,
        "host": plain.host_of(url) if url else "",
        "because": plain.shorten(plain.tame(item.because), TITLE),
        "words": ", ".join(plain.shorten(plain.tame(each), 60) for each in item.words),
        "stop_url": item.stop_url,
    }
