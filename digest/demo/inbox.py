"""Turns a folder of caught mail into web pages that show it as a mail program would.

Mail is a stranger's word: no script of it runs, no form of it posts, and nothing of it reaches a
page unescaped but for the frame that is closed off by sandbox and Content-Security-Policy.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.demo.opened import OpenedMessage, open_message

#: how many messages a page of the list shows
PAGE_SIZE: Final = 50
VIEWS: Final = ("html", "text", "headers")
WIDTHS: Final = ("desktop", "phone")

_SANDBOX: Final = (
    "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
)
_PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; "
    "form-action http: https:; base-uri 'none'; frame-ancestors 'none'"
)
_MAIL_POLICY: Final = (
    "default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline'; "
    f"form-action 'none'; frame-ancestors 'self'; sandbox {_SANDBOX}"
)
_COMMON: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
#: links open beside the inbox; this sets no address, so the mail's own ones stay what they are
_BASE: Final = '<base target="_blank">'


def make_inbox(folder: Path) -> Starlette:
    """Give the inbox as an ASGI application; `folder` holds `.eml` files and may still be empty."""
    inbox = _Inbox(folder)
    return Starlette(
        routes=[
            Route("/", inbox.list),
            Route("/m/{name}", inbox.message),
            Route("/m/{name}/html", inbox.html),
            Route("/m/{name}/raw", inbox.raw),
        ],
        exception_handlers={404: inbox.not_found},
    )


@dataclass(frozen=True, slots=True)
class _File:
    """One file as it stood in the folder: two looks with the same answer are the same mail."""

    path: Path
    modified_ns: int
    size: int

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def at(self) -> datetime:
        """When it was caught, in the zone of this machine."""
        return datetime.fromtimestamp(self.modified_ns / 1_000_000_000, tz=UTC).astimezone()


class _Inbox:
    """The pages; each takes a request and gives the answer. They are called in threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pages = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._pages.filters["path"] = lambda name: quote(name, safe="@")

    def list(self, request: Request) -> Response:
        files = _look(self._folder)
        last = max(1, -(-len(files) // PAGE_SIZE))
        page = min(_whole(request.query_params.get("page", "1")), last)
        shown = files[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        facts = {"total": len(files), "page": page, "last": last, "folder": self._folder}
        rows = [(file, _open(file)) for file in shown]
        return self._page(request, "inbox_list.html", {**facts, "rows": rows})

    def message(self, request: Request) -> Response:
        files = _look(self._folder)
        place = _place(files, request)
        if place is None:
            return self.not_found(request, None)
        opened = _open(files[place])
        views = [view for view in VIEWS if getattr(opened, view, True) is not None]
        facts = {
            "file": files[place],
            "opened": opened,
            "views": views,
            "view": _one_of(views, request.query_params.get("view")),
            "widths": WIDTHS,
            "width": _one_of(WIDTHS, request.query_params.get("width")),
            "newer": files[place - 1].name if place else None,
            "older": files[place + 1].name if place + 1 < len(files) else None,
            "sandbox": _SANDBOX,
        }
        return self._page(request, "inbox_message.html", facts)

    def html(self, request: Request) -> Response:
        files = _look(self._folder)
        place = _place(files, request)
        page = None if place is None else _open(files[place]).html
        if page is None:
            return self.not_found(request, None)
        headers = {**_COMMON, "content-security-policy": _MAIL_POLICY}
        return Response(_with_base(page), media_type="text/html; charset=utf-8", headers=headers)

    def raw(self, request: Request) -> Response:
        files = _look(self._folder)
        place = _place(files, request)
        if place is None:
            return self.not_found(request, None)
        name = quote(files[place].name, safe="@")
        headers = {**_COMMON, "content-disposition": f"attachment; filename*=utf-8''{name}"}
        return Response(_read(files[place]), media_type="message/rfc822", headers=headers)

    def not_found(self, request: Request, _error: Exception | None) -> Response:
        return self._page(request, "inbox_missing.html", {}, HTTPStatus.NOT_FOUND)

    def _page(
        self,
        request: Request,
        template: str,
        facts: Mapping[str, Any],
        status: HTTPStatus = HTTPStatus.OK,
    ) -> Response:
        # below which path we are mounted; links must lead back to us
        root = request.scope.get("root_path", "")
        text = self._pages.get_template(template).render(facts, root=root)
        headers = {**_COMMON, "content-security-policy": _PAGE_POLICY}
        return Response(text, status, headers, "text/html; charset=utf-8")


def _look(folder: Path) -> list[_File]:
    """The mails in the folder, newest first. Symbolic links are passed over."""
    found = []
    for path in folder.glob("[!.]*.eml"):
        try:
            facts = path.stat(follow_symlinks=False)
        except OSError:  # gone since we looked
            continue
        # a name that is no text (surrogates) cannot stand in an address
        if stat.S_ISREG(facts.st_mode) and path.name.isprintable():
            found.append(_File(path, facts.st_mtime_ns, facts.st_size))
    return sorted(found, key=lambda file: (file.modified_ns, file.name), reverse=True)


def _place(files: list[_File], request: Request) -> int | None:
    """Where the asked-for mail stands. Only names that the folder showed are ever opened."""
    wanted = request.path_params["name"]
    return next((place for place, file in enumerate(files) if file.name == wanted), None)


@lru_cache(maxsize=200)
def _open(file: _File) -> OpenedMessage:
    return open_message(_read(file))


def _read(file: _File) -> bytes:
    try:
        return file.path.read_bytes()
    except OSError:  # gone since we looked
        return b""


def _whole(text: str) -> int:
    """A page number; whatever is none is the first page."""
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,5}", text, re.ASCII) else 1


def _one_of(choices: list[str] | tuple[str, ...], wanted: str | None) -> str:
    return wanted if wanted is not None and wanted in choices else choices[0]


def _with_base(page: str) -> str:
    """Put our base element where it counts: at the start of the head, else after the doctype."""
    for mark in (r"<head(?:\s[^>]*)?>", r"<html(?:\s[^>]*)?>", r"\s*<!doctype[^>]*>"):
        found = re.search(mark, page, re.IGNORECASE)
        if found:
            return page[: found.end()] + _BASE + page[found.end() :]
    return _BASE + page
