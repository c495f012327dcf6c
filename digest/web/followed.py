"""Turns the links of mails about what is followed into pages with a button: confirm it, stop it.

GET and HEAD change nothing, because scanners open every link. A POST needs nothing but the link.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from digest.jobs import follow, unfollow
from digest.messages.plain import tame
from digest.model.follow import FollowMode
from digest.model.subscriber import SubscriptionState
from digest.subscribers.crowd import shorten
from digest.web.answer import language_of, page, world_of
from digest.web.visitor import address_of
from digest.words import say_rhythm, translations

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.responses import Response

    from digest.model.newsletter import Newsletter

_NOT_FOUND: Final = 404
_DOOR: Final = "web"


def add_followed(web: FastAPI) -> None:
    """Add the pages that confirm and stop a follow."""
    web.add_route("/follow/confirm/{token}", show_confirm, methods=["GET"])
    web.add_route("/follow/confirm/{token}", confirm, methods=["POST"])
    web.add_route("/follow/stop/{token}", show_stop, methods=["GET"])
    web.add_route("/follow/stop/{token}", stop, methods=["POST"])


async def show_confirm(request: Request) -> Response:
    """A button; or, for somebody who pressed it already, what it brought."""
    found = await follow.look(world_of(request), _token(request))
    return _page(request, "follow_confirmed" if found.confirmed else "follow_confirm", found)


async def confirm(request: Request) -> Response:
    """The story is followed; again, nothing more happens."""
    world = world_of(request)
    found = await follow.look(world, _token(request))
    newsletter = follow.newsletter_of(world, found)
    if newsletter is None or found.has_ended(world.clock()):
        return _page(request, "follow_confirm", found)
    language, address = language_of(request, newsletter), address_of(request, proxies=world.proxies)
    found = await follow.confirm(
        world,
        _token(request),
        door=_DOOR,
        detail=question(found, newsletter, language),
        shown_in=language,
        network=shorten(address) if address else None,
    )
    return _page(request, "follow_confirmed", found)


def question(found: follow.Wish, newsletter: Newsletter | None, language: str) -> str:
    """What somebody says yes to, word for word: shown above the button and kept in the record."""
    gettext = translations(language).gettext
    reader = found.subscription
    title = newsletter.title if newsletter else reader.newsletter
    asked = gettext("Do you want news like “%(title)s” from “%(newsletter)s” at %(address)s?") % {
        "title": tame(found.follow.title),
        "newsletter": title,
        "address": reader.subscriber.address,
    }
    if found.follow.mode is FollowMode.PROMPT:
        asked += " " + gettext("It comes at once, in a mail of its own.")
    else:
        asked += " " + gettext("It comes with the next edition, or else in a mail of its own.")
    waits = reader.state is SubscriptionState.PENDING
    if waits and newsletter is not None and newsletter.schedule(reader.frequency) is not None:
        asked += " " + gettext(
            "“%(newsletter)s” itself (%(rhythm)s), which was asked for too, begins with it."
        ) % {"newsletter": title, "rhythm": say_rhythm(reader.frequency, language)}
    return asked


# --------------------------------------------------------------- stopping


async def show_stop(request: Request) -> Response:
    """A button; or, for somebody who pressed it already, that it is so."""
    found = await unfollow.look_to_stop(world_of(request), _token(request))
    return _page(request, "follow_stop" if found.confirmed else "follow_stopped", found)


async def stop(request: Request) -> Response:
    """Nothing like that story comes any more, whatever stands in the body; all else stays."""
    found = await unfollow.stop(world_of(request), _token(request), door=_DOOR)
    return _page(request, "follow_stopped", found)


def _token(request: Request) -> str:
    return str(request.path_params["token"])


def _page(request: Request, name: str, found: follow.Wish) -> Response:
    """A page about one follow; its newsletter may have been given up since."""
    world = world_of(request)
    newsletter = follow.newsletter_of(world, found)
    ended = newsletter is None or found.has_ended(world.clock())
    reader = found.subscription
    return page(
        request,
        name,
        status=_NOT_FOUND if ended and name == "follow_confirm" else 200,
        newsletter=newsletter,
        title=tame(found.follow.title),
        address=reader.subscriber.address,
        question=question(found, newsletter, language_of(request, newsletter)),
        ended=ended,
        left=reader.state is SubscriptionState.UNSUBSCRIBED,
        stop=f"/follow/stop/{world.signer.stop_token(found.follow.ref)}",
        preferences=f"/preferences/{world.signer.preferences_token(reader.ref)}",
    )
