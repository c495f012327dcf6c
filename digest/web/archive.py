"""Turns stored editions into the archive: lists of them, by newsletter, month and words.

Nothing personal is shown: what a mail has for one reader alone is not in here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final
from unicodedata import normalize
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException

from digest.model.text import one_line
from digest.store import past
from digest.web.answer import language_of, newsletter_of, page, world_of
from digest.web.edition import add_edition, read_number
from digest.web.follow import add_feeds
from digest.words import format_month

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.responses import Response

    from digest.model.newsletter import Newsletter
    from digest.store.past import Past, Span

    Month = tuple[int, int]

_NOT_FOUND: Final = 404
_PAGE: Final = 20
#: each word is looked for in every headline
_WORDS: Final = 6
_LETTERS: Final = 100
#: headlines that are shown to say why an edition was found
_SHOWN: Final = 3
_MONTH: Final = re.compile(r"((?:19|20|21)[0-9]{2})-(0[1-9]|1[0-2])", re.ASCII)


def add_archive(web: FastAPI) -> None:
    """Add the archive, its feeds and the page of each edition."""
    web.add_route("/archive", show_all, methods=["GET"])
    web.add_route("/archive/{newsletter}", show_list, methods=["GET"])
    add_feeds(web)
    add_edition(web)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What somebody looks for; what makes no sense is not looked for."""

    month: Month | None
    words: tuple[str, ...]

    @property
    def is_narrow(self) -> bool:
        """Whether it is for some editions only."""
        return bool(self.month or self.words)


async def show_all(request: Request) -> Response:
    """Past editions of all newsletters, or of the one that was chosen in the form."""
    newsletters, asked = world_of(request).newsletters, request.query_params.get("newsletter")
    if asked:
        return await _list(request, _known(request, asked), chosen=True)
    return await _list(request, newsletters[0] if len(newsletters) == 1 else None)


async def show_list(request: Request) -> Response:
    """Past editions of one newsletter."""
    return await _list(request, _known(request, request.path_params["newsletter"]))


async def _list(
    request: Request, newsletter: Newsletter | None, *, chosen: bool = False
) -> Response:
    world, search = world_of(request), _read(request)
    shown = (newsletter,) if newsletter else world.newsletters
    async with world.store.read() as connection:
        found = await past.find(
            connection,
            [_span(each, search.month) for each in shown],
            search.words,
            limit=_PAGE,
            before=read_number(request.query_params.get("before", "")),
            after=read_number(request.query_params.get("after", "")),
        )
        moments = await past.moments(connection, [each.slug for each in shown])
        ids = [each.id for each in found.editions] if search.words else []
        told = await past.headlines_of(connection, ids)
    known = {each.slug: each for each in world.newsletters}
    months = {_month(at, known[slug]) for slug, at in moments}
    answer = page(
        request,
        "archive",
        newsletter=newsletter,
        known=known,
        editions=found.editions,
        count=found.count if search.is_narrow else None,
        mentions={
            each.id: _mentions(each, told.get(each.id, ()), search.words) for each in found.editions
        },
        older=found.editions[-1].id if found.older and found.editions else None,
        newer=found.editions[0].id if found.newer and found.editions else None,
        months=[(f"{y}-{m:02}", _said(request, newsletter, (y, m))) for y, m in _down(months)],
        month=f"{search.month[0]}-{search.month[1]:02}" if search.month else "",
        words=" ".join(search.words),
        query=_query(search, newsletter if chosen else None),
        public_url=world.public_url,
    )
    if search.is_narrow:
        answer.headers["X-Robots-Tag"] = "noindex, follow"
    return answer


def _known(request: Request, slug: str) -> Newsletter:
    found = newsletter_of(request, slug)
    if found is None:
        raise HTTPException(_NOT_FOUND)
    return found


def _read(request: Request) -> Search:
    month = _MONTH.fullmatch(request.query_params.get("month", ""))
    asked = one_line(normalize("NFC", request.query_params.get("q", "")[:_LETTERS]))
    return Search(
        month=(int(month[1]), int(month[2])) if month else None,
        words=tuple(dict.fromkeys(asked.split()))[:_WORDS],
    )


def _span(newsletter: Newsletter, month: Month | None) -> Span:
    """The month as it is where the newsletter is at home."""
    if month is None:
        return past.Span(newsletter=newsletter.slug)
    zone, (year, number) = ZoneInfo(newsletter.timezone), month
    since = datetime(year, number, 1, tzinfo=zone)
    until = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=zone)
    return past.Span(
        newsletter=newsletter.slug, since=since.astimezone(UTC), until=until.astimezone(UTC)
    )


def _month(at: datetime, newsletter: Newsletter) -> Month:
    local = at.astimezone(ZoneInfo(newsletter.timezone))
    return local.year, local.month


def _down(months: Iterable[Month]) -> list[Month]:
    return sorted(months, reverse=True)


def _said(request: Request, newsletter: Newsletter | None, month: Month) -> str:
    return format_month(date(*month, 1), language_of(request, newsletter))


def _mentions(
    edition: Past, titles: Iterable[tuple[str, str]], words: tuple[str, ...]
) -> list[str]:
    """The headlines for which an edition was found, but for what its subject says already."""
    sought = [word.casefold() for word in words]
    found = [title for title, _ in titles if any(word in title.casefold() for word in sought)]
    return [title for title in found if title not in edition.subject][:_SHOWN]


def _query(search: Search, newsletter: Newsletter | None) -> str:
    """What keeps the search in an address, ending in & where there is any."""
    fields = {
        "newsletter": newsletter.slug if newsletter else "",
        "month": f"{search.month[0]}-{search.month[1]:02}" if search.month else "",
        "q": " ".join(search.words),
    }
    kept = urlencode({name: value for name, value in fields.items() if value})
    return f"{kept}&" if kept else ""
