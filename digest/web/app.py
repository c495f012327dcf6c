"""Turns an open world into the web that readers and machines see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI

from digest.jobs.feedback import take_events
from digest.web.archive import add_archive
from digest.web.desk import add_desk
from digest.web.embed import add_embed
from digest.web.faults import add_faults
from digest.web.followed import add_followed
from digest.web.health import add_health
from digest.web.hooks import add_hooks
from digest.web.leave import add_leave
from digest.web.middleware import SecurityHeaders
from digest.web.openapi import add_openapi
from digest.web.pages import add_pages
from digest.web.pictures import add_pictures
from digest.web.preferences import add_preferences
from digest.web.preview import add_preview
from digest.web.signed import add_signed
from digest.web.similar import add_similar
from digest.web.sitemap import add_sitemap
from digest.web.websub import add_websub

if TYPE_CHECKING:
    from digest.jobs.world import World


def make_web(world: World) -> FastAPI:
    """The reader's pages, the archive and the health checks, as one ASGI application.

    The order matters: `/{newsletter}` comes last, because it would match the others too.
    """
    # a mail program that posts must not be sent on (RFC 8058 section 3.1): no redirects for slashes
    web = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    web.state.world = world
    web.add_middleware(SecurityHeaders)
    add_faults(web)
    add_health(web)
    add_hooks(web, keys=world.hooks, take=take_events)
    add_websub(web)
    add_signed(web)
    add_leave(web)
    add_preferences(web)
    add_desk(web)
    add_preview(web)
    add_archive(web)
    add_pictures(web)
    add_similar(web)
    add_followed(web)
    add_sitemap(web)
    add_embed(web)
    add_openapi(web)
    add_pages(web)
    return web
