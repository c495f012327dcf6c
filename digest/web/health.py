"""Says to machines whether the program runs and whether it can do its work."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from fastapi.responses import PlainTextResponse

from digest.errors import DigestError
from digest.web.answer import world_of

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

log = logging.getLogger("digest.web")

_FRESH: Final = {"Cache-Control": "no-store"}


def add_health(web: FastAPI) -> None:
    """Add `/healthz` and `/readyz`."""
    web.add_route("/healthz", healthz, methods=["GET"])
    web.add_route("/readyz", readyz, methods=["GET"])


async def healthz(_: Request) -> PlainTextResponse:
    """The process answers; nothing is asked."""
    return PlainTextResponse("ok\n", headers=_FRESH)


async def readyz(request: Request) -> PlainTextResponse:
    """The database answers, or 503 with why not."""
    try:
        await world_of(request).store.check()
    except DigestError as problem:
        log.warning("ready=no reason=%s", problem)
        return PlainTextResponse("the database does not answer\n", status_code=503, headers=_FRESH)
    return PlainTextResponse("ready\n", headers=_FRESH)
