"""Turns what a mail provider posts into events, once it has proved that it is the provider.

Whoever has not is told nothing, and the log names neither addresses nor what was posted.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.requests import ClientDisconnect

from digest.deliveries.hooks import brevo, mailgun, postmark, sendgrid, ses, sns
from digest.deliveries.hooks.event import Event, Malformed, NotNow, Refused
from digest.deliveries.hooks.keys import HookKeys, Provider
from digest.errors import StoreError
from digest.model.feed import Fetched
from digest.web.answer import world_of

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.responses import Response

    from digest.jobs.world import World

log = logging.getLogger("digest.web")

#: bytes of a body; SendGrid, which sends the longest, stops at 768 KiB
_LARGEST: Final = 1_000_000
#: certificates and confirmed subscriptions that are remembered: Amazon needs one of each
_REMEMBERED: Final = 8
_AGAIN: Final = {"Retry-After": "60"}

_Problem = Refused | Malformed | NotNow
_Read = Callable[[bytes], list[Event] | Malformed]
_READ: Final[dict[Provider, _Read]] = {
    Provider.SES: ses.read_events,
    Provider.POSTMARK: postmark.read_events,
    Provider.MAILGUN: mailgun.read_events,
    Provider.SENDGRID: sendgrid.read_events,
    Provider.BREVO: brevo.read_events,
}


class TakeEvents(Protocol):
    """The journey."""

    async def __call__(self, world: World, events: Sequence[Event], /, *, door: str) -> int:
        """Do what the events ask for; how many were new. Raises StoreError."""
        ...


def add_hooks(web: FastAPI, *, keys: HookKeys, take: TakeEvents) -> None:
    """Add `POST /hooks/{provider}` for the providers that have a key; `door` is their name."""
    web.add_route("/hooks/{provider}", _Hooks(keys, take).receive, methods=["POST"])


class _Hooks:
    def __init__(self, keys: HookKeys, take: TakeEvents) -> None:
        self._keys = keys
        self._take = take
        self._certificates: dict[str, bytes] = {}
        self._confirmed: dict[str, bytes] = {}

    async def receive(self, request: Request) -> Response:
        """200 with the number of events, or why not, in as few words as possible."""
        name = str(request.path_params["provider"])
        provider = next((each for each in Provider if each == name), None)
        key = self._keys.of(provider) if provider else None
        if provider is None or key is None:
            return PlainTextResponse("not found\n", status_code=404)
        body = await _read_body(request)
        if body is None:
            log.warning("hook=%s status=413 reason=more than %d bytes", provider, _LARGEST)
            return PlainTextResponse("too large\n", status_code=413)
        problem = await self._doubt(request, provider, key, body)
        # off the event loop: to say why thousands of mails failed takes more than half a second
        answer = problem or await _read_aside(_READ[provider], body)
        match answer:
            case Refused(reason=reason):
                log.warning("hook=%s status=403 reason=%s", provider, reason)
                return PlainTextResponse("forbidden\n", status_code=403)
            case Malformed(reason=reason):
                log.warning("hook=%s status=400 reason=%s", provider, reason)
                return PlainTextResponse("not understood\n", status_code=400)
            case NotNow(reason=reason):
                return _again(provider, reason)
            case events:
                return await self._pass_on(request, provider, events)

    async def _pass_on(self, request: Request, provider: Provider, events: list[Event]) -> Response:
        try:
            taken = await self._take(world_of(request), events, door=provider) if events else 0
        except StoreError as problem:
            return _again(provider, str(problem))
        log.info("hook=%s status=200 events=%d", provider, taken)
        return JSONResponse({"events": taken})

    async def _doubt(
        self, request: Request, provider: Provider, key: str, body: bytes
    ) -> _Problem | None:
        """What speaks against it that this provider posted this body; None if nothing does."""
        headers, now = request.headers, world_of(request).clock()
        match provider:
            case Provider.SES:
                return await self._doubt_ses(world_of(request), key, body)
            case Provider.POSTMARK:
                return postmark.verify(headers.get("authorization"), secret=key)
            case Provider.MAILGUN:
                return mailgun.verify(body, key=key, now=now)
            case Provider.SENDGRID:
                return sendgrid.verify(
                    body,
                    signature=headers.get(sendgrid.SIGNATURE),
                    timestamp=headers.get(sendgrid.TIMESTAMP),
                    key=key,
                    now=now,
                )
            case Provider.BREVO:
                return brevo.verify(headers.get("authorization"), secret=key)

    async def _doubt_ses(self, world: World, topic: str, body: bytes) -> _Problem | None:
        async def certificate(url: str) -> bytes | None:
            if url not in self._certificates:
                pem = await _fetch(world, url)
                if pem is None:
                    return None
                _remember(self._certificates, url, pem)
            return self._certificates[url]

        problem = await sns.verify(body, topic=topic, now=world.clock(), certificate=certificate)
        if problem:
            return problem
        match sns.read_confirmation(body):
            case Refused() as refused:
                return refused
            case (name, url) if name not in self._confirmed:
                if await _fetch(world, url) is None:
                    return NotNow(reason="the subscription could not be confirmed")
                _remember(self._confirmed, name, b"")
                log.info("hook=%s confirmed the subscription to the topic", Provider.SES)
        return None


async def _read_body(request: Request) -> bytes | None:
    """The body; None when it is too large. One that breaks off is no JSON."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LARGEST:
                return None
    except ClientDisconnect:
        return b""
    return bytes(body)


async def _read_aside(read: _Read, body: bytes) -> list[Event] | Malformed:
    return await asyncio.to_thread(read, body)


async def _fetch(world: World, url: str) -> bytes | None:
    """What is at an address of Amazon SNS; None where it led elsewhere."""
    answer = await world.fetcher.fetch(url)
    return answer.body if isinstance(answer, Fetched) and sns.is_at_sns(answer.url) else None


def _remember(kept: dict[str, bytes], name: str, value: bytes) -> None:
    if len(kept) >= _REMEMBERED:
        kept.pop(next(iter(kept)))
    kept[name] = value


def _again(provider: Provider, reason: str) -> Response:
    """Ask for another attempt. Brevo's words can be read so that it gives up after a 503."""
    status = 429 if provider is Provider.BREVO else 503
    log.error("hook=%s status=%d reason=%s", provider, status, reason)
    return PlainTextResponse("try again\n", status_code=status, headers=_AGAIN)
