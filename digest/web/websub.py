"""Turns what hubs ask and tell (W3C WebSub) into answers, and pushes into a feed that is due.

What a push brings is thrown away once its signature is checked. Never answers with a page, and
tells nobody whether a signature was right.
"""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from fastapi.responses import PlainTextResponse
from starlette.requests import ClientDisconnect

from digest.errors import StoreError
from digest.feeds.websub import read_intent
from digest.jobs.push import answer_intent, find_push, take_push
from digest.web.answer import world_of

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.responses import Response

    from digest.jobs.world import World
    from digest.store.pushes import Push

log = logging.getLogger("digest.web")

_LARGEST: Final = 1024 * 1024
#: seconds for a body to come whole
_PATIENCE: Final = 30.0
_TOKEN: Final = re.compile("[A-Za-z0-9_-]{43}")
#: each feed's trouble is told at most so often
_QUIET: Final = timedelta(hours=1)


def add_websub(web: FastAPI) -> None:
    """Add `/websub/{token}`: GET for a hub that asks whether we meant it, POST for its pushes."""
    door = _Door()
    web.add_route("/websub/{token}", door.answer, methods=["GET"])
    web.add_route("/websub/{token}", door.listen, methods=["POST"])


class _Door:
    def __init__(self) -> None:
        self._told: dict[int, datetime] = {}

    async def answer(self, request: Request) -> Response:
        """The challenge of a hub that we asked (200), or 404."""
        said = read_intent(request.query_params)
        if said is None or request.method != "GET":  # HEAD changes nothing
            return _say("not found", 404)
        try:
            push = await _push(request)
            answer = await answer_intent(world_of(request), push, said) if push else None
        except StoreError as problem:
            return _again(problem)
        return _say("not found", 404) if answer is None else _plain(answer, 200)

    async def listen(self, request: Request) -> Response:
        """202 for whatever comes where we listen, 410 where we do not: then a hub forgets us."""
        try:
            push = await _push(request)
            if push is None or push.state == "leaving":
                return _say("gone", 410)
            body = await _read_body(request)
            if body is None:
                self._tell(world_of(request), push, f"more than {_LARGEST} bytes, or too slow")
                return _say("too large", 413)
            signature = request.headers.get("x-hub-signature")
            if not await take_push(world_of(request), push, body, signature=signature):
                self._tell(world_of(request), push, "not signed by its hub")
        except StoreError as problem:
            return _again(problem)
        return _plain("", 202)  # section 7.1: also where the signature is wrong

    def _tell(self, world: World, push: Push, reason: str) -> None:
        now, last = world.clock(), self._told.get(push.feed_id)
        if last is None or now - last >= _QUIET:
            self._told[push.feed_id] = now
            log.warning("push feed=%s status=ignored reason=%s", push.url, reason)


async def _push(request: Request) -> Push | None:
    token = str(request.path_params["token"])
    return await find_push(world_of(request), token) if _TOKEN.fullmatch(token) else None


async def _read_body(request: Request) -> bytes | None:
    """The body; None when it is too large or too slow. One that breaks off is not signed."""
    body = bytearray()
    try:
        async with asyncio.timeout(_PATIENCE):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _LARGEST:
                    return None
    except TimeoutError:
        return None
    except ClientDisconnect:
        return b""
    return bytes(body)


def _say(words: str, status: int) -> Response:
    return _plain(f"{words}\n", status)


def _plain(text: str, status: int) -> Response:
    # the address speaks for us to the hub: nobody keeps it
    headers = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
    return PlainTextResponse(text, status_code=status, headers=headers)


def _again(problem: StoreError) -> Response:
    log.error("path=/websub status=503 reason=%s", problem)
    answer = _say("try again", 503)
    answer.headers["Retry-After"] = "60"
    return answer
