"""What feeds and hubs say of WebSub: what is believed, what is signed, and what is asked for."""

from __future__ import annotations

import hmac
import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.feeds.websub import (
    LEASE,
    LONGEST_LEASE,
    SHORTEST_LEASE,
    Denial,
    Intent,
    Offer,
    discover,
    is_reachable,
    is_signed,
    read_intent,
    write_form,
)
from digest.model.feed import ParsedFeed

FEED = "https://blatt.example/feed"
HUB = "https://hub.example/"


def parsed(hub: str | None = None, self_: str | None = None) -> ParsedFeed:
    return ParsedFeed(
        title=None, site_url=None, language=None, entries=(), hub_url=hub, self_url=self_
    )


def offered(link: str = "", *, hub: str | None = None, self_: str | None = None) -> Offer | None:
    return discover(parsed(hub, self_), {"link": link} if link else {}, address=FEED)


# --------------------------------------------------------------- what a feed offers


def test_a_feed_without_a_hub_offers_nothing() -> None:
    assert offered() is None
    assert offered(self_=FEED) is None
    assert offered('<https://blatt.example/next>; rel="next"') is None


def test_the_document_names_hub_and_topic() -> None:
    own = "https://blatt.example/feed/atom?full=1"
    assert offered(hub=HUB, self_=own) == Offer(hub=HUB, topic=own)


@pytest.mark.parametrize(
    "link",
    [
        '<https://hub.example/>; rel="hub", <https://blatt.example/f>; rel="self"',
        "<https://hub.example/>;rel=hub,<https://blatt.example/f>;rel=self",
        (
            '<https://x.example/>; rel=next, <https://hub.example/> ; REL = "b HUB"; title="a, <b>"'
            ', </f>; rel="self"; type="a;b"'
        ),
        '<https://hub.example/>; foo; rel="h\\ub"; rel="next", </f>; rel=self; bar',
        (
            '<https://elsewhere.example/>; rel=hub; anchor="/x", <https://hub.example/>; rel=hub'
            ", <https://second.example/>; rel=hub, </f>; rel=self"
        ),
    ],
)
def test_a_link_header_is_read_as_rfc_8288_says_and_comes_before_the_document(link: str) -> None:
    found = offered(link, hub="https://old.example/", self_="https://blatt.example/old")
    assert found == Offer(hub=HUB, topic="https://blatt.example/f")


def test_what_the_header_lacks_the_document_says() -> None:
    own = "https://blatt.example/f"
    assert offered(f"<{HUB}>; rel=hub", self_=own) == Offer(hub=HUB, topic=own)
    assert offered(f"<{own}>; rel=self", hub=HUB) == Offer(hub=HUB, topic=own)


@pytest.mark.parametrize(
    ("topic", "asked"),
    [
        ("https://www.blatt.example/f", "https://www.blatt.example/f"),
        ("http://feeds.blatt.example:8080/f", "http://feeds.blatt.example:8080/f"),
        ("https://andere.example/feed", FEED),
        ("https://boesblatt.example/feed", FEED),
        ("https://blatt.example.evil.example/feed", FEED),
        ("https://example/feed", FEED),
        ("https://blatt.example@evil.example/feed", FEED),
        ("ftp://blatt.example/feed", FEED),
        ("https://blatt.example:port/feed", FEED),
        ("https://[blatt.example/feed", FEED),
    ],
)
def test_a_feed_cannot_make_us_ask_for_the_topic_of_another_site(topic: str, asked: str) -> None:
    assert offered(hub=HUB, self_=topic) == Offer(hub=HUB, topic=asked)


@pytest.mark.parametrize(
    "hub",
    [
        "",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "gopher://hub.example/",
        "//",
        "https://",
        "https://user:word@hub.example/",
        "https://hub.example/\r\nX: y",
        "https://hub.example/ä",
        "https://hub.example/" + "a" * 3000,
        "https://[::1",
    ],
)
def test_a_hub_that_is_no_address_of_the_web_is_none(hub: str) -> None:
    assert offered(hub=hub) is None


@given(st.text(max_size=300), st.text(alphabet='<>;,="\\ relhubself*', max_size=300))
def test_no_header_is_too_odd(one: str, other: str) -> None:
    for header in (one, other, f"<{one}>; rel={other}", f"<{other}>; rel=hub"):
        found = offered(header)
        assert found is None or found.hub.startswith("http")


@pytest.mark.parametrize(
    "piece", ["<", "<a>;", ' <a>; x="', ";", " ", "<a>; a=b ", "<a>;" + " " * 50, '\\"', "<a" * 9]
)
def test_a_long_header_takes_no_time(piece: str) -> None:
    began = time.process_time()
    assert offered(piece * (200_000 // len(piece))) is None
    assert time.process_time() - began < 0.3


# --------------------------------------------------------------- who can be called


@pytest.mark.parametrize(
    "url",
    [
        "https://news.example.org",
        "http://news.example.org:8080/post",
        "https://8.8.8.8",
        "https://[2606:4700::1111]/",
    ],
)
def test_a_public_address_can_be_called(url: str) -> None:
    assert is_reachable(url, allow_private=False)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
        "http://localhost:8000",
        "http://localhost.",
        "http://a.localhost",
        "http://newsserver",
        "http://192.168.1.4",
        "http://10.0.0.1",
        "http://169.254.1.1",
        "http://[fd00::1]",
        "http://2130706433",
        "http://127.1",
        "http://0x7f.0x1",
        "http://drucker.local",
        "http://[::1",
        "",
    ],
)
def test_at_home_nobody_calls_unless_hubs_may_be_at_home_too(url: str) -> None:
    assert not is_reachable(url, allow_private=False)
    assert is_reachable(url, allow_private=True)


# --------------------------------------------------------------- forms and intents


def test_a_subscription_asks_for_ten_days_and_brings_a_secret() -> None:
    asked = write_form("subscribe", topic=FEED, callback="https://n.example/w/t", secret="s")
    assert asked == {
        "hub.mode": "subscribe",
        "hub.topic": FEED,
        "hub.callback": "https://n.example/w/t",
        "hub.lease_seconds": "864000",
        "hub.secret": "s",
    }
    left = write_form("unsubscribe", topic=FEED, callback="https://n.example/w/t", secret="s")
    assert set(left) == {"hub.mode", "hub.topic", "hub.callback"}


def intent(**fields: str) -> Intent | Denial | None:
    whole = {"mode": "subscribe", "topic": FEED, "challenge": "abc", "lease_seconds": "7200"}
    return read_intent({f"hub.{name}": value for name, value in {**whole, **fields}.items()})


def test_an_intent_says_mode_topic_challenge_and_lease() -> None:
    hours = timedelta(hours=2)
    assert intent() == Intent(mode="subscribe", topic=FEED, challenge="abc", lease=hours)
    left = intent(mode="unsubscribe")
    assert isinstance(left, Intent)
    assert left.mode == "unsubscribe"


@pytest.mark.parametrize(
    ("seconds", "lease"),
    [
        ("", LEASE),
        ("soon", LEASE),
        ("-5", LEASE),
        ("1e9", LEASE),
        ("٣٦٠٠", LEASE),
        ("0", SHORTEST_LEASE),
        ("1", SHORTEST_LEASE),
        ("86400", timedelta(days=1)),
        ("999999999", LONGEST_LEASE),
        ("9" * 30, LEASE),
    ],
)
def test_a_lease_stays_within_limits(seconds: str, lease: timedelta) -> None:
    found = intent(lease_seconds=seconds)
    assert isinstance(found, Intent)
    assert found.lease == lease


def test_a_denial_says_why_on_one_line() -> None:
    assert intent(mode="denied", reason="zu\nviel\x1b[31m " + "x" * 500) == Denial(
        topic=FEED, reason=("zu viel[31m " + "x" * 500)[:200]
    )
    assert intent(mode="denied", topic="") is None


@pytest.mark.parametrize(
    "fields",
    [
        {"mode": ""},
        {"mode": "publish"},
        {"mode": "SUBSCRIBE"},
        {"topic": ""},
        {"challenge": ""},
        {"challenge": "x" * 1025},
        {"challenge": "a\r\nb"},
        {"challenge": "ä"},
    ],
)
def test_what_is_no_intent_is_none(fields: dict[str, str]) -> None:
    assert intent(**fields) is None


# --------------------------------------------------------------- signatures

BODY = "<rss>Möwe</rss>".encode()


def signed(method: str) -> str:
    return hmac.new(b"geheim", BODY, method).hexdigest()


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_a_signature_by_each_method_is_known_and_only_over_this_body(method: str) -> None:
    right = f"{method}={signed(method)}"
    assert is_signed(BODY, right, secret="geheim")
    assert is_signed(BODY, right.upper(), secret="geheim")
    assert not is_signed(BODY + b" ", right, secret="geheim")
    assert not is_signed(BODY, right, secret="Geheim")
    assert not is_signed(BODY, right[:-1], secret="geheim")


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "=",
        "sha256",
        "sha256=",
        f"md5={signed('md5')}",
        f"sha224={signed('sha224')}",
        signed("sha256"),
        f"sha1={signed('sha256')}",
        "sha256=" + "ä" * 64,
        "sha256=\udcff",
    ],
)
def test_everything_else_is_no_signature(signature: str | None) -> None:
    assert not is_signed(BODY, signature, secret="geheim")
