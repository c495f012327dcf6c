"""Gives the demo public names, as a real installation has, and shows loopback in their place.

Mail wants https addresses: one-click unsubscribe is nothing without them (RFC 8058 section 3.1).
So the demo's mails carry https names, byte for byte as they would be sent. Where the demo shows
something in a browser these names are replaced by the loopback address that serves them, which is
what a name server would have done. Feeds and raw mails keep their bytes.
"""

from __future__ import annotations

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digest.feeds.fetch import Answer, Fetcher

#: RFC 2606: names that nobody can own
PUBLIC_URL: Final = "https://post.demo.example"
SITE_URL: Final = "https://www.demo.example"


class ShowLoopback:
    """ASGI middleware: in HTML answers the public names become the address that serves them."""

    def __init__(self, app: ASGIApp, *, local: str) -> None:
        self._app = app
        self._names = {
            name.encode(): address.encode() for name, address in _addresses(local).items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; rewrite the answer if it is a page."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def send_local(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_page(message):
                start = message
            elif start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    await self._send_page(send, start, body)

        await self._app(scope, receive, send_local)

    async def _send_page(self, send: Send, start: Message, body: bytes) -> None:
        for public, local in self._names.items():
            body = body.replace(public, local)
        headers = MutableHeaders(scope=start)
        if "content-length" in headers and headers["content-length"] != "0":
            headers["content-length"] = str(len(body))
        await send(start)
        await send({"type": "http.response.body", "body": body})


class LoopbackFetcher(Fetcher):
    """Fetches the pictures of the public names from the address that serves them."""

    def __init__(self, *, local: str) -> None:
        super().__init__(allow_private=True, user_agent="digest demo")
        self._names = _addresses(local)

    async def fetch_picture(self, url: str, *, original: bool = False) -> Answer:
        """The same as any fetcher's."""
        for public, local in self._names.items():
            if url.startswith(f"{public}/"):
                url = local + url.removeprefix(public)
        return await super().fetch_picture(url, original=original)


def _addresses(local: str) -> dict[str, str]:
    return {PUBLIC_URL: local, SITE_URL: f"{local}/site"}


def _is_page(start: Message) -> bool:
    return MutableHeaders(scope=start).get("content-type", "").startswith("text/html")
