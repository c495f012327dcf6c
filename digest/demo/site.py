"""Turns the sample site's entries into web pages and feeds, much as a WordPress site would.

It answers GET and HEAD, keeps no state, and remembers nobody.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import cached_property, partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.dates import format_datetime as format_local
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from digest.demo.newsroom import (
    DESKS,
    NEWS,
    PICTURES,
    Desk,
    PublishedEntry,
    read_entries,
    slug_of,
    topics,
)

_HTML: Final = "text/html; charset=utf-8"
_FEED_TYPES: Final = {"rss": "application/rss+xml", "atom": "application/atom+xml"}
#: ampersand, dashes, ellipsis and the quotation marks of both languages
_NUMBERED: Final = {
    chr(sign): Markup("&#{:03d};").format(sign)
    for sign in (38, 8211, 8212, 8216, 8217, 8218, 8220, 8221, 8222, 8230)
}
_HERE: Final = ZoneInfo("Europe/Berlin")


def make_site(*, base_url: str, started_at: datetime) -> Starlette:
    """Give the sample site as an ASGI application.

    `base_url` is what its addresses begin with, without a slash at the end; entries are dated
    back from `started_at` (UTC). The data files are read at the first request.
    """
    site = _Site(base_url.rstrip("/"), started_at.astimezone(UTC))
    pages: list[BaseRoute] = [
        Mount("/bilder", StaticFiles(directory=PICTURES)),
        Route("/impressum.html", site.imprint),
        Route("/themen/{topic}", site.topic),
        Route("/themen/{topic}/feed", site.topic_feed),
    ]
    for desk in DESKS:
        pages += [
            Route(f"{desk.prefix}/", partial(site.front, desk)),
            Route(f"{desk.prefix}/feed", partial(site.feed, desk)),
            Route(f"{desk.prefix}/{{slug}}.html", partial(site.entry, desk)),
            Route(f"{desk.prefix}/{{slug}}.html/feed", partial(site.comments_feed, desk)),
        ]
    return Starlette(routes=pages, exception_handlers={404: site.not_found})


class _Site:
    """The pages; each takes a request and gives the answer."""

    def __init__(self, base_url: str, started_at: datetime) -> None:
        self._base_url = base_url
        self._started_at = started_at

    def front(self, desk: Desk, request: Request) -> Response:
        if desk is NEWS and "p" in request.query_params:
            return self._short_link(request)
        entries = self._entries(desk)
        return self._page(request, "site_front.html", desk, entries, heading=None)

    def entry(self, desk: Desk, request: Request) -> Response:
        entry = self._find(desk, request)
        if entry is None:
            return self.not_found(request, None)
        return self._page(request, "site_entry.html", desk, (entry,), entry=entry)

    def topic(self, request: Request) -> Response:
        name, entries = self._of_topic(request)
        if not entries:
            return self.not_found(request, None)
        return self._page(request, "site_front.html", NEWS, entries, heading=name)

    def feed(self, desk: Desk, request: Request) -> Response:
        return self._feed(request, desk, self._entries(desk), f"{desk.prefix}/", desk.title)

    def topic_feed(self, request: Request) -> Response:
        name, entries = self._of_topic(request)
        if not entries:
            return self.not_found(request, None)
        path = f"/themen/{request.path_params['topic']}"
        return self._feed(request, NEWS, entries, path, f"{name}: {NEWS.title}")

    def comments_feed(self, desk: Desk, request: Request) -> Response:
        entry = self._find(desk, request)
        if entry is None:
            return self.not_found(request, None)
        facts = {"title": f"Kommentare zu: {entry.title}", "path": entry.path, "desk": NEWS}
        text = self._text("rss.xml", entries=(), updated=entry.published_at, **facts)
        return _answer(request, text, _FEED_TYPES["rss"], entry.published_at)

    def imprint(self, request: Request) -> Response:
        return self._page(request, "site_imprint.html", NEWS, ())

    def not_found(self, _request: Request, _error: Exception | None) -> Response:
        text = self._text("site_missing.html", desk=NEWS, topics=self._topics)
        return Response(text, HTTPStatus.NOT_FOUND, media_type=_HTML)

    def _page(
        self,
        request: Request,
        template: str,
        desk: Desk,
        entries: tuple[PublishedEntry, ...],
        **facts: Any,
    ) -> Response:
        text = self._text(template, desk=desk, entries=entries, topics=self._topics, **facts)
        return _answer(request, text, _HTML, self._newest(entries))

    def _feed(
        self,
        request: Request,
        desk: Desk,
        entries: tuple[PublishedEntry, ...],
        path: str,
        title: str,
    ) -> Response:
        updated = self._newest(entries)
        facts = {"desk": desk, "path": path, "title": title, "updated": updated}
        text = self._text(f"{desk.feed}.xml", entries=entries, **facts)
        return _answer(request, text, _FEED_TYPES[desk.feed], updated)

    def _short_link(self, request: Request) -> Response:
        """WordPress leads `/?p=ID`, the guid of its feeds, to the entry's own address."""
        wanted = request.query_params["p"]
        for desk in DESKS:
            for entry in self._entries(desk):
                if str(entry.id) == wanted:
                    return RedirectResponse(entry.path[1:], HTTPStatus.MOVED_PERMANENTLY)
        return self.not_found(request, None)

    def _find(self, desk: Desk, request: Request) -> PublishedEntry | None:
        slug = request.path_params["slug"]
        return next((entry for entry in self._entries(desk) if entry.slug == slug), None)

    def _of_topic(self, request: Request) -> tuple[str, tuple[PublishedEntry, ...]]:
        name = self._topics.get(request.path_params["topic"], "")
        return name, tuple(entry for entry in self._entries(NEWS) if name in entry.categories)

    def _entries(self, desk: Desk) -> tuple[PublishedEntry, ...]:
        return read_entries(desk, started_at=self._started_at)

    def _newest(self, entries: tuple[PublishedEntry, ...]) -> datetime:
        return entries[0].published_at if entries else self._started_at.replace(microsecond=0)

    @cached_property
    def _topics(self) -> dict[str, str]:
        return topics(self._entries(NEWS))

    @cached_property
    def _templates(self) -> Environment:
        # every file is escaped, feeds too: what XML and HTML need is the same five characters
        pages = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        pages.globals["base"] = self._base_url
        pages.filters.update(
            rfc822=_say_rfc822,
            when=_say_when,
            numbered=_number,
            cdata=_enclose,
            slug=slug_of,
        )
        return pages

    def _text(self, template: str, **facts: Any) -> str:
        return self._templates.get_template(template).render(facts)


def _answer(request: Request, text: str, kind: str, modified: datetime) -> Response:
    """Give the text, or 304 when the caller holds it already (RFC 9110 section 13.2.2)."""
    body = text.encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": etag, "last-modified": format_datetime(modified, usegmt=True)}
    if _is_known(request, etag, modified):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, media_type=kind, headers=headers)


def _is_known(request: Request, etag: str, modified: datetime) -> bool:
    """If-None-Match decides where it is given; only without it is the date asked."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        known = [tag.strip().removeprefix("W/") for tag in tags.split(",")]
        return etag in known or known == ["*"]
    try:
        since = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except ValueError:
        return False
    return since.tzinfo is not None and modified <= since


def _say_rfc822(at: datetime) -> str:
    return format_datetime(at)


def _say_when(at: datetime, language: str) -> str:
    form = "d. MMMM y, HH:mm 'Uhr'" if language == "de" else "d MMMM y, HH:mm"
    return format_local(at, form, tzinfo=_HERE, locale=language)


def _number(title: str) -> Markup:
    """Write quotation marks, dashes and ampersands of a title as numbers, as WordPress does."""
    return Markup("").join(_NUMBERED.get(sign, escape(sign)) for sign in title)


def _enclose(text: str) -> Markup:
    """Enclose markup in a CDATA section; what would end it is split over two."""
    return Markup(f"<![CDATA[{str(text).replace(']]>', ']]]]><![CDATA[>')}]]>")  # noqa: S704 -- CDATA holds characters, never markup
