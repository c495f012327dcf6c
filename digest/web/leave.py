"""Turns the link in a mail into a page with a button, and the button into the end of it.

GET and HEAD change nothing, because scanners open every link. A POST needs nothing but the link:
mail programs send it for their readers (RFC 8058 section 3.2). Both do without the database.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from digest.editions.calendar import rarer_than
from digest.errors import StoreError
from digest.jobs import leave
from digest.jobs.decide import REGRET
from digest.model.follow import FOLLOWS_ONLY
from digest.model.subscriber import SubscriptionState
from digest.store.people import is_erased
from digest.web.answer import field, message, newsletter_of, page, read_form, world_of
from digest.web.reader import words_of_return
from digest.words import N_

if TYPE_CHECKING:
    from datetime import datetime

    from fastapi import FastAPI, Request
    from starlette.datastructures import FormData
    from starlette.responses import Response

    from digest.model.newsletter import Newsletter, Schedule
    from digest.model.subscriber import Subscription

log = logging.getLogger("digest.web")

#: how long a body that does not come is waited for, seconds: the link alone is enough
_BODY: Final = 5.0

_NOT_NOTED: Final = (
    N_("We could not note that"),
    N_(
        "Neither our database nor our disk takes anything now, so you have not left yet."
        " Please press the button once more in a few minutes."
    ),
)


def add_leave(web: FastAPI) -> None:
    """Add the page behind the link that ends a subscription."""
    web.add_route("/unsubscribe/{token}", show_unsubscribe, methods=["GET"])
    web.add_route("/unsubscribe/{token}", unsubscribe, methods=["POST"])


async def show_unsubscribe(request: Request) -> Response:
    """A button; or, for somebody who left already, that he did."""
    found = await leave.look(world_of(request), _token(request))
    left = found is not None and found.state is SubscriptionState.UNSUBSCRIBED
    return _page(request, "unsubscribed" if left else "unsubscribe", found)


async def unsubscribe(request: Request) -> Response:
    """The subscription ends, whatever stands in the body: the link alone is enough."""
    form = await _read(request)
    never = form is not None and field(form, "never") == "1"
    one_click = form is None or "List-Unsubscribe" in form
    door = "mail" if one_click else "web"
    try:
        heard = await leave.hear(world_of(request), _token(request), door=door, never=never)
    except StoreError as problem:
        return _not_noted(request, problem)
    return _page(request, "unsubscribed", heard.subscription, closed=heard.closed)


async def _read(request: Request) -> FormData | None:
    """What was sent; None where nobody can tell."""
    try:
        async with asyncio.timeout(_BODY):
            return await read_form(request)
    except (HTTPException, ClientDisconnect, TimeoutError):
        return None


def _not_noted(request: Request, problem: StoreError) -> Response:
    log.error("path=/unsubscribe status=503 reason=%s", problem)
    title, text = _NOT_NOTED
    answer = message(request, title=title, text=text, status=503)
    answer.headers["Retry-After"] = "30"
    return answer


def _token(request: Request) -> str:
    return str(request.path_params["token"])


def _page(
    request: Request, name: str, found: Subscription | None, *, closed: bool = False
) -> Response:
    """A page about one subscription; None: nobody can say now which one it is."""
    if found is None:
        return page(request, name, subscription=None, closed=closed)
    newsletter = newsletter_of(request, found.newsletter)
    return page(
        request,
        name,
        newsletter=newsletter,
        subscription=found,
        title=newsletter.title if newsletter else found.newsletter,
        closed=closed,
        **_offers(request, newsletter, found),
    )


def _offers(request: Request, newsletter: Newsletter | None, found: Subscription) -> dict[str, Any]:
    """What is less than everything and more than nothing, for those to whom it can be offered."""
    world = world_of(request)
    now, requested = world.clock(), leave.was_never_confirmed(found)
    erased = is_erased(found.subscriber.address)
    known = newsletter is not None and not requested and not erased
    open_to = known and _may_return(found, now)
    return {
        "erased": erased,
        "requested": requested,
        "offered": open_to,
        "rarer": _rarer(newsletter, found, now) if newsletter and open_to else None,
        "paused": found.is_paused(now),
        "preferences": f"/preferences/{world.signer.preferences_token(found.ref)}",
        "words_of_return": words_of_return(request, found),
    }


def _may_return(found: Subscription, now: datetime) -> bool:
    left = found.unsubscribed_at
    if found.state is not SubscriptionState.UNSUBSCRIBED or left is None:
        return True
    return now - left < REGRET


def _rarer(newsletter: Newsletter, found: Subscription, now: datetime) -> Schedule | None:
    """Whoever chose a rhythm that is no longer offered reads the default one."""
    if found.frequency == FOLLOWS_ONLY:
        return None
    schedule = newsletter.schedule(found.frequency) or newsletter.default_schedule
    return rarer_than(schedule, newsletter, now=now)
