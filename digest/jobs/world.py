"""What a journey needs: the store, the rooms' tools, and where time and chance come in."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from digest.deliveries.hooks.keys import HookKeys
from digest.deliveries.transport import Transport
from digest.errors import UsageError
from digest.feeds.fetch import Fetcher
from digest.messages.keys import Key
from digest.messages.render import Renderer
from digest.model.newsletter import FeedSource, Newsletter
from digest.store.engine import Store
from digest.store.journal import Journal
from digest.subscribers.links import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that is open while the program runs; `app.open_app` puts it together."""

    newsletters: tuple[Newsletter, ...]
    store: Store
    renderer: Renderer
    signer: Signer
    transport: Transport
    fetcher: Fetcher
    #: without a slash at its end
    public_url: str
    #: how far the first poll of a feed reaches back; None for all
    first_window: timedelta | None
    #: what happens to a message whose fate no reply told
    uncertain: Literal["resend", "hold"]
    connections: int
    #: messages a second over all workers; None: as fast as it goes
    rate: float | None = None
    #: how long a message is tried, and how old an edition may be that is sent unasked
    expiry: timedelta = timedelta(days=2)
    #: what every message is signed with, in this order; empty: the relay signs
    keys: tuple[Key, ...] = ()
    #: what providers sign their events with
    hooks: HookKeys = field(default_factory=HookKeys)
    #: where bounces and mailed unsubscribes go; None: to the sender
    bounce_domain: str | None = None
    #: the mailbox of that domain, as an address that `deliveries/mailbox` can open
    bounce_mailbox: str | None = None
    #: what outlives a restored backup; None: nothing does
    journal: Journal | None = None
    #: where an unsubscribe is kept while the database is away
    spool: Path = Path("digest.spool")
    #: how many proxies of ours stand before the web and add to X-Forwarded-For
    proxies: int = 0
    #: keep the shortened address that a reader asked and confirmed from
    consent_network: bool = False
    #: who is told by mail when a feed is in trouble; None: only the log and `status` say it
    operator: str | None = None
    #: the time, aware, UTC
    clock: Callable[[], datetime]
    #: so many random bytes that nobody can guess
    secret_bytes: Callable[[int], bytes]
    chance: random.Random = field(default_factory=random.SystemRandom)

    def source(self, url: str) -> FeedSource:
        """What the newsletters that read the feed at `url` ask of it, taken together."""
        asked = [each for one in self.newsletters for each in one.feeds if each.url == url]
        return FeedSource(
            url=url,
            full_text=any(each.full_text for each in asked),
            robots=all(each.robots for each in asked),
        )

    def newsletter(self, slug: str | None) -> Newsletter:
        """The newsletter of this slug; None means the only one. Raises UsageError."""
        if slug is None and len(self.newsletters) == 1:
            return self.newsletters[0]
        known = ", ".join(each.slug for each in self.newsletters)
        if slug is None:
            raise UsageError(f"there are several newsletters: say --newsletter and one of {known}")
        for each in self.newsletters:
            if each.slug == slug:
                return each
        raise UsageError(f"there is no newsletter {slug!r}; there is {known}")
