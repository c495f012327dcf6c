"""Turns the wish to ask a site into the moment for it, or into a refusal by its robots.txt.

One host is asked once a second, or as seldom as its Crawl-delay says; what its robots.txt says is
remembered for a day, for so many hosts. Time and the way to fetch come in as arguments.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import ip_address

from yarl import URL

from digest.feeds.robots import DELAY, EVERYTHING, NOTHING, Robots, read_robots
from digest.model.feed import FeedFailure, Fetched

#: how long the rules of a site are good (RFC 9309 §2.4), seconds
DAY = 86_400.0
#: after how long a site whose rules could not be had is asked for them again, seconds
SOON = 600.0
#: sites that are remembered at once, and the longest file that is kept as it came
HOSTS = 1000
MAX_KEPT = 32 * 1024

#: fetches a robots.txt
Ask = Callable[[str], Awaitable[Fetched | FeedFailure]]
Pause = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class _Host:
    """What we know of a site, and when it may be asked again."""

    rules: Robots = NOTHING
    #: until when the rules are good
    until: float = 0.0
    #: the file itself, unless it is long, or why there is none
    answer: Fetched | FeedFailure | None = None
    free_at: float = 0.0
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Manners:
    """Who waits before questions, and reads what a site asks of robots.

    `now` gives seconds of a clock that never goes back, `pause` waits so many of them.
    """

    def __init__(self, ask: Ask, *, now: Callable[[], float], pause: Pause) -> None:
        self._ask = ask
        self._now = now
        self._pause = pause
        self._hosts: OrderedDict[str, _Host] = OrderedDict()

    async def wait(self, url: str, *, robots: bool) -> str | None:
        """Wait until `url` may be asked for; why it may not, in one line, or None.

        Without `robots` the site's rules are not asked for; the wait is kept all the same.
        """
        origin = str(URL(url).origin())
        host = self._host(origin)
        if robots:
            await self._learn(host, origin)
            if not host.rules.allows(url):
                return _refusal(host, url)
        delay = 0.0 if _is_here(origin) else host.rules.delay if robots else DELAY
        now = self._now()
        turn = max(host.free_at, now)
        host.free_at = turn + delay
        if turn > now:
            await self._pause(turn - now)
        return None

    async def robots_txt(self, url: str) -> Fetched | FeedFailure:
        """The file itself, which others read too, for the maps that it names; asked for once."""
        origin = str(URL(url).origin())
        host = self._host(origin)
        await self._learn(host, origin)
        return host.answer or await self._ask(f"{origin}/robots.txt")

    def _host(self, origin: str) -> _Host:
        host = self._hosts.setdefault(origin, _Host())
        self._hosts.move_to_end(origin)
        if len(self._hosts) > HOSTS:
            self._hosts.popitem(last=False)
        return host

    async def _learn(self, host: _Host, origin: str) -> None:
        async with host.asking:  # one question, however many pages wait for the answer
            if self._now() < host.until:
                return
            answer = await self._ask(f"{origin}/robots.txt")
            host.rules, good = await _understood(answer)
            host.until = self._now() + good
            long = isinstance(answer, Fetched) and len(answer.body) > MAX_KEPT
            host.answer = None if long else answer


def _is_here(origin: str) -> bool:
    """Whether a site is on this very computer, where nobody needs our manners."""
    try:
        return ip_address(URL(origin).host or "").is_loopback
    except ValueError:
        return False


def _refusal(host: _Host, url: str) -> str:
    if isinstance(host.answer, FeedFailure):
        return f"robots.txt cannot be had: {host.answer.reason}"
    return f"robots.txt of {URL(url).host} asks robots not to read this"


async def _understood(answer: Fetched | FeedFailure) -> tuple[Robots, float]:
    """The rules, and for how many seconds they are good."""
    if isinstance(answer, Fetched):
        # off the loop: half a megabyte of rules takes a while to read
        return await asyncio.to_thread(read_robots, answer.body), DAY
    status = answer.status or 0
    asked_to_wait = status == HTTPStatus.TOO_MANY_REQUESTS
    if 300 <= status < 500 and not asked_to_wait:  # noqa: PLR2004 -- RFC 9309 §2.3.1.2 and 3
        return EVERYTHING, DAY
    return NOTHING, SOON
