"""What addresses a feed may live at."""

from __future__ import annotations

import pytest

from digest.feeds.guard import is_public, refuse_url


@pytest.mark.parametrize("ip", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_an_address_of_the_internet_is_public(ip: str) -> None:
    assert is_public(ip) is True


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",  # noqa: S104 -- an address to refuse
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.1",
        "198.18.0.1",
        "203.0.113.7",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "ff0e::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::7f00:1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "2001:db8::1",
    ],
)
def test_everything_else_is_not(ip: str) -> None:
    assert is_public(ip) is False


@pytest.mark.parametrize(
    "url",
    ["https://feeds.example/a.xml", "http://feeds.example:80/", "https://bücher.example/feed"],
)
def test_a_web_address_may_be_polled(url: str) -> None:
    assert refuse_url(url, allow_private=False) is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://feeds.example/a", "not an http or https address"),
        ("file:///etc/passwd", "not an http or https address"),
        ("feeds.example/a", "not an http or https address"),
        ("javascript:alert(1)", "not an http or https address"),
        ("https:///a", "names no host"),
        ("https://user:pass@feeds.example/", "carries a user name or password"),
        ("https://user@feeds.example/", "carries a user name or password"),
        ("https://feeds.example:6379/", "port 6379 at feeds.example is not a port of the web"),
        ("https://feeds.example:99999/", "is not an address"),
        ("http://[::1/", "is not an address"),
    ],
)
def test_other_addresses_are_refused_with_a_reason(url: str, reason: str) -> None:
    refusal = refuse_url(url, allow_private=False)
    assert refusal is not None
    assert reason in refusal
    assert "\n" not in refusal


def test_any_port_will_do_where_private_feeds_are_allowed() -> None:
    assert refuse_url("http://127.0.0.1:8080/feed", allow_private=True) is None
