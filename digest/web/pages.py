"""Turns a newsletter into the page where people sign up for it, and what they send into a request.

The answer to a request is the same whatever we know of the address, and comes at the same time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.editions.calendar import next_times
from digest.errors import AddressRefused
from digest.jobs import admission, join
from digest.model.newsletter import OTHER
from digest.store.samples import sample
from digest.subscribers import work
from digest.subscribers.consent import consent, version_of
from digest.subscribers.crowd import shorten
from digest.web.answer import (
    field,
    fields,
    language_of,
    newsletter_of,
    page,
    read_form,
    world_of,
)
from digest.web.entrance import NOT_OURS, SHOWN, ask_for_work, read_address, refuse
from digest.web.visitor import Turns, address_of, end_on_the_beat
from digest.words import languages

if TYPE_CHECKING:
    from datetime import datetime

    from fastapi import FastAPI, Request
    from starlette.datastructures import FormData

    from digest.model.newsletter import Newsletter

_NOT_FOUND: Final = 404
_UNPROCESSABLE: Final = 422
#: answers to a sign-up come at multiples of so many seconds after it arrived, so that nobody can
#: measure what we knew of the address: it takes 5 to 20 milliseconds to know it
BEAT: Final = 0.25
#: what one sees of the latest edition before one signs up
_HEADLINES: Final = 4


def add_pages(web: FastAPI) -> None:
    """Add the front page, the page of each newsletter, and where their form leads."""
    web.state.beat = BEAT
    web.state.turns = Turns()
    web.state.gate = admission.Gate()
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
    async with world_of(request).store.read() as connection:
        samples = {each.slug: await sample(connection, each.slug) for each in newsletters}
    rhythms = {each.slug: _rhythms(request, each) for each in newsletters}
    return page(request, "index", newsletters=newsletters, rhythms=rhythms, samples=samples)


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
    """Ask for a subscription: one answer, at one time, whatever is known of the address."""
    form = await read_form(request)
    # only now: whoever sends his last octet late would choose where in the beat our work begins
    began = asyncio.get_running_loop().time()
    answer = await _subscribe(request, form)
    await end_on_the_beat(began, request.app.state.beat)
    return answer


async def _subscribe(request: Request, form: FormData) -> Response:
    newsletter = _wanted(request, field(form, "newsletter"))
    wish = _read_wish(request, newsletter, form)
    if not wish.typed:
        return await _newsletter_page(request, newsletter, again=wish)
    usual = page(request, "subscribed", newsletter=newsletter, address=wish.typed[:SHOWN])
    age = work.read_stamp(
        world_of(request).signer, field(form, "stamp"), now=world_of(request).clock()
    )
    # nobody sees that field, and nobody is so quick: what follows is for people
    if field(form, "website") is not None or (age is not None and age < work.TOO_SOON):
        return usual
    attempt = admission.Attempt(
        typed=wish.typed,
        newsletter=newsletter.slug,
        address=address_of(request, proxies=world_of(request).proxies),
        stamped=age is not None,
        challenge=field(form, "work"),
        nonce=field(form, "nonce"),
    )
    async with request.app.state.turns.turn():
        answer = await admission.admit(world_of(request), attempt, request.app.state.gate)
        if isinstance(answer, admission.Admitted):
            await _ask(request, newsletter, wish)
    match answer:
        case admission.Admitted() | admission.Repeated():
            return usual
        case admission.Refused():
            return refuse(request, newsletter, answer)
        case admission.WorkWanted():
            kept = [
                ("newsletter", newsletter.slug),
                ("email", wish.typed),
                ("language", wish.language),
                ("frequency", wish.frequency),
                *(("topic", each) for each in wish.topics),
            ]
            if wish.words:
                kept.append(("words", wish.words))
            return ask_for_work(request, newsletter, wish.typed, kept, answer, to="/subscribe")


def _shown(request: Request, newsletter: Newsletter, wish: Wish) -> tuple[str, str, str]:
    """The door, and the words that stood beside its button with their language, as we know them.

    Each form of ours says which version it shows: a copy on another site may be of last year.
    """
    for language in languages():
        words = consent(newsletter, language)
        if wish.words == version_of(words):
            return "web", words, language
    language = language_of(request, newsletter)
    return "form", f"{NOT_OURS}{consent(newsletter, language)}", language


async def _ask(request: Request, newsletter: Newsletter, wish: Wish) -> None:
    """Start the double opt-in, if that can be; whoever asks hears nothing of it."""
    world, (door, detail, shown_in) = world_of(request), _shown(request, newsletter, wish)
    address = address_of(request, proxies=world.proxies)
    try:
        await join.request(
            world,
            address=wish.typed,
            newsletter=newsletter,
            language=wish.language,
            frequency=wish.frequency,
            topics=wish.topics,
            door=door,
            detail=detail,
            shown_in=shown_in,
            network=shorten(address) if address else None,
        )
    except AddressRefused:
        return


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wrote into the form; what we do not offer has become our default."""

    typed: str
    language: str
    frequency: str
    #: the wanted ones, as `Newsletter.choose` says them
    topics: tuple[str, ...]
    #: which words the form says that it shows beside its button
    words: str | None


def _read_wish(request: Request, newsletter: Newsletter, form: FormData) -> Wish:
    language, frequency = field(form, "language"), field(form, "frequency")
    chosen = newsletter.schedule(frequency or "") or newsletter.default_schedule
    return Wish(
        typed=read_address(form),
        language=language
        if language is not None and language in languages()
        else language_of(request, newsletter),
        frequency=chosen.name,
        topics=newsletter.choose(fields(form, "topic")),
        words=field(form, "words"),
    )


def _wanted(request: Request, slug: str | None) -> Newsletter:
    newsletters = world_of(request).newsletters
    found = newsletter_of(request, slug) if slug else None
    if slug is None and len(newsletters) == 1:
        return newsletters[0]
    if found is None:
        raise HTTPException(_NOT_FOUND)
    return found


async def _newsletter_page(
    request: Request, newsletter: Newsletter, *, again: Wish | None = None
) -> Response:
    """The page of a newsletter; `again`: what came without an address."""
    world, language = world_of(request), language_of(request, newsletter)
    async with world.store.read() as connection:
        latest = await sample(connection, newsletter.slug)
    stories = len(latest.headlines) if latest else 0
    return page(
        request,
        "newsletter",
        status=200 if again is None else _UNPROCESSABLE,
        newsletter=newsletter,
        rhythms=_rhythms(request, newsletter),
        latest=latest,
        headlines=latest.headlines[:_HEADLINES] if latest else (),
        more=max(0, stories - _HEADLINES),
        missing=again is not None,
        frequency=again.frequency if again else newsletter.default_schedule.name,
        # none is all of them: nobody means to get nothing
        topics=(again.topics if again else ()) or (*(t.name for t in newsletter.topics), OTHER),
        other=OTHER,
        mail_language=again.language if again else language,
        consent=consent(newsletter, language),
        words=version_of(consent(newsletter, language)),
        stamp=work.stamp(world.signer, world.clock()),
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
