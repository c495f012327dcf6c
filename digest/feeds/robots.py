"""Turns a site's robots.txt into leave or refusal (RFC 9309); fetches nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from protego import Protego

#: the name that a site's owner writes behind `User-agent:` to speak to us
NAME = "digest"
#: how much of the file is read: RFC 9309 §2.5 asks for at least that much
MAX_BYTES = 500 * 1024
#: seconds between two questions to one host, and the most that a Crawl-delay makes of it
DELAY = 1.0
LONGEST_DELAY = 10.0

_AGENT = re.compile(r"(?i)^\s*(?:user[- ]?agent)\s*(?:[:\s])\s*([^#]*)")


@dataclass(frozen=True, slots=True)
class Robots:
    """What a site lets robots of our name do."""

    rules: Protego | None
    #: where there are no rules: whether everything is allowed, or nothing
    open: bool = True

    def allows(self, url: str) -> bool:
        """Whether the page may be asked for."""
        if self.rules is None:
            return self.open
        return bool(self.rules.can_fetch(url, NAME))

    @property
    def delay(self) -> float:
        """Seconds to leave between two questions, 1 to 10."""
        asked = self.rules.crawl_delay(NAME) if self.rules else None
        return min(max(asked or 0.0, DELAY), LONGEST_DELAY)


#: there is no such file: everything is allowed (RFC 9309 §2.3.1.3)
EVERYTHING = Robots(None)
#: nobody can say whether there is one: nothing is, for now (§2.3.1.4)
NOTHING = Robots(None, open=False)


def read_robots(body: bytes) -> Robots:
    """The rules in a robots.txt, of which the first 500 KiB count. Never raises for its contents.

    Groups for other robots become one group of nobody: the library keeps each rule once for every
    name above it, and half a megabyte of names and rules would take gigabytes.
    """
    text = body[:MAX_BYTES].decode("utf-8", "replace").removeprefix("\ufeff")
    return Robots(Protego.parse("\n".join(map(_ours_or_nobodys, text.splitlines()))))


def _ours_or_nobodys(line: str) -> str:
    agent = _AGENT.match(line)
    if agent is None:
        return line
    # the name ends where its version begins (RFC 9309 §2.2.1)
    name = re.split(r"[/\s]", agent[1].strip(), maxsplit=1)[0].lower()
    return f"User-agent: {name if name in {NAME, '*'} else 'nobody'}"
