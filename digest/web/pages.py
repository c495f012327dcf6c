"""Turns a newsletter into the page where people sign up for it, and what they send into a request.

The answer to a request is the same whatever we know of the address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.editions.calendar import next_times
from digest.errors import AddressRefused
from digest.jobs import join
from digest.store import editions
from digest.web.answer import field, language_of, newsletter_of, page, read_form, world_of
from digest.words import languages, translations

if TYPE_CHECKING:
    from datetime import datetime

    from fastapi import FastAPI, Request
    from starlette.datastructures import FormData

    from digest.model.newsletter import Newsletter

_NOT_FOUND: Final = 404
_UNPROCESSABLE: Final = 422
#: what one sees of the latest edition before one signs up
_HEADLINES: Final = 6


def add_pages(web: FastAPI) -> None:
    """Add the front page, the page of each newsletter, and where their form leads."""
    web.add_route("/", index, methods=["GET"])
    web.add_route("/subscribe", subscribe, methods=["POST"])
    web.add_route("/subscribe", index, methods=["GET"])  # for whoever reloads the answer
    web.add_route("/favicon.ico", no_icon, methods=["GET"])
    web.add_route("/{newsletter}", show_newsletter, methods=["GET"])


async def index(request: Request) -> Response:
    """All newsletters; the only one's own page where there is one."""
    newsletters = world_of(request).newsletters
    if len(newsletters) == 1:
        return await _newsletter_page(request, newsletters[0])
    rhythms = {each.slug: _rhythms(request, each) for each in newsletters}
    return page(request, "index", newsletters=newsletters, rhythms=rhythms)


async def no_icon(_: Request) -> Response:
    """Browsers ask for one with every visit; there is none, and that is no fault."""
    return Response(status_code=204, headers={"Cache-Control": "max-age=86400"})


async def show_newsletter(request: Request) -> Response:
    """What one gets, how often, a sample, and the form."""
    found = newsletter_of(request, request.path_params["newsletter"])
    if found is None:
        raise HTTPException(_NOT_FOUND)
    return await _newsletter_page(request, found)


async def subscribe(request: Request) -> Response:
    """Ask for a subscription. Only an address that cannot be gets another answer than the rest."""
    form = await read_form(request)
    newsletter = _wanted(request, field(form, "newsletter"))
    wish = _read_wish(request, newsletter, form)
    if field(form, "website") is None:  # nobody sees that field: only machines fill it in
        try:
            await join.request(
                world_of(request),
                address=wish.address,
                newsletter=newsletter,
                language=wish.language,
                frequency=wish.frequency,
                door="web",
                detail=consent(newsletter, language_of(request, newsletter)),
            )
        except AddressRefused:
            return await _newsletter_page(request, newsletter, refused=wish)
    return page(request, "subscribed", newsletter=newsletter, address=wish.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wrote into the form; what we do not offer has become our default."""

    address: str
    language: str
    frequency: str


def _read_wish(request: Request, newsletter: Newsletter, form: FormData) -> Wish:
    language, frequency = field(form, "language"), field(form, "frequency")
    chosen = newsletter.schedule(frequency or "") or newsletter.default_schedule
    return Wish(
        address=field(form, "email") or "",
        language=language
        if language is not None and language in languages()
        else language_of(request, newsletter),
        frequency=chosen.name,
    )


def consent(newsletter: Newsletter, language: str) -> str:
    """What somebody agrees to, word for word: shown beside the button and kept in the record."""
    return translations(language).gettext(
        "With “Subscribe” you ask for “%(title)s” by email. We first send you one mail with a link:"
        " only if you confirm there do you get the newsletter. You can leave at any time, with one"
        " click in every mail."
    ) % {"title": newsletter.title}


def _wanted(request: Request, slug: str | None) -> Newsletter:
    newsletters = world_of(request).newsletters
    found = newsletter_of(request, slug) if slug else None
    if slug is None and len(newsletters) == 1:
        return newsletters[0]
    if found is None:
        raise HTTPException(_NOT_FOUND)
    return found


async def _newsletter_page(
    request: Request, newsletter: Newsletter, *, refused: Wish | None = None
) -> Response:
    async with world_of(request).store.read() as connection:
        latest = await editions.past(connection, newsletter=newsletter.slug, limit=1)
        told = await editions.headlines(connection, latest[0].id) if latest else []
    return page(
        request,
        "newsletter",
        status=200 if refused is None else _UNPROCESSABLE,
        newsletter=newsletter,
        rhythms=_rhythms(request, newsletter),
        latest=latest[0] if latest else None,
        headlines=told[:_HEADLINES],
        more=max(0, len(told) - _HEADLINES),
        refused=refused.address if refused else None,
        frequency=refused.frequency if refused else newsletter.default_schedule.name,
        mail_language=refused.language if refused else language_of(request, newsletter),
        consent=consent(newsletter, language_of(request, newsletter)),
    )


def _rhythms(request: Request, newsletter: Newsletter) -> list[tuple[str, datetime | None]]:
    """Each rhythm's name and when it comes next."""
    now = world_of(request).clock()
    return [
        (
            each.name,
            next(
                iter(next_times(each.cron, timezone=newsletter.timezone, after=now, count=1)), None
            ),
        )
        for each in newsletter.schedules
    ]
