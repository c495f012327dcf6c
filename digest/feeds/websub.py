"""Turns what a feed and its hub say (W3C WebSub) into an offer, a form, an intent, a yes or a no.

Asks nobody and keeps nothing. Reads hubs of PubSubHubbub 0.4 as well, which speak the same words.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal
from urllib.parse import SplitResult, urljoin, urlsplit

from digest.feeds.guard import is_public
from digest.model.feed import ParsedFeed
from digest.model.text import one_line

Mode = Literal["subscribe", "unsubscribe"]
_MODES: Final[tuple[Mode, ...]] = ("subscribe", "unsubscribe")

#: what we ask for, and what we take a hub's word for: at the end of each we look how it did
LEASE: Final = timedelta(days=10)
SHORTEST_LEASE: Final = timedelta(hours=1)
LONGEST_LEASE: Final = timedelta(days=10)

_LONGEST_URL: Final = 2000
_LONGEST_CHALLENGE: Final = 1024
_LONGEST_HEADER: Final = 8192
_METHODS: Final = frozenset({"sha1", "sha256", "sha384", "sha512"})
#: the last part of a name is never a number: such a host is an address, however it is spelt
_NUMBER: Final = re.compile(r"(?i)\d+|0x[0-9a-f]*")

# RFC 8288 section 3. What is taken is never given back, so each character is looked at once.
_LINK: Final = re.compile(
    r'<([^<>"]*+)>((?:\s*+;\s*+[^\s=;,"]++(?:\s*+=\s*+(?:"(?:[^"\\]|\\.)*+"|[^\s;,"]*+))?+)*+)'
)
_PARAMETER: Final = re.compile(
    r';\s*+([^\s=;,"]++)(?:\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^\s;,"]*+)))?+'
)


# --------------------------------------------------------------- what a feed offers


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A hub that says when a topic changes."""

    hub: str
    topic: str


def discover(parsed: ParsedFeed, headers: Mapping[str, str], *, address: str) -> Offer | None:
    """What a feed that was read at `address` offers; None where it names no hub.

    The headers (their names in lower case) come before the document (WebSub section 4). A topic on
    somebody else's site is not believed: then the topic is the address at which we read.
    """
    links = list(_links(headers.get("link", "")))
    hubs = [urljoin(address, url) for rel, url in links if rel == "hub"]
    selves = [urljoin(address, url) for rel, url in links if rel == "self"]
    hub = _first(*hubs, parsed.hub_url)
    topic = _first(*selves, parsed.self_url)
    if hub is None:
        return None
    return Offer(hub=hub, topic=topic if topic and _is_of_one_site(topic, address) else address)


def _links(header: str) -> Iterator[tuple[str, str]]:
    """Relation and target of each link in a Link header, as far as it speaks of the document."""
    for link in _LINK.finditer(header[:_LONGEST_HEADER]):
        given: dict[str, str] = {}
        for name, quoted, bare in _PARAMETER.findall(link[2]):
            given.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) or bare)
        if "anchor" not in given:  # a link from elsewhere (section 3.2)
            for rel in given.get("rel", "").lower().split():
                yield rel, link[1].strip()


def _first(*urls: str | None) -> str | None:
    return next((url for url in urls if url and _is_of_the_web(url)), None)


def _is_of_the_web(url: str) -> bool:
    parts = _split(url)
    plain = len(url) <= _LONGEST_URL and url.isascii() and url.isprintable() and " " not in url
    return (
        plain
        and parts is not None
        and parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and "@" not in parts.netloc
    )


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is none
    except ValueError:
        return None
    return parts


def _is_of_one_site(one: str, other: str) -> bool:
    """Whether two addresses have one host, or one host stands below the other."""
    hosts = [((_split(url) or urlsplit("")).hostname or "").rstrip(".") for url in (one, other)]
    short, long = sorted((host.removeprefix("www.") for host in hosts), key=len)
    return bool(short) and (short == long or ("." in short and long.endswith(f".{short}")))


# --------------------------------------------------------------- what we say to a hub


def write_form(mode: Mode, *, topic: str, callback: str, secret: str) -> dict[str, str]:
    """The fields of a request to a hub (section 5.1)."""
    fields = {"hub.mode": mode, "hub.topic": topic, "hub.callback": callback}
    if mode == "subscribe":
        fields |= {"hub.lease_seconds": str(int(LEASE.total_seconds())), "hub.secret": secret}
    return fields


def is_reachable(public_url: str, *, allow_private: bool) -> bool:
    """Whether a hub out there can call us at `public_url`; one at home always can."""
    if allow_private:
        return True
    host = ((_split(public_url) or urlsplit("")).hostname or "").rstrip(".")
    try:
        return is_public(host)
    except ValueError:  # a name
        labels = host.split(".")
        home = labels[-1] in {"localhost", "local", "internal", "lan"}
        return len(labels) > 1 and not home and not _NUMBER.fullmatch(labels[-1])


# --------------------------------------------------------------- what a hub says to us


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A hub asks whether we meant it (section 5.3)."""

    mode: Mode
    topic: str
    challenge: str
    #: how long it will tell us, within our limits
    lease: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """A hub will not, or not any more (section 5.2)."""

    topic: str
    reason: str


def read_intent(query: Mapping[str, str]) -> Intent | Denial | None:
    """What a hub that calls wants of us; None where it is none of that."""
    mode, topic = query.get("hub.mode"), query.get("hub.topic", "")
    challenge = query.get("hub.challenge", "")
    if mode == "denied" and topic:
        return Denial(topic=topic, reason=one_line(query.get("hub.reason", ""))[:200])
    meant = next((each for each in _MODES if each == mode), None)
    if meant is None or not topic or not _is_challenge(challenge):
        return None
    lease = _lease(query.get("hub.lease_seconds", ""))
    return Intent(mode=meant, topic=topic, challenge=challenge, lease=lease)


def _is_challenge(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_CHALLENGE and text.isascii() and text.isprintable()


def _lease(seconds: str) -> timedelta:
    if not re.fullmatch(r"[0-9]{1,9}", seconds):  # 0.3 let hubs be silent about it
        return LEASE
    return min(max(timedelta(seconds=int(seconds)), SHORTEST_LEASE), LONGEST_LEASE)


def is_signed(body: bytes, signature: str | None, *, secret: str) -> bool:
    """Whether X-Hub-Signature says that whoever has the secret wrote this body (section 7.1)."""
    method, _, digits = (signature or "").strip().partition("=")
    if method.lower() not in _METHODS:
        return False
    ours = hmac.new(secret.encode(), body, method.lower()).hexdigest()
    # as bytes: text that is not ASCII cannot be compared in constant time
    return hmac.compare_digest(ours.encode(), digits.strip().lower().encode("utf-8", "replace"))
