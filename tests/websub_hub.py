"""A WebSub hub on loopback, in a thread: it is asked, calls back, and tells its subscribers."""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import httpx

#: how many characters a random string of a hub has
CHALLENGE = "wahr-und-wahrhaftig-0123456789"


@dataclass
class Hub:
    """What it was asked, and how it behaves; set any of it at any time."""

    url: str = ""
    #: the forms that came, oldest first
    asks: list[dict[str, str]] = field(default_factory=list)
    status: int = 202
    #: what it does behind the answer
    mode: str = "verify"
    #: what it grants; None: what was asked for
    lease: str | None = None
    #: what our callback said: status and body
    answers: list[tuple[int, str]] = field(default_factory=list)
    #: callbacks that said yes: topic and secret
    subscribers: dict[str, tuple[str, str]] = field(default_factory=dict)
    #: callbacks that are told, seconds after which they are
    threads: list[threading.Thread] = field(default_factory=list)

    def take(self, form: dict[str, str]) -> None:
        """Do behind the answer what a hub does."""
        self.asks.append(form)
        if self.status // 100 != 2 or self.mode == "silent":
            return
        act = self.deny if self.mode == "deny" else self.verify
        thread = threading.Thread(target=act, args=(form,))
        thread.start()
        self.threads.append(thread)

    def verify(self, form: dict[str, str], **other: str) -> httpx.Response:
        """Ask whether that was meant."""
        query = {
            "hub.mode": form["hub.mode"],
            "hub.topic": form["hub.topic"],
            "hub.challenge": CHALLENGE,
            **other,
        }
        if form["hub.mode"] == "subscribe":
            query.setdefault("hub.lease_seconds", self.lease or form["hub.lease_seconds"])
        answer = self._call(form["hub.callback"], query)
        if (answer.status_code, answer.text) == (200, CHALLENGE):
            if form["hub.mode"] == "subscribe":
                secret = form["hub.secret"]
                self.subscribers[form["hub.callback"]] = (form["hub.topic"], secret)
            else:
                self.subscribers.pop(form["hub.callback"], None)
        return answer

    def deny(self, form: dict[str, str]) -> httpx.Response:
        """Say that there will be no pushes."""
        topic = form["hub.topic"]
        return self._call(
            form["hub.callback"],
            {"hub.mode": "denied", "hub.topic": topic, "hub.reason": "nicht\nhier"},
        )

    def _call(self, callback: str, query: dict[str, str]) -> httpx.Response:
        answer = httpx.get(callback, params=query, timeout=10)
        self.answers.append((answer.status_code, answer.text))
        return answer

    def push(self, body: bytes, *, method: str = "sha256", secret: str | None = None) -> list[int]:
        """Tell every subscriber; what each answered."""
        said = []
        for callback, (topic, theirs) in list(self.subscribers.items()):
            answer = httpx.post(
                callback,
                content=body,
                headers={
                    "Content-Type": "application/rss+xml",
                    "Link": f'<{self.url}>; rel="hub", <{topic}>; rel="self"',
                    "X-Hub-Signature": sign(body, secret or theirs, method),
                },
                timeout=10,
            )
            said.append(answer.status_code)
            if answer.status_code == httpx.codes.GONE:
                del self.subscribers[callback]
        return said

    def settle(self) -> None:
        """Wait until everybody was called back."""
        while self.threads:
            self.threads.pop().join()


def sign(body: bytes, secret: str, method: str = "sha256") -> str:
    return f"{method}={hmac.new(secret.encode(), body, method).hexdigest()}"


def wait_until(true: Callable[[], object], *, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.02)


@contextmanager
def serving_hub() -> Iterator[Hub]:
    """A hub on loopback."""
    hub = Hub()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hub.take(dict(parse_qsl(body.decode(), keep_blank_values=True)))
            self.send_response(hub.status)
            if hub.status == httpx.codes.TOO_MANY_REQUESTS:
                self.send_header("Retry-After", "7200")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the library's name
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    hub.url = f"http://127.0.0.1:{server.server_port}/hub"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        hub.settle()
