"""Turns signed links into pages with a button, and the button into the change.

GET and HEAD never change anything, because scanners open every link. A POST does, and needs nothing
but the link: mail programs send it for their readers (RFC 8058).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

from digest.editions.calendar import next_times
from digest.errors import LinkRefused
from digest.jobs import choose
from digest.model.subscriber import SubscriptionState
from digest.web.answer import field, newsletter_of, page, read_form, world_of
from digest.words import languages

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.responses import Response

    from digest.model.newsletter import Newsletter
    from digest.model.subscriber import Subscription


def add_signed(web: FastAPI) -> None:
    """Add the pages behind the links of a mail."""
    web.add_route("/confirm/{token}", show_confirm, methods=["GET"])
    web.add_route("/confirm/{token}", confirm, methods=["POST"])
    web.add_route("/unsubscribe/{token}", show_unsubscribe, methods=["GET"])
    web.add_route("/unsubscribe/{token}", unsubscribe, methods=["POST"])
    web.add_route("/preferences/{token}", show_preferences, methods=["GET"])
    web.add_route("/preferences/{token}", change_preferences, methods=["POST"])


async def show_confirm(request: Request) -> Response:
    """A button; or, for somebody who pressed it already, what it brought."""
    found = await choose.look(world_of(request), "confirm", _token(request))
    if found.state is SubscriptionState.UNSUBSCRIBED:
        raise LinkRefused("this request has ended; sign up again to get a new link")
    name = "confirmed" if found.state is SubscriptionState.ACTIVE else "confirm"
    return _page(request, name, found)


async def confirm(request: Request) -> Response:
    """The subscription begins."""
    found = await choose.confirm(world_of(request), _token(request), door="web")
    return _page(request, "confirmed", found)


async def show_unsubscribe(request: Request) -> Response:
    """A button; or, for somebody who left already, that he did."""
    found = await choose.look(world_of(request), "unsubscribe", _token(request))
    left = found.state is SubscriptionState.UNSUBSCRIBED
    return _page(request, "unsubscribed" if left else "unsubscribe", found)


async def unsubscribe(request: Request) -> Response:
    """The subscription ends, whatever stands in the body: the link alone is enough."""
    try:
        one_click = "List-Unsubscribe" in await read_form(request)
    except HTTPException:
        one_click = True
    door = "mail" if one_click else "web"
    found = await choose.leave(world_of(request), _token(request), door=door)
    return _page(request, "unsubscribed", found)


async def show_preferences(request: Request) -> Response:
    """What can be chosen, and what is."""
    found = await choose.look(world_of(request), "preferences", _token(request))
    return _page(request, "preferences", found, saved=False)


async def change_preferences(request: Request) -> Response:
    """The choice is noted; one that we do not offer leaves things as they are."""
    form, world, token = await read_form(request), world_of(request), _token(request)
    found = await choose.look(world, "preferences", token)
    newsletter = newsletter_of(request, found.newsletter)
    frequency, language = field(form, "frequency"), field(form, "language")
    if newsletter is None or newsletter.schedule(frequency or "") is None:
        frequency = None
    if language not in languages():
        language = None
    if frequency or language:
        found = await choose.change(
            world, token, frequency=frequency, language=language, door="web"
        )
    return _page(request, "preferences", found, saved=True)


def _token(request: Request) -> str:
    return str(request.path_params["token"])


def _page(request: Request, name: str, found: Subscription, **facts: Any) -> Response:
    """A page about one subscription; its newsletter may have been given up since."""
    world = world_of(request)
    newsletter = newsletter_of(request, found.newsletter)
    return page(
        request,
        name,
        newsletter=newsletter,
        subscription=found,
        title=newsletter.title if newsletter else found.newsletter,
        next_at=_next_at(request, newsletter, found.frequency),
        unsubscribe=f"/unsubscribe/{world.signer.unsubscribe_token(found.ref)}",
        preferences=f"/preferences/{world.signer.preferences_token(found.ref)}",
        **facts,
    )


def _next_at(request: Request, newsletter: Newsletter | None, frequency: str) -> object:
    """When this reader's next edition is due; None where nobody can say.

    Whoever chose a rhythm that is no longer offered reads the default one.
    """
    if newsletter is None:
        return None
    schedule = newsletter.schedule(frequency) or newsletter.default_schedule
    now = world_of(request).clock()
    times = next_times(schedule.cron, timezone=newsletter.timezone, after=now, count=1)
    return next(iter(times), None)
