"""Turns the address of a feed into leave or refusal: what strangers name may not lead inside.

IP addresses are checked where sockets are made, so what is checked is what is connected to: names,
odd spellings (127.1, 0x7f000001), literal addresses, redirects and names that change their address
between two look-ups (rebinding) all pass here, and nothing passes beside it.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from yarl import URL

ALLOW = "set DIGEST_FEED_ALLOW_PRIVATE=true if you trust it"
_PORTS = frozenset({80, 443})
# `is_global` says True of these, yet they lead to any IPv4 address (RFC 3056, 6052, 8215, 4291).
_DISGUISES = tuple(map(ip_network, ("2002::/16", "64:ff9b::/96", "64:ff9b:1::/48", "::/96")))

AddrInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]]


class PrivateAddress(OSError):
    """A feed leads to an address that is not public.

    The text is the same for each address of a name, so that asyncio reports them as one.
    """

    def __init__(self) -> None:
        super().__init__(f"is a private address; {ALLOW}")


def refuse_url(url: str, *, allow_private: bool) -> str | None:
    """Why a feed may not live at `url`, in one line, or None if it may.

    Says nothing about where the host's name leads: `open_public_socket` does, when connecting.
    """
    try:
        parsed = URL(url)
        host, port = parsed.host, parsed.port
    except ValueError:
        return f"{url[:200]!r} is not an address"
    if parsed.scheme not in {"http", "https"}:
        return f"{url[:200]!r} is not an http or https address"
    if not host:
        return f"{url[:200]!r} names no host"
    if parsed.user is not None or parsed.password is not None:
        return f"the address at {host} carries a user name or password; feeds are read without"
    if not allow_private and port not in _PORTS:
        return f"port {port} at {host} is not a port of the web (80, 443); {ALLOW}"
    return None


def is_public(ip: str) -> bool:
    """Whether an IPv4 or IPv6 address in text form belongs to the public internet."""
    address = ip_address(ip)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_global and not address.is_multicast and not _is_disguised(address)


def _is_disguised(address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in _DISGUISES)


def open_public_socket(info: AddrInfo) -> socket.socket:
    """A socket for a `getaddrinfo` entry; raises `PrivateAddress` if that is not public.

    Given to aiohttp's connector as its `socket_factory`, which calls it for every connection.
    """
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise PrivateAddress
    return socket.socket(family, kind, protocol)
