"""Turns a feed's address into its document, "nothing new", or the reason why there is neither.

Asks with the validators of the last poll, follows redirects by hand, keeps no cookies, and stops
at limits of time, size and hops. The pictures of a site come by the same rules. Never raises for
what a stranger does.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from digest.feeds.guard import PrivateAddress, open_public_socket, refuse_url
from digest.feeds.inflate import TooLarge, inflate
from digest.model.feed import FeedFailure, Fetched, Unchanged
from digest.model.text import one_line

_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9,"
    " application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)
#: by the names of what we show, which is known by its first bytes and not by what it is called
_ACCEPT_PICTURES = "image/avif, image/webp, image/png, image/jpeg, image/gif"
_PICTURE_BYTES = 2 * 1024 * 1024
_PICTURE_SECONDS = 10.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
_MAX_HOPS = 5
_MAX_VALIDATOR = 1000

Answer = Fetched | Unchanged | FeedFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moved:
    """A redirect: where to, and whether for good."""

    url: str
    permanent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What is asked for, over whose connections, and how much of it we take."""

    session: aiohttp.ClientSession
    validators: Mapping[str, str]
    max_bytes: int
    #: for all redirects together
    seconds: float


class Fetcher:
    """Polls feeds over kept connections; an async context manager.

    `max_bytes` limits the body before and after decompression, `timeout` the seconds of a whole
    fetch with all its redirects.
    """

    def __init__(
        self,
        *,
        allow_private: bool,
        user_agent: str,
        max_bytes: int = 5 * 1024 * 1024,
        timeout: float = 20,
    ) -> None:
        self._allow_private = allow_private
        self._user_agent = user_agent
        self._max_bytes = max_bytes
        self._timeout = timeout

    async def __aenter__(self) -> Self:
        # apart, so that a page full of pictures never keeps a feed of the same site waiting
        self._session = self._open(_ACCEPT, a_host=2)
        self._pictures = self._open(_ACCEPT_PICTURES, a_host=4)
        return self

    def _open(self, accept: str, *, a_host: int) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit_per_host=a_host,
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
        await self._session.close()
        await self._pictures.close()

    async def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None
    ) -> Answer:
        """The document at `url`, or `Unchanged` since `etag` or `last_modified`, or a failure."""
        wish = _Wish(
            session=self._session,
            validators=_validators(etag, last_modified),
            max_bytes=self._max_bytes,
            seconds=self._timeout,
        )
        return await self._bounded(url, wish)

    async def fetch_picture(self, url: str) -> Answer:
        """What stands at the address of a picture, at most 2 MiB in 10 s, or a failure.

        By the same rules as a feed. Whether it is a picture is for the caller to find out.
        """
        wish = _Wish(
            session=self._pictures,
            validators={},
            max_bytes=_PICTURE_BYTES,
            seconds=_PICTURE_SECONDS,
        )
        return await self._bounded(url, wish)

    async def _bounded(self, url: str, wish: _Wish) -> Answer:
        try:
            async with asyncio.timeout(wish.seconds):
                return await self._follow(url, wish)
        except TimeoutError:
            return FeedFailure(reason=f"no complete answer within {wish.seconds:g} s")
        except TooLarge:
            return FeedFailure(reason=f"larger than {wish.max_bytes / 2**20:g} MiB")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return FeedFailure(reason=_reason(error))

    async def _follow(self, url: str, wish: _Wish) -> Answer:
        permanent = True
        seen = [url]
        while len(seen) <= _MAX_HOPS + 1:
            answer = await self._ask(seen[-1], wish)
            if not isinstance(answer, _Moved):
                moved = seen[-1] if permanent and len(seen) > 1 else None
                return (
                    answer if isinstance(answer, FeedFailure) else replace(answer, moved_to=moved)
                )
            if answer.url in seen:
                return FeedFailure(reason=f"redirected in a circle at {_short(answer.url)}")
            permanent = permanent and answer.permanent
            seen.append(answer.url)
        return FeedFailure(reason=f"redirected more than {_MAX_HOPS} times")

    async def _ask(self, url: str, wish: _Wish) -> Answer | _Moved:
        refusal = refuse_url(url, allow_private=self._allow_private)
        if refusal:
            return FeedFailure(reason=refusal)
        headers = wish.validators
        async with wish.session.get(URL(url), headers=headers, allow_redirects=False) as response:
            if response.status in _REDIRECTS:
                return _redirect(response)
            if response.status == HTTPStatus.NOT_MODIFIED and headers:
                return Unchanged()
            if response.status not in {HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION}:
                return _refused(response)
            return await _read(response, wish.max_bytes)


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> Fetched:
    packed = bytearray()
    async for chunk in response.content.iter_chunked(65536):
        packed += chunk
        if len(packed) > max_bytes:
            raise TooLarge
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    return Fetched(
        body=inflate(bytes(packed), encoding, max_bytes=max_bytes),
        url=str(response.url),
        content_type=response.headers.get("Content-Type"),
        etag=_kept(response.headers.get("ETag")),
        last_modified=_kept(response.headers.get("Last-Modified")),
    )


def _validators(etag: str | None, last_modified: str | None) -> dict[str, str]:
    pairs = (("If-None-Match", etag), ("If-Modified-Since", last_modified))
    return {name: value for name, value in pairs if value}


def _kept(validator: str | None) -> str | None:
    # what is not ASCII cannot be sent back (RFC 9110 5.5)
    fits = validator and len(validator) <= _MAX_VALIDATOR and validator.isascii()
    return validator if fits else None


def _redirect(response: aiohttp.ClientResponse) -> _Moved | FeedFailure:
    location = response.headers.get("Location")
    if not location:
        return FeedFailure(reason=f"HTTP {response.status} without an address to go to")
    # The fragment is for browsers; without it a circle is seen as one.
    target = response.url.join(URL(location.strip())).with_fragment(None)
    return _Moved(url=str(target), permanent=response.status in _PERMANENT)


def _refused(response: aiohttp.ClientResponse) -> FeedFailure:
    status = response.status
    words = one_line(response.reason or "")[:60]
    return FeedFailure(
        reason=f"HTTP {status} {words}".rstrip(),
        retry_after=_retry_after(response.headers) if status in {429, 503} else None,
        gone=status == HTTPStatus.GONE,
    )


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Seconds, or a date (RFC 9110 §10.2.3), which is read by the server's own clock."""
    raw = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", raw):
        return timedelta(seconds=int(raw))
    until, there = _http_date(raw), _http_date(headers.get("Date", ""))
    return max(until - there, timedelta(0)) if until and there else None


def _http_date(raw: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(raw)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _reason(error: Exception) -> str:
    """One line for the operator."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return _unconnected(error)
    if isinstance(error, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError):
        return "the server broke off"
    if isinstance(error, aiohttp.InvalidURL):
        return _short(f"{error.url} {error.description or 'is not an address'}")
    return _short(str(error)) or type(error).__name__


def _unconnected(error: aiohttp.ClientConnectorError) -> str:
    host, cause = error.host, error.os_error
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"the name {host} cannot be resolved"
        case aiohttp.ClientConnectorCertificateError():
            return f"the certificate of {host} is not accepted: {_certificate(error)}"
        case aiohttp.ClientSSLError():
            return f"TLS with {host} failed: {_short(str(cause))}"
        case _ if isinstance(cause, PrivateAddress):
            return f"{host} {cause}"
        case _ if isinstance(cause, ConnectionRefusedError):
            return f"{host} port {error.port} refuses connections"
        case _:
            return f"cannot connect to {host}: {_short(str(cause))}"


def _certificate(error: aiohttp.ClientConnectorCertificateError) -> str:
    inner = error.certificate_error
    return _short(getattr(inner, "verify_message", str(inner)))


def _short(text: str) -> str:
    return one_line(text)[:200]
