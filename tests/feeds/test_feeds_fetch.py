"""The fetcher against a real server on loopback: what it brings, and what it refuses."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from digest.feeds.fetch import Fetcher
from digest.feeds.guard import AddrInfo, open_public_socket
from digest.model.feed import FeedFailure, Fetched, Unchanged

FEED = b"<rss version='2.0'><channel><title>Feed</title></channel></rss>"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler, *, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """The address of a server that answers every request with `handler`."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app, host=host) as server:
        yield f"http://{host}:{server.port}"


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    async with fetching() as one:
        yield one


def fetching(
    *, allow_private: bool = True, max_bytes: int = 100_000, timeout: float = 5
) -> Fetcher:
    return Fetcher(
        allow_private=allow_private,
        user_agent="Digest/test (+https://digest.example)",
        max_bytes=max_bytes,
        timeout=timeout,
    )


def failure(answer: object) -> str:
    assert isinstance(answer, FeedFailure)
    assert "\n" not in answer.reason
    return answer.reason


def redirecting(targets: dict[str, tuple[int, str]]) -> Handler:
    """Answers with a redirect where `targets` has one for the path, else with the feed."""

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.path in targets:
            status, location = targets[request.path]
            return web.Response(status=status, headers={"Location": location})
        return web.Response(body=FEED)

    return handler


async def test_a_document_comes_with_its_validators(fetcher: Fetcher) -> None:
    async def handler(_request: web.Request) -> web.StreamResponse:
        headers = {"ETag": '"v1"', "Last-Modified": "Mon, 05 Oct 2026 08:30:15 GMT"}
        return web.Response(body=FEED, content_type="application/rss+xml", headers=headers)

    async with serving(handler) as url:
        answer = await fetcher.fetch(f"{url}/feed")
    assert answer == Fetched(
        body=FEED,
        url=f"{url}/feed",
        content_type="application/rss+xml",
        etag='"v1"',
        last_modified="Mon, 05 Oct 2026 08:30:15 GMT",
    )


async def test_it_says_who_asks_and_for_what(fetcher: Fetcher) -> None:
    seen: list[dict[str, str]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append(dict(request.headers))
        response = web.Response(body=FEED)
        response.set_cookie("track", "me")
        return response

    async with serving(handler) as url:
        await fetcher.fetch(url)
        await fetcher.fetch(url)
    assert [each["User-Agent"] for each in seen] == ["Digest/test (+https://digest.example)"] * 2
    assert seen[0]["Accept"].startswith("application/atom+xml")
    assert seen[0]["Accept-Encoding"] == "gzip, deflate"
    assert all("Cookie" not in each for each in seen)


async def test_what_did_not_change_is_not_sent_again(fetcher: Fetcher) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        same = request.headers.get("If-None-Match") == '"v1"'
        dated = request.headers.get("If-Modified-Since") == "Mon, 05 Oct 2026 08:30:15 GMT"
        return web.Response(status=304) if same or dated else web.Response(body=FEED)

    async with serving(handler) as url:
        assert await fetcher.fetch(url, etag='"v1"') == Unchanged()
        date = "Mon, 05 Oct 2026 08:30:15 GMT"
        assert await fetcher.fetch(url, last_modified=date) == Unchanged()
        assert isinstance(await fetcher.fetch(url, etag='"v0"'), Fetched)


async def test_a_304_that_nobody_asked_for_is_a_failure(fetcher: Fetcher) -> None:
    async def handler(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=304)

    async with serving(handler) as url:
        assert failure(await fetcher.fetch(url)) == "HTTP 304 Not Modified"


async def test_a_chain_of_permanent_redirects_moves_the_feed(fetcher: Fetcher) -> None:
    async with serving(redirecting({"/a": (301, "/b"), "/b": (308, "c#top")})) as url:
        answer = await fetcher.fetch(f"{url}/a")
    assert isinstance(answer, Fetched)
    assert (answer.url, answer.moved_to) == (f"{url}/c", f"{url}/c")


async def test_one_temporary_redirect_and_the_feed_stays_where_it_is(fetcher: Fetcher) -> None:
    async with serving(redirecting({"/a": (301, "/b"), "/b": (302, "/c")})) as url:
        answer = await fetcher.fetch(f"{url}/a")
    assert isinstance(answer, Fetched)
    assert (answer.url, answer.moved_to) == (f"{url}/c", None)


@pytest.mark.parametrize(
    ("targets", "reason"),
    [
        ({"/a": (301, "/a")}, "redirected in a circle"),
        ({"/a": (302, "/b"), "/b": (302, "/a")}, "redirected in a circle"),
        (
            {f"/{n}": (302, f"/{n + 1}") for n in range(10)} | {"/a": (302, "/0")},
            "redirected more than 5 times",
        ),
        ({"/a": (302, "file:///etc/passwd")}, "not an http or https address"),
        ({"/a": (302, "https://u:p@feeds.example/")}, "user name or password"),
        ({"/a": (302, "http://[bad")}, ""),
        ({"/a": (302, "")}, "HTTP 302 without an address"),
    ],
)
async def test_redirects_that_lead_nowhere_end_the_poll(
    fetcher: Fetcher, targets: dict[str, tuple[int, str]], reason: str
) -> None:
    async with serving(redirecting(targets)) as url:
        assert reason in failure(await fetcher.fetch(f"{url}/a"))


async def test_five_redirects_are_followed(fetcher: Fetcher) -> None:
    async with serving(redirecting({f"/{n}": (302, f"/{n + 1}") for n in range(5)})) as url:
        assert isinstance(await fetcher.fetch(f"{url}/0"), Fetched)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 502])
async def test_a_refusal_is_told_with_its_status(fetcher: Fetcher, status: int) -> None:
    async def handler(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"Retry-After": "60"})

    async with serving(handler) as url:
        answer = await fetcher.fetch(url)
    assert failure(answer).startswith(f"HTTP {status} ")
    assert answer == FeedFailure(reason=failure(answer))


async def test_gone_is_gone(fetcher: Fetcher) -> None:
    async def handler(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=410)

    async with serving(handler) as url:
        assert await fetcher.fetch(url) == FeedFailure(reason="HTTP 410 Gone", gone=True)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("120", timedelta(seconds=120)),
        ("Mon, 05 Oct 2026 09:00:00 GMT", timedelta(minutes=30)),
        ("Mon, 05 Oct 2026 08:00:00 GMT", timedelta(0)),
        ("soon", None),
        ("-5", None),
        (None, None),
    ],
)
async def test_a_server_may_ask_for_a_pause(
    fetcher: Fetcher, status: int, asked: str | None, expected: timedelta | None
) -> None:
    async def handler(_request: web.Request) -> web.StreamResponse:
        headers = {"Date": "Mon, 05 Oct 2026 08:30:00 GMT"}
        return web.Response(
            status=status, headers=headers | ({"Retry-After": asked} if asked else {})
        )

    async with serving(handler) as url:
        answer = await fetcher.fetch(url)
    assert isinstance(answer, FeedFailure)
    assert answer.retry_after == expected


async def test_a_compressed_document_is_unpacked(fetcher: Fetcher) -> None:
    async def handler(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=gzip.compress(FEED), headers={"Content-Encoding": "gzip"})

    async with serving(handler) as url:
        answer = await fetcher.fetch(url)
    assert isinstance(answer, Fetched)
    assert answer.body == FEED


async def test_a_bomb_does_not_go_off(fetcher: Fetcher) -> None:
    async def handler(_request: web.Request) -> web.StreamResponse:
        bomb = gzip.compress(bytes(50_000_000))
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    async with serving(handler) as url:
        assert failure(await fetcher.fetch(url)).startswith("larger than ")


async def test_an_endless_document_is_cut_off(fetcher: Fetcher) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"<item/>" * 1000)

    async with serving(handler) as url:
        assert failure(await fetcher.fetch(url)).startswith("larger than ")


async def test_an_unknown_packing_is_named(fetcher: Fetcher) -> None:
    async def handler(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"??", headers={"Content-Encoding": "br"})

    async with serving(handler) as url:
        assert "'br'" in failure(await fetcher.fetch(url))


async def test_a_slow_drip_ends_at_the_time_limit() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.02)

    async with serving(handler) as url, fetching(timeout=0.3) as fetcher:
        assert failure(await fetcher.fetch(url)) == "no complete answer within 0.3 s"


async def test_redirects_share_one_time_limit() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.2)
        return web.Response(status=302, headers={"Location": request.path + "x"})

    async with serving(handler) as url, fetching(timeout=0.5) as fetcher:
        assert failure(await fetcher.fetch(url)) == "no complete answer within 0.5 s"


async def test_a_server_that_hangs_up_is_told(fetcher: Fetcher) -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        answer = await fetcher.fetch(f"http://127.0.0.1:{port}/")
    assert failure(answer) == "the server broke off"


async def test_what_is_not_http_is_told(fetcher: Fetcher) -> None:
    async def chat(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()

    server = await asyncio.start_server(chat, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        answer = await fetcher.fetch(f"http://127.0.0.1:{port}/")
    assert failure(answer)


async def test_a_closed_port_refuses(fetcher: Fetcher) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        answer = await fetcher.fetch(f"http://127.0.0.1:{port}/")
    assert failure(answer) == f"127.0.0.1 port {port} refuses connections"


async def test_tls_to_a_server_without_it_fails(fetcher: Fetcher) -> None:
    async with serving(redirecting({})) as url:
        answer = await fetcher.fetch(url.replace("http:", "https:"))
    assert failure(answer).startswith("TLS with 127.0.0.1 failed")


async def test_a_name_that_does_not_exist_cannot_be_resolved(fetcher: Fetcher) -> None:
    answer = await fetcher.fetch("http://no-such-host.invalid/feed")
    assert failure(answer) == "the name no-such-host.invalid cannot be resolved"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "0x7f000001",
        "\uff11\uff12\uff17.0.0.1",
        "0.0.0.0",  # noqa: S104 -- an address to refuse
        "[::1]",
        "[::ffff:127.0.0.1]",
        "10.0.0.1",
        "169.254.169.254",
        "[fd00::1]",
        "[64:ff9b::7f00:1]",
    ],
)
async def test_private_addresses_are_refused_in_every_spelling(host: str) -> None:
    async with fetching(allow_private=False) as fetcher:
        answer = await fetcher.fetch(f"http://{host}/feed")
    assert "is a private address; set DIGEST_FEED_ALLOW_PRIVATE=true" in failure(answer)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0177.0.0.1"])
async def test_half_written_addresses_are_none(host: str) -> None:
    async with fetching(allow_private=False) as fetcher:
        answer = await fetcher.fetch(f"http://{host}/feed")
    assert failure(answer) == f"{host} is not a canonical IPv4 address"


async def test_a_redirect_to_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first hop is let through, as a public server would be; the second is not."""

    def but_one(info: AddrInfo) -> socket.socket:
        return socket.socket(*info[:3]) if info[4][0] == "127.0.0.2" else open_public_socket(info)

    monkeypatch.setattr("digest.feeds.fetch.open_public_socket", but_one)
    monkeypatch.setattr("digest.feeds.guard._PORTS", range(65536))
    handler = redirecting({"/a": (302, "http://127.0.0.1:80/")})
    async with serving(handler, host="127.0.0.2") as url, fetching(allow_private=False) as fetcher:
        answer = await fetcher.fetch(f"{url}/a")
    assert failure(answer).startswith("127.0.0.1 is a private address")


async def test_a_name_that_turns_private_after_a_look_up_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the name service says, the socket is checked: rebinding gains nothing."""

    async def rebound(*_args: object, **_more: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", rebound)
    async with fetching(allow_private=False) as fetcher:
        answer = await fetcher.fetch("http://feeds.example/feed")
    assert failure(answer).startswith("feeds.example is a private address")


async def test_no_proxy_of_the_environment_is_asked(
    monkeypatch: pytest.MonkeyPatch, fetcher: Fetcher
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    async with serving(redirecting({})) as url:
        assert isinstance(await fetcher.fetch(url), Fetched)
