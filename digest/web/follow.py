"""Turns newsletters and topics into the Atom feeds by which they can be followed without mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException

from digest.store import past, told
from digest.web.answer import newsletter_of, world_of
from digest.web.atom import MEDIA_TYPE, write_feed, write_topic_feed
from digest.web.conditional import answer_if_new

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.responses import Response

_NOT_FOUND: Final = 404
_EDITIONS: Final = 20
_ARTICLES: Final = 50


def add_feeds(web: FastAPI) -> None:
    """Add the feed of each newsletter and of each of its topics."""
    web.add_route("/archive/{newsletter}/feed.xml", show_feed, methods=["GET"])
    web.add_route("/archive/{newsletter}/topics/{topic}/feed.xml", show_topic, methods=["GET"])


async def show_feed(request: Request) -> Response:
    """The latest editions of one newsletter."""
    newsletter, world = newsletter_of(request, request.path_params["newsletter"]), world_of(request)
    if newsletter is None:
        raise HTTPException(_NOT_FOUND)
    async with world.store.read() as connection:
        latest = await past.past(connection, newsletter=newsletter.slug, limit=_EDITIONS)
        headlines = await past.headlines_of(connection, [each.id for each in latest])
    body = write_feed(newsletter, latest, headlines, public_url=world.public_url, now=world.clock())
    modified = latest[0].made_at if latest else None
    return answer_if_new(request, body, media_type=MEDIA_TYPE, modified=modified)


async def show_topic(request: Request) -> Response:
    """The latest articles about one topic that stood in the newsletter's editions."""
    newsletter, world = newsletter_of(request, request.path_params["newsletter"]), world_of(request)
    offered = newsletter.topics if newsletter else ()
    topic = next((each for each in offered if each.name == request.path_params["topic"]), None)
    if newsletter is None or topic is None:
        raise HTTPException(_NOT_FOUND)
    async with world.store.read() as connection:
        found = await told.about(
            connection,
            newsletter.slug,
            topic.name,
            sources=[each.url for each in newsletter.feeds],
            limit=_ARTICLES,
        )
    found.sort(key=lambda each: each.published_at or each.made_at, reverse=True)
    body = write_topic_feed(
        newsletter, topic, found, public_url=world.public_url, now=world.clock()
    )
    modified = max((each.updated_at or each.made_at for each in found), default=None)
    return answer_if_new(request, body, media_type=MEDIA_TYPE, modified=modified)
