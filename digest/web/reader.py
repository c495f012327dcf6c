"""Turns a reader whose link was checked into the pages that he sees behind it; changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from digest.jobs import prefer
from digest.jobs.decide import WEEKS, Refusal, read_pause
from digest.model.subscriber import SubscriptionState
from digest.web.answer import language_of, page, world_of
from digest.web.sections import ZONES, section, sections, zone_of
from digest.words import translations

if TYPE_CHECKING:
    from datetime import datetime

    from fastapi import Request
    from starlette.responses import Response

    from digest.jobs.prefer import Reader
    from digest.model.newsletter import Newsletter
    from digest.model.subscriber import Subscription


def reader_page(request: Request, reader: Reader, name: str, **facts: Any) -> Response:
    """A page about the subscription of the link; its newsletter may have been given up since."""
    world = world_of(request)
    return page(
        request,
        name,
        newsletter=prefer.offer(world, reader.named),
        subscription=reader.named,
        here=section(world, reader, reader.named),
        **facts,
    )


def settings_page(
    request: Request,
    reader: Reader,
    *,
    told: str | None = None,
    refused: Refusal | None = None,
    status: int = 200,
) -> Response:
    """All that a reader can choose, and what came of his last choice."""
    return reader_page(
        request,
        reader,
        "preferences",
        status=status,
        told=told,
        refused=refused,
        sections=sections(world_of(request), reader),
        zones=ZONES,
        weeks=WEEKS,
        words_of_move=words_of_move(language_of(request, _newsletter(request, reader.named))),
        words_of_return={
            each.id: words_of_return(request, each)
            for each in reader.all
            if each.id in reader.returning
        },
    )


def words_of_return(request: Request, found: Subscription) -> str:
    """What somebody asks for who comes back: shown to him, and kept in his record."""
    newsletter = _newsletter(request, found)
    return translations(language_of(request, newsletter)).gettext(
        "With this button you ask for “%(title)s” again, by email to the same address as before."
        " You can leave at any time, with one click in every mail."
    ) % {"title": newsletter.title if newsletter else found.newsletter}


def words_of_move(language: str) -> str:
    """What somebody asks for who changes his address: shown to him, and kept in his record."""
    return translations(language).gettext(
        "We send a mail with a link to the new address. When you confirm there, everything that"
        " comes to you here comes there instead; until then everything stays as it is."
    )


def pause_end(
    request: Request, found: Subscription, weeks: str | None, until: str | None
) -> datetime | Refusal:
    """The end of a pause that a reader asks for, or that it cannot be."""
    zone = zone_of(found, _newsletter(request, found))
    return read_pause(weeks, until, timezone=zone, now=world_of(request).clock())


def title_of_topic(newsletter: Newsletter | None, name: str) -> str:
    """What a topic is called; empty for what no topic is about."""
    topics = newsletter.topics if newsletter else ()
    return next((each.title for each in topics if each.name == name), "")


def is_active(found: Subscription) -> bool:
    """True for somebody who gets the newsletter, or gets it again after a pause."""
    return found.state is SubscriptionState.ACTIVE


def token_of(request: Request) -> str:
    """The token in the address."""
    return str(request.path_params["token"])


def _newsletter(request: Request, found: Subscription) -> Newsletter | None:
    return prefer.offer(world_of(request), found)
