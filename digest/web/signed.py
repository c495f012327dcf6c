"""Turns the link of a confirm mail into a page with a button, and the button into a subscription.

GET and HEAD never change anything, because scanners open every link. A POST does, and needs nothing
but the link.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from digest.jobs import choose
from digest.model.follow import FOLLOWS_ONLY
from digest.model.newsletter import OTHER
from digest.subscribers.crowd import shorten
from digest.web.answer import language_of, newsletter_of, page, world_of
from digest.web.sections import next_edition
from digest.web.visitor import address_of
from digest.words import say_rhythm, translations

if TYPE_CHECKING:
    from datetime import datetime

    from fastapi import FastAPI, Request
    from starlette.responses import Response

    from digest.model.newsletter import Newsletter
    from digest.model.subscriber import Subscription

_NOT_FOUND: Final = 404


def add_signed(web: FastAPI) -> None:
    """Add the page behind the link of a confirm mail."""
    web.add_route("/confirm/{token}", show_confirm, methods=["GET"])
    web.add_route("/confirm/{token}", confirm, methods=["POST"])


async def show_confirm(request: Request) -> Response:
    """A button; or, for somebody who pressed it already, what it brought."""
    found = await choose.look(world_of(request), "confirm", _token(request))
    name = "confirmed" if found.reads_editions else "confirm"
    return _page(request, name, found)


async def confirm(request: Request) -> Response:
    """The subscription begins; again, nothing more happens."""
    world = world_of(request)
    found = await choose.look(world, "confirm", _token(request))
    if choose.has_ended(found, now=world.clock()):
        return _page(request, "confirm", found)
    newsletter = newsletter_of(request, found.newsletter)
    language, address = language_of(request, newsletter), address_of(request, proxies=world.proxies)
    found = await choose.confirm(
        world,
        _token(request),
        door="web",
        detail=question(found, newsletter, language),
        shown_in=language,
        network=shorten(address) if address else None,
    )
    return _page(request, "confirmed", found)


def question(found: Subscription, newsletter: Newsletter | None, language: str) -> str:
    """What somebody says yes to, word for word: shown above the button and kept in the record."""
    gettext = translations(language).gettext
    asked = gettext("Do you want to get “%(title)s” (%(rhythm)s) at %(address)s?") % {
        "title": newsletter.title if newsletter else found.newsletter,
        "rhythm": say_rhythm(_rhythm(found, newsletter), language),
        "address": found.subscriber.address,
    }
    titles = {each.name: each.title for each in newsletter.topics} if newsletter else {}
    titles[OTHER] = gettext("Everything else")
    chosen = [titles[name] for name in found.topics if name in titles]
    if chosen:
        asked += " " + gettext("Topics: %(topics)s.") % {"topics": ", ".join(chosen)}
    if found.replaces is not None:
        asked += " " + gettext(
            "Everything else that came to your old address comes here too, and nothing to the old"
            " one any more."
        )
    return asked


def _rhythm(found: Subscription, newsletter: Newsletter | None) -> str:
    """Who only followed stories gets the newsletter in its first rhythm."""
    if found.frequency == FOLLOWS_ONLY and newsletter is not None:
        return newsletter.default_schedule.name
    return found.frequency


def _token(request: Request) -> str:
    return str(request.path_params["token"])


def _page(request: Request, name: str, found: Subscription) -> Response:
    """A page about one subscription; its newsletter may have been given up since."""
    world = world_of(request)
    newsletter = newsletter_of(request, found.newsletter)
    ended = choose.has_ended(found, now=world.clock())
    return page(
        request,
        name,
        status=_NOT_FOUND if ended else 200,
        newsletter=newsletter,
        subscription=found,
        title=newsletter.title if newsletter else found.newsletter,
        question=question(found, newsletter, language_of(request, newsletter)),
        ended=ended,
        next_at=_next_at(newsletter, found, world.clock()),
        preferences=f"/preferences/{world.signer.preferences_token(found.ref)}",
    )


def _next_at(newsletter: Newsletter | None, found: Subscription, now: datetime) -> datetime | None:
    """When this reader's next edition is due; None where nobody can say.

    Whoever chose a rhythm that is no longer offered reads the default one.
    """
    if newsletter is None:
        return None
    schedule = newsletter.schedule(found.frequency) or newsletter.default_schedule
    return next_edition(newsletter, schedule, found, now=now)
