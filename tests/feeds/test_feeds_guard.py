"""What addresses a feed may live at."""

from __future__ import annotations

import pytest

from digest.feeds.guard import is_public, refuse_url


@pytest.mark.parametrize(
    "ip",
    [
        "93.184.216.34",
        "1.1.1.1",
        "2606:2800:220:1::1",
        "2001:4860:4860::8888",
        "2a00:1450:4001::1",
        "::ffff:93.184.216.34",
    ],
)
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
        "192.0.0.192",  # metadata of a cloud
        "168.63.129.16",  # the platform of another
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
        "64:ff9b::5db8:d822",  # NAT64 of a public address: still somebody else's way in
        "64:ff9b:1:fffe::1",
        "2002:5db8:d822::1",  # 6to4
        "192.88.99.1",  # its relays
        "2001::1",  # Teredo
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:20::1",  # names, not addresses (ORCHIDv2)
        "2001:2::1",  # for measurements
        "2001:db8::1",
        "3fff::1",
        "::5db8:d822",  # IPv4-compatible
        "::ffff:0:7f00:1",  # IPv4-translated
        "::ffff:192.168.0.1",
        "::ffff:100.64.0.1",
        "::ffff:169.254.169.254",
        "fec0::1",  # site-local
        "fe80::5efe:7f00:1",
        "2606:2800:220:1:0:5efe:7f00:1",  # ISATAP
        "2606:2800:220:1:200:5efe:c0a8:1",
        "100::1",  # discarded
        "5f00::1",
        "fd00:ec2::254",  # a cloud's metadata
        "0.1.2.3",
        "100.127.255.254",
        "169.254.0.1",
        "192.0.2.1",
        "198.51.100.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.254",
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
        ("https://feeds.example@10.0.0.1/", "carries a user name or password"),
        ("https://:@feeds.example/", "carries a user name or password"),
        ("https://feeds.example:22/", "port 22 at feeds.example is not a port of the web"),
        ("https://feeds.example:25/", "port 25 at feeds.example is not a port of the web"),
        ("https://feeds.example:0/", "port 0 at feeds.example is not a port of the web"),
        ("gopher://feeds.example/", "not an http or https address"),
        ("", "not an http or https address"),
        ("//feeds.example/", "not an http or https address"),
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
