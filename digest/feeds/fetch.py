"""Turns a feed's address into its document, "nothing new", or the reason why there is neither.

Asks with the validators of the last poll, follows redirects by hand, keeps no cookies, and stops
at limits of time, size and hops. A site's other pages and its pictures come by the same rules, the
pages also by the site's robots.txt. Never raises for what a stranger does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from digest.feeds import headers, robots
from digest.feeds.guard import Names, exposed, open_public_socket, refuse_url, short, why
from digest.feeds.inflate import TooLarge, inflate
from digest.feeds.polite import Manners, Pause
from digest.model.feed import FeedFailure, Fetched, Unchanged

_PICTURE_BYTES = 2 * 1024 * 1024
_PICTURE_SECONDS = 10.0
_ORIGINAL_BYTES = 10 * 1024 * 1024
_PAGE_BYTES = 4 * 1024 * 1024
_PAGE_SECONDS = 20.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REDIRECTS_OF_FORMS = frozenset({307, 308})
_MAX_HOPS = 5
#: sockets that are open at once to feeds; whoever asks for more keeps them waiting
_SOCKETS = 256

Answer = Fetched | Unchanged | FeedFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What is asked for, over whose connections, and how much of it we take."""

    session: aiohttp.ClientSession
    max_bytes: int
    #: for all redirects together, and for nothing that we wait out of politeness
    seconds: float
    headers: Mapping[str, str] = field(default_factory=dict)
    #: HEAD or GET: it is only asked whether it is there, and nothing of it is read
    find: str = ""
    #: a form that is posted; None: the page is asked for
    form: Mapping[str, str] | None = None
    #: take what fits of a larger document, instead of nothing
    cut: bool = False
    #: wait for the host's turn; and ask its robots.txt first
    polite: bool = False
    robots: bool = False


class Fetcher:
    """Polls feeds over kept connections; an async context manager.

    `max_bytes` limits the body before and after decompression, `timeout` the seconds of a whole
    fetch with all its redirects. `pause` waits so many seconds between two pages of one host.
    """

    def __init__(
        self,
        *,
        allow_private: bool,
        user_agent: str,
        max_bytes: int = 5 * 1024 * 1024,
        timeout: float = 20,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._allow_private = allow_private
        self._user_agent = user_agent
        self._max_bytes = max_bytes
        self._timeout = timeout
        self._manners = Manners(self._fetch_robots, now=time.monotonic, pause=pause)

    @property
    def allow_private(self) -> bool:
        """Whether addresses that are not public may be asked."""
        return self._allow_private

    async def __aenter__(self) -> Self:
        self._resolver = Names()
        # apart, so that a page full of pictures never keeps a feed of the same site waiting
        self._session = self._open(headers.ACCEPT, a_host=2)
        self._pages = self._open(headers.ACCEPT_PAGES, a_host=2)
        self._pictures = self._open(headers.ACCEPT_PICTURES, a_host=4)
        return self

    def _open(self, accept: str, *, a_host: int) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=_SOCKETS,
                limit_per_host=a_host,
                resolver=self._resolver,
                socket_factory=None if self._allow_private else open_public_socket,
            ),
            headers={
                "User-Agent": self._user_agent,
                "Accept": accept,
                "Accept-Encoding": "gzip, deflate",
            },
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),  # one limit for all hops, below
            auto_decompress=False,  # counted by us: a bomb is 1000 times its size
            trust_env=False,
        )

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for session in (self._session, self._pages, self._pictures):
            await session.close()
        await self._resolver.close()

    async def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None
    ) -> Answer:
        """The document at `url`, or `Unchanged` since `etag` or `last_modified`, or a failure."""
        wish = _Wish(
            session=self._session,
            headers=headers.validators(etag, last_modified),
            max_bytes=self._max_bytes,
            seconds=self._timeout,
        )
        return await self._bounded(url, wish)

    async def fetch_page(self, url: str, *, robots: bool = True) -> Fetched | FeedFailure:
        """What stands at any other address of a site (a page, an API): 4 MiB, 20 s, or a failure.

        Waits until its host may be asked again: once a second, or as its Crawl-delay says. With
        `robots` the site's robots.txt is obeyed, at each redirect too; that file itself comes as
        it was remembered.
        """
        if url.endswith("/robots.txt") and url.count("/") == 3:  # noqa: PLR2004 -- https://host/
            refusal = refuse_url(url, allow_private=self._allow_private)
            return FeedFailure(reason=refusal) if refusal else await self._manners.robots_txt(url)
        wish = _Wish(
            session=self._pages,
            max_bytes=_PAGE_BYTES,
            seconds=_PAGE_SECONDS,
            polite=True,
            robots=robots,
        )
        return _whole(await self._bounded(url, wish))

    async def post_form(self, url: str, fields: Mapping[str, str]) -> Fetched | FeedFailure:
        """What a hub answers to a form, with any status of success, or a failure.

        Follows only the redirects that keep a form a form (307, 308), and none from https to
        http, for the form carries a secret.
        """
        wish = _Wish(
            session=self._pages, max_bytes=_PAGE_BYTES, seconds=_PAGE_SECONDS, form=dict(fields)
        )
        return _whole(await self._bounded(url, wish))

    async def fetch_picture(self, url: str, *, original: bool = False) -> Answer:
        """What stands at the address of a picture, at most 2 MiB in 10 s, or a failure.

        By the same rules as a feed. Whether it is a picture is for the caller to find out. An
        `original` is drawn anew: it may have 10 MiB, as it left the camera.
        """
        wish = _Wish(session=self._pictures, max_bytes=_PICTURE_BYTES, seconds=_PICTURE_SECONDS)
        if original:
            asked = {"Accept": headers.ACCEPT_ORIGINALS}
            wish = replace(wish, headers=asked, max_bytes=_ORIGINAL_BYTES)
        return await self._bounded(url, wish)

    async def find(self, url: str) -> Fetched | FeedFailure:
        """Whether something stands at `url`, without its body, or a failure; 10 s."""
        wish = _Wish(
            session=self._pages, max_bytes=0, seconds=_PICTURE_SECONDS, polite=True, find="HEAD"
        )
        found = await self._bounded(url, wish)
        if isinstance(found, FeedFailure) and found.status is not None:  # not all answer to HEAD
            found = await self._bounded(url, replace(wish, find="GET"))
        return _whole(found)

    async def _fetch_robots(self, url: str) -> Fetched | FeedFailure:
        wish = _Wish(
            session=self._pages,
            headers={"Accept": "text/plain, */*;q=0.5", "Accept-Encoding": "identity"},
            max_bytes=robots.MAX_BYTES,
            seconds=_PAGE_SECONDS,
            cut=True,
        )
        return _whole(await self._bounded(url, wish))

    async def _bounded(self, url: str, wish: _Wish) -> Answer:
        try:
            async with asyncio.timeout(wish.seconds) as limit:
                return await self._follow(url, wish, limit)
        except TimeoutError:
            return FeedFailure(reason=f"no complete answer within {wish.seconds:g} s")
        except TooLarge:
            return FeedFailure(reason=f"larger than {wish.max_bytes / 2**20:g} MiB")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return FeedFailure(reason=why(error))

    async def _follow(self, url: str, wish: _Wish, limit: asyncio.Timeout) -> Answer:
        permanent = True
        seen = [url]
        status = 0
        while len(seen) <= _MAX_HOPS + 1:
            answer = await self._ask(seen[-1], wish, limit)
            if isinstance(answer, FeedFailure):
                # gone is what says so itself, not what somebody sent us away from
                return replace(answer, gone=answer.gone and len(seen) == 1)
            if not isinstance(answer, headers.Moved):
                moved = seen[-1] if permanent and len(seen) > 1 else None
                return replace(answer, moved_to=moved)
            status = answer.status
            if answer.url in seen:
                reason = f"redirected in a circle at {short(answer.url)}"
                return FeedFailure(reason=reason, status=status)
            # a feed may be had without TLS, for it is public; for good it stays where TLS is
            permanent = permanent and answer.permanent and not exposed(seen[-1], answer.url)
            if wish.form is not None and exposed(seen[-1], answer.url):
                return FeedFailure(reason="redirected from https to http", status=status)
            seen.append(answer.url)
        return FeedFailure(reason=f"redirected more than {_MAX_HOPS} times", status=status)

    async def _ask(self, url: str, wish: _Wish, limit: asyncio.Timeout) -> Answer | headers.Moved:
        refusal = refuse_url(url, allow_private=self._allow_private)
        if refusal is None and wish.polite:
            refusal = await self._wait(url, wish, limit)
        if refusal:
            return FeedFailure(reason=refusal)
        method = wish.find or ("GET" if wish.form is None else "POST")
        async with wish.session.request(
            method, URL(url), headers=wish.headers, data=wish.form, allow_redirects=False
        ) as response:
            follow = _REDIRECTS if wish.form is None else _REDIRECTS_OF_FORMS
            if response.status in follow:
                return headers.redirect(response.status, response.url, response.headers)
            if response.status == HTTPStatus.NOT_MODIFIED and wish.headers:
                return Unchanged(max_age=headers.max_age(response.headers))
            if not _is_taken(response.status, wish):
                return headers.refused(response.status, response.reason, response.headers)
            return await _read(response, wish)

    async def _wait(self, url: str, wish: _Wish, limit: asyncio.Timeout) -> str | None:
        """Wait for the host's turn, which is not the server's time. Why not to ask, or None."""
        loop = asyncio.get_running_loop()
        left = (limit.when() or 0.0) - loop.time()
        limit.reschedule(None)
        try:
            return await self._manners.wait(url, robots=wish.robots)
        finally:
            limit.reschedule(loop.time() + left)


def _whole(answer: Answer) -> Fetched | FeedFailure:
    if isinstance(answer, Unchanged):  # which nobody asked for
        return FeedFailure(reason="HTTP 304 Not Modified", status=304)
    return answer


def _is_taken(status: int, wish: _Wish) -> bool:
    if wish.form is not None:
        return status // 100 == HTTPStatus.OK // 100
    return status in {HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION}


async def _read(response: aiohttp.ClientResponse, wish: _Wish) -> Fetched:
    packed = bytearray()
    async for chunk in response.content.iter_chunked(65536):
        if wish.find:
            break
        packed += chunk
        if len(packed) > wish.max_bytes:
            if not wish.cut:
                raise TooLarge
            del packed[wish.max_bytes :]
            break
    encoding = "" if wish.find else response.headers.get("Content-Encoding", "").strip().lower()
    told = response.headers
    return Fetched(
        body=inflate(bytes(packed), encoding, max_bytes=wish.max_bytes),
        url=str(response.url),
        content_type=told.get("Content-Type"),
        etag=headers.kept(told.get("ETag")),
        last_modified=headers.kept(told.get("Last-Modified")),
        max_age=headers.max_age(told),
        # `Link` may come several times, and each may say something else (RFC 8288 §3)
        headers={name.lower(): ", ".join(told.getall(name)) for name in told},
    )
