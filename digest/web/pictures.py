"""Turns a signed name into a picture: one that we hold, or one that stands elsewhere, as ours.

What a site sends is shown only if its first bytes are a picture's, never as what the site calls
it, and never as something that could run. Of those nothing is kept on disk.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from digest.messages.pictures import picture_token, read_served, read_token, served_name
from digest.model.feed import Fetched
from digest.store import pictures
from digest.web.answer import world_of

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

    from digest.jobs.world import World

#: octets of pictures that one process remembers
_ROOM: Final = 32 * 1024 * 1024
#: what a failure, or the rest of an entry, takes about
_OVERHEAD: Final = 500
_AT_ONCE: Final = 8
_WAITING: Final = 64
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_YEAR: Final = 31_536_000
#: characters of a name that we serve
_NAME: Final = 68
_GUARDED: Final = {"Content-Security-Policy": "default-src 'none'; sandbox"}


def add_pictures(web: FastAPI) -> None:
    """Add the pictures of archived editions: those that we hold, then those of other sites."""
    web.add_route("/pictures/{picture}.jpg", show_served, methods=["GET"])
    web.add_route("/pictures/{name}", Gallery().show, methods=["GET"])


def picture_path(world: World, url: str) -> str | None:
    """Where we show the picture at `url`, below our own address; None where we do not."""
    served = read_served(url, partial(world.signer.mark, "served"))
    if served is not None:  # it is ours already, also where we had another address then
        return f"/pictures/{served_name(served, partial(world.signer.mark, 'served'))}"
    token = picture_token(url, partial(world.signer.mark, "picture"))
    return f"/pictures/{token}" if token else None


async def show_served(request: Request) -> Response:
    """A picture that we hold, which never changes; 404 for a name that is not ours."""
    world = world_of(request)
    name = f"{request.path_params['picture']}.jpg"
    digest = read_served(name, partial(world.signer.mark, "served"))
    if digest is None or len(name) != _NAME:
        return _answer(None)
    cached = {"Cache-Control": f"public, max-age={_YEAR}, immutable", "ETag": f'"{digest}"'}
    if f'"{digest}"' in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=cached)
    async with world.store.read() as connection:
        data = await pictures.read(connection, digest)
    if data is None:
        return _answer(None)
    return Response(data, media_type="image/jpeg", headers=_GUARDED | cached)


def recognise(body: bytes) -> str | None:
    """The media type of a picture, by its first bytes; None for what is none.

    SVG is none: it is a document, with scripts and links of its own.
    """
    if body.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if body.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    # ISO/IEC 14496-12 section 4.3: the first box names the brands that the file is of
    if body[4:8] == b"ftyp" and {b"avif", b"avis"} & {body[at : at + 4] for at in range(8, 40, 4)}:
        return "image/avif"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A picture, or (without one) that there is none; and until when we believe it."""

    body: bytes
    media_type: str | None
    until: datetime


class Gallery:
    """The pictures that were shown lately, in memory, and those that are on their way."""

    def __init__(self, *, room: int = _ROOM) -> None:
        self._room = room
        self._taken = 0
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._coming: dict[str, asyncio.Task[_Kept]] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def show(self, request: Request) -> Response:
        """The picture; 404 for a token that is not ours and for what is no picture any more."""
        world = world_of(request)
        url = read_token(request.path_params["name"], partial(world.signer.mark, "picture"))
        if url is None:
            return _answer(None)
        kept = self._recall(url, now=world.clock())
        if kept is None:
            if len(self._coming) >= _WAITING and url not in self._coming:
                headers = {"Cache-Control": "no-store", "Retry-After": "10"}
                return Response(status_code=503, headers=_GUARDED | headers)
            kept = await self._bring(world, url)
        return _answer(kept)

    def _recall(self, url: str, *, now: datetime) -> _Kept | None:
        kept = self._kept.get(url)
        if kept is None or kept.until <= now:
            return None
        self._kept.move_to_end(url)
        return kept

    async def _bring(self, world: World, url: str) -> _Kept:
        """Fetch it once for all who wait for it; nobody who leaves takes it from the others."""
        if url not in self._coming:
            task = asyncio.create_task(self._fetch(world, url))
            task.add_done_callback(lambda _: self._coming.pop(url, None))
            self._coming[url] = task
        return await asyncio.shield(self._coming[url])

    async def _fetch(self, world: World, url: str) -> _Kept:
        async with self._turns:
            answer = await world.fetcher.fetch_picture(url)
        body = answer.body if isinstance(answer, Fetched) else b""
        media_type = recognise(body)
        kept = _Kept(
            body=body if media_type else b"",
            media_type=media_type,
            until=world.clock() + (_DAY if media_type else _HOUR),
        )
        self._keep(url, kept)
        return kept

    def _keep(self, url: str, kept: _Kept) -> None:
        old = self._kept.pop(url, None)
        self._taken -= _size(old) if old else 0
        self._kept[url] = kept
        self._taken += _size(kept)
        while self._taken > self._room:
            _, oldest = self._kept.popitem(last=False)
            self._taken -= _size(oldest)


def _size(kept: _Kept) -> int:
    return len(kept.body) + _OVERHEAD


def _answer(kept: _Kept | None) -> Response:
    if kept is None or kept.media_type is None:
        headers = _GUARDED | {"Cache-Control": f"public, max-age={_HOUR.seconds}"}
        return Response(status_code=404, headers=headers)
    seconds = int(_DAY.total_seconds())
    cached = {"Cache-Control": f"public, max-age={seconds}, immutable"}
    return Response(kept.body, media_type=kept.media_type, headers=_GUARDED | cached)
