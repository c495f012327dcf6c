"""The fetcher against a real server on loopback: what it brings, and what it refuses."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from digest.feeds.fetch import Fetcher
from digest.feeds.guard import AddrInfo, exposed, open_public_socket
from digest.feeds.polite import Pause
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
    *,
    allow_private: bool = True,
    max_bytes: int = 100_000,
    timeout: float = 5,
    pause: Pause = asyncio.sleep,
) -> Fetcher:
    return Fetcher(
        allow_private=allow_private,
        user_agent="Digest/test (+https://digest.example)",
        max_bytes=max_bytes,
        timeout=timeout,
        pause=pause,
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
    assert isinstance(answer, Fetched)
    assert answer.headers["etag"] == '"v1"'
    assert replace(answer, headers={}) == Fetched(
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
    assert answer == FeedFailure(reason=failure(answer), status=status)


async def test_gone_is_gone(fetcher: Fetcher) -> None:
    async def handler(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=410)

    async with serving(handler) as url:
        gone = FeedFailure(reason="HTTP 410 Gone", gone=True, status=410)
        assert await fetcher.fetch(url) == gone


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

    def rebound(*_args: object, **_more: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    async with fetching(allow_private=False) as fetcher:
        answer = await fetcher.fetch("http://feeds.example/feed")
    assert failure(answer).startswith("feeds.example is a private address")


async def test_no_proxy_of_the_environment_is_asked(
    monkeypatch: pytest.MonkeyPatch, fetcher: Fetcher
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    async with serving(redirecting({})) as url:
        assert isinstance(await fetcher.fetch(url), Fetched)


async def test_every_address_of_a_name_is_checked_for_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name may have a public address and a private one: only the public one is connected to."""
    tried: list[object] = []

    def both(*_args: object, **_more: object) -> list[object]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80))
            for ip in ("10.0.0.1", "169.254.169.254", "127.0.0.2")
        ]

    def but_one(info: AddrInfo) -> socket.socket:
        tried.append(info[4][0])
        return socket.socket(*info[:3]) if info[4][0] == "127.0.0.2" else open_public_socket(info)

    monkeypatch.setattr(socket, "getaddrinfo", both)
    monkeypatch.setattr("digest.feeds.fetch.open_public_socket", but_one)
    async with fetching(allow_private=False) as fetcher:
        answer = await fetcher.fetch("http://feeds.example/feed")
    assert set(tried) == {"10.0.0.1", "169.254.169.254", "127.0.0.2"}
    # nobody listens there, and nowhere else was anybody asked
    assert failure(answer).startswith("feeds.example")


async def test_a_redirect_is_resolved_and_checked_like_the_first_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def names(host: str, *_args: object, **_more: object) -> list[object]:
        asked.append(host)
        ip = {"public.example": "127.0.0.2", "rebound.example": "10.0.0.1"}[host]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port))]

    def but_one(info: AddrInfo) -> socket.socket:
        return socket.socket(*info[:3]) if info[4][0] == "127.0.0.2" else open_public_socket(info)

    monkeypatch.setattr("digest.feeds.fetch.open_public_socket", but_one)
    monkeypatch.setattr("digest.feeds.guard._PORTS", range(65536))
    handler = redirecting({"/a": (301, "http://rebound.example/b")})
    async with serving(handler, host="127.0.0.2") as url, fetching(allow_private=False) as fetcher:
        port = int(url.rpartition(":")[2])
        monkeypatch.setattr(socket, "getaddrinfo", names)
        answer = await fetcher.fetch(f"http://public.example:{port}/a")
    assert asked == ["public.example", "rebound.example"]
    assert failure(answer).startswith("rebound.example is a private address")


async def test_a_redirect_to_another_port_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digest.feeds.fetch.open_public_socket", lambda it: socket.socket(*it[:3]))
    handler = redirecting({"/a": (302, "http://127.0.0.1:6379/")})
    async with serving(handler) as url:
        port = int(url.rpartition(":")[2])
        monkeypatch.setattr("digest.feeds.guard._PORTS", {port})
        async with fetching(allow_private=False) as fetcher:
            answer = await fetcher.fetch(f"{url}/a")
    assert failure(answer).startswith("port 6379 at 127.0.0.1 is not a port of the web")


@pytest.mark.parametrize(
    "head",
    [
        b"X-Long: " + b"a" * 100_000 + b"\r\n",
        b"".join(b"X-%d: a\r\n" % n for n in range(20_000)),
        b"X-Folded: a\r\n" + b" b\r\n" * 100_000,
    ],
    ids=["long", "many", "folded"],
)
async def test_a_flood_of_headers_is_cut_off(fetcher: Fetcher, head: bytes) -> None:
    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n" + head + b"Content-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(flood, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert failure(await fetcher.fetch(f"http://127.0.0.1:{port}/"))


async def test_headers_that_drip_end_at_the_time_limit() -> None:
    hung_up = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\n")
            while not reader.at_eof():
                writer.write(b"X: a\r\n")
                await asyncio.sleep(0.02)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # on a busy machine the time is over before anything was asked
        finally:
            writer.close()
            hung_up.set()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with server, fetching(timeout=0.3) as fetcher:
        port = server.sockets[0].getsockname()[1]
        answer = await fetcher.fetch(f"http://127.0.0.1:{port}/")
        await asyncio.wait_for(hung_up.wait(), 30)
    assert failure(answer) == "no complete answer within 0.3 s"


async def test_name_servers_that_hang_keep_no_other_name_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More of them than the event loop has threads of its own."""
    let_go = threading.Event()
    look_up = socket.getaddrinfo

    def hang(host: str, *args: Any, **more: Any) -> Any:
        if host.startswith("hang"):
            let_go.wait(10)
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return look_up(host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    async with serving(redirecting({})) as url, fetching(timeout=5) as fetcher:
        waiting = [
            asyncio.ensure_future(fetcher.fetch(f"http://hang{n}.example/")) for n in range(40)
        ]
        await asyncio.sleep(0.05)
        try:
            local = url.replace("127.0.0.1", "localhost")
            assert isinstance(await fetcher.fetch(local), Fetched)
            assert not any(each.done() for each in waiting)
        finally:
            let_go.set()
        await asyncio.gather(*waiting)


# --------------------------------------------------------------- moving, and staying as it is


async def test_a_move_from_https_to_http_is_followed_and_not_remembered(
    monkeypatch: pytest.MonkeyPatch, fetcher: Fetcher
) -> None:
    monkeypatch.setattr("digest.feeds.fetch.exposed", lambda was, _is: was.endswith("/a"))
    async with serving(redirecting({"/a": (301, "/b")})) as url:
        answer = await fetcher.fetch(f"{url}/a")
    assert isinstance(answer, Fetched)
    assert (answer.url, answer.moved_to) == (f"{url}/b", None)


def test_only_https_to_http_exposes() -> None:
    assert exposed("https://a.example/", "http://a.example/")
    assert not exposed("http://a.example/", "https://a.example/")
    assert not exposed("https://a.example/", "https://b.example/")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Cache-Control": "max-age=600"}, 600),
        ({"Cache-Control": "public, max-age=600, s-maxage=9"}, 600),
        ({"Cache-Control": "s-maxage=9"}, None),
        ({"Cache-Control": 'MAX-AGE="60"'}, 60),
        ({"Cache-Control": "max-age=600", "Age": "500"}, 100),
        ({"Cache-Control": "max-age=600", "Age": "700"}, 0),
        ({"Cache-Control": "no-cache, max-age=600"}, None),
        ({"Cache-Control": "no-store"}, None),
        ({"Cache-Control": "max-age=soon"}, None),
        ({"Expires": "Mon, 05 Oct 2026 09:30:00 GMT"}, 3600),
        ({"Expires": "0"}, None),
        ({"Cache-Control": "max-age=999999999"}, 366 * 86_400),
        ({}, None),
    ],
)
async def test_how_long_a_document_stays_as_it_is_comes_with_it(
    fetcher: Fetcher, headers: dict[str, str], seconds: int | None
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        told = {"Date": "Mon, 05 Oct 2026 08:30:00 GMT"} | headers
        unchanged = "If-None-Match" in request.headers
        return web.Response(status=304 if unchanged else 200, headers=told)

    expected = None if seconds is None else timedelta(seconds=seconds)
    async with serving(handler) as url:
        assert getattr(await fetcher.fetch(url), "max_age", 0) == expected
        assert await fetcher.fetch(url, etag='"v1"') == Unchanged(max_age=expected)


# --------------------------------------------------------------- pages that are not the feed


def with_rules(rules: str, *, status: int = 200) -> tuple[Handler, list[str]]:
    """A site with a robots.txt, and the paths that it was asked for."""
    asked: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        if request.path == "/robots.txt":
            return web.Response(status=status, text=rules)
        if request.path == "/away":
            return web.Response(status=302, headers={"Location": "/closed/page"})
        return web.Response(text="page")

    return handler, asked


async def test_a_page_is_asked_for_after_the_rules_of_its_site(fetcher: Fetcher) -> None:
    handler, asked = with_rules("User-agent: *\nDisallow: /closed/")
    async with serving(handler) as url:
        assert isinstance(await fetcher.fetch_page(f"{url}/open"), Fetched)
        refusal = failure(await fetcher.fetch_page(f"{url}/closed/page"))
        assert failure(await fetcher.fetch_page(f"{url}/away")) == refusal
        assert isinstance(await fetcher.fetch_page(f"{url}/closed/x", robots=False), Fetched)
        # the feed is what the operator named: it is asked in any case
        assert isinstance(await fetcher.fetch(f"{url}/closed/feed"), Fetched)
    assert refusal == "robots.txt of 127.0.0.1 asks robots not to read this"
    assert asked == ["/robots.txt", "/open", "/away", "/closed/x", "/closed/feed"]


async def test_while_the_rules_cannot_be_had_no_page_is_read(fetcher: Fetcher) -> None:
    handler, asked = with_rules("", status=503)
    async with serving(handler) as url:
        reason = failure(await fetcher.fetch_page(f"{url}/page"))
    assert reason == "robots.txt cannot be had: HTTP 503 Service Unavailable"
    assert asked == ["/robots.txt"]


async def test_rules_that_are_too_long_count_as_far_as_they_are_read(fetcher: Fetcher) -> None:
    handler, _ = with_rules("User-agent: *\nDisallow: /closed/\n" + "# padding\n" * 200_000)
    async with serving(handler) as url:
        assert "asks robots" in failure(await fetcher.fetch_page(f"{url}/closed/page"))
        assert isinstance(await fetcher.fetch_page(f"{url}/open"), Fetched)


async def test_the_time_that_we_wait_out_of_politeness_is_not_the_servers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("digest.feeds.fetch._PAGE_SECONDS", 0.3)
    monkeypatch.setattr("digest.feeds.polite._is_here", lambda _origin: False)
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        await asyncio.sleep(0.4)

    handler, _ = with_rules("")
    async with serving(handler) as url, fetching(pause=pause) as fetcher:
        for _ in range(3):
            assert isinstance(await fetcher.fetch_page(f"{url}/page"), Fetched)
    assert len(waited) == 2


@pytest.mark.parametrize("status", [304, 404, 410, 500])
async def test_a_page_that_does_not_come_says_its_status(fetcher: Fetcher, status: int) -> None:
    async def handler(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status)

    async with serving(handler) as url:
        answer = await fetcher.fetch_page(url, robots=False)
    assert isinstance(answer, FeedFailure)
    assert (answer.status, answer.gone) == (status, status == 410)


async def test_pages_are_guarded_like_feeds() -> None:
    async with fetching(allow_private=False) as fetcher:
        for robots in (True, False):
            reason = failure(await fetcher.fetch_page("http://127.0.0.1/page", robots=robots))
            assert "is a private address" in reason
        assert "is a private address" in failure(await fetcher.post_form("http://10.0.0.1/", {}))
        assert "port 22" in failure(await fetcher.fetch_page("http://feeds.example:22/"))


# --------------------------------------------------------------- forms for hubs


async def test_a_form_is_posted_and_any_success_will_do(fetcher: Fetcher) -> None:
    got: list[tuple[str, str, dict[str, str]]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        fields = {name: str(value) for name, value in (await request.post()).items()}
        got.append((request.method, request.path, fields))
        if request.path == "/":
            return web.Response(status=307, headers={"Location": "/hub"})
        return web.Response(status=202, text="later")

    fields = {"hub.mode": "subscribe", "hub.topic": "https://a.example/feed?x=1&y=ü"}
    async with serving(handler) as url:
        answer = await fetcher.post_form(f"{url}/", fields)
    assert isinstance(answer, Fetched)
    assert answer.body == b"later"
    assert got == [("POST", "/", fields), ("POST", "/hub", fields)]


@pytest.mark.parametrize("status", [301, 302, 303, 400, 500])
async def test_a_form_is_turned_into_no_question(fetcher: Fetcher, status: int) -> None:
    async with serving(redirecting({"/": (status, "/elsewhere")})) as url:
        answer = await fetcher.post_form(f"{url}/", {"hub.secret": "s"})
    assert isinstance(answer, FeedFailure)
    assert answer.status == status


async def test_a_form_with_a_secret_leaves_https_for_nobody(
    monkeypatch: pytest.MonkeyPatch, fetcher: Fetcher
) -> None:
    monkeypatch.setattr("digest.feeds.fetch.exposed", lambda was, _is: was.endswith("/a"))
    async with serving(redirecting({"/a": (307, "/b")})) as url:
        answer = await fetcher.post_form(f"{url}/a", {"hub.secret": "s"})
    assert failure(answer) == "redirected from https to http"


async def test_a_page_is_looked_for_without_its_body() -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(f"{request.method} {request.path}")
        if request.method == "HEAD" and request.path == "/shy":
            raise web.HTTPMethodNotAllowed("HEAD", ["GET"])
        if request.path == "/gone":
            raise web.HTTPNotFound
        if request.path == "/moved":
            raise web.HTTPFound("/there")
        return web.Response(body=b"x" * 500_000, headers={"Content-Encoding": "br"})

    async with fetching(pause=_at_once) as one, serving(answer) as url:
        for path in ("/there", "/shy", "/moved"):
            found = await one.find(url + path)
            assert isinstance(found, Fetched)
            assert found.body == b""
        missing = await one.find(f"{url}/gone")
        assert isinstance(missing, FeedFailure)
        assert missing.status == 404
    assert "GET /there" not in asked
    assert "GET /shy" in asked


async def test_what_lies_inside_is_not_looked_for() -> None:
    async with fetching(allow_private=False, pause=_at_once) as one:
        assert "private" in failure(await one.find("http://127.0.0.1/"))


async def _at_once(seconds: float) -> None:
    """Wait for nobody."""
