"""Adds to every answer the headers that keep readers' links to themselves.

It never looks into a body and never changes a header that the page set itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: paths that carry a token, with which one speaks for the reader, or answer with an address
_PRIVATE: Final = (
    *("/confirm/", "/unsubscribe/", "/preferences/", "/desk/", "/preview/", "/subscribe"),
)
_EVERYWHERE: Final = {
    # a token in an address must not travel to the next site
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
}


class SecurityHeaders:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add what is missing to the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                guard(MutableHeaders(scope=message), path=scope["path"])
            await send(message)

        await self._app(scope, receive, send_guarded)


def guard(headers: MutableHeaders, *, path: str) -> None:
    """Add what is missing to the headers of an answer."""
    for name, value in _EVERYWHERE.items():
        headers.setdefault(name, value)
    if path.startswith(_PRIVATE):
        headers["Cache-Control"] = "no-store"
        headers["X-Robots-Tag"] = "noindex"
