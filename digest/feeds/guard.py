"""Turns the address of a feed into leave or refusal: what strangers name may not lead inside.

And turns what came of a connection into words: refused here, or there.

IP addresses are checked where sockets are made, so what is checked is what is connected to: names,
odd spellings (127.1, 0x7f000001), literal addresses, redirects and names that change their address
between two look-ups (rebinding) all pass here, and nothing passes beside it.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv6Address, ip_address, ip_network

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from digest.model.text import one_line

ALLOW = "set DIGEST_FEED_ALLOW_PRIVATE=true if you trust it"
_PORTS = frozenset({80, 443})
#: names that are looked up at once
LOOKUPS = 64
#: all that the registries give away of IPv6; what lies outside is nobody's, local or a disguise
_UNICAST = ip_network("2000::/3")
# `is_global` says True of some of these in some versions of Python, yet they lead to any IPv4
# address (6to4 RFC 3056, Teredo RFC 4380; its relays RFC 7526), are for documents or are nowhere
_NOT_OURS = tuple(
    map(
        ip_network,
        (
            "2002::/16",
            "2001::/23",
            "2001:db8::/32",
            "3fff::/20",
            "192.88.99.0/24",
            "192.0.0.0/24",  # protocols' own (RFC 6890), and a cloud's metadata
            "168.63.129.16/32",  # another cloud's platform, which every machine in it can reach
        ),
    )
)
#: an interface that is called so carries an IPv4 address in its last 32 bits (ISATAP, RFC 5214)
_ISATAP = frozenset({0x00005EFE, 0x02005EFE, 0x01005EFE, 0x03005EFE})

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


def exposed(from_url: str, to_url: str) -> bool:
    """Whether a redirect leads from https to http."""
    return URL(from_url).scheme == "https" and URL(to_url).scheme == "http"


def is_public(ip: str) -> bool:
    """Whether an IPv4 or IPv6 address in text form belongs to the public internet.

    What an IPv6 address may hide is refused even where the IPv4 address in it is public, but for
    the mapped form (::ffff:0:0/96), which is how sockets write IPv4.
    """
    address = ip_address(ip)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if not address.is_global or address.is_multicast or any(address in net for net in _NOT_OURS):
        return False
    if isinstance(address, IPv6Address):
        return address in _UNICAST and int(address) >> 32 & 0xFFFFFFFF not in _ISATAP
    return True


def open_public_socket(info: AddrInfo) -> socket.socket:
    """A socket for a `getaddrinfo` entry; raises `PrivateAddress` if that is not public.

    Given to aiohttp's connector as its `socket_factory`, which calls it for every connection.
    """
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise PrivateAddress
    return socket.socket(family, kind, protocol)


class Names(AbstractResolver):
    """Looks names up in threads of its own: name servers that hang keep nothing else waiting."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name. Raises OSError when it has none."""
        look = partial(
            socket.getaddrinfo,
            host,
            port,
            family,
            socket.SOCK_STREAM,
            flags=socket.AI_ADDRCONFIG,
        )
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Wait for no answer any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def why(error: Exception) -> str:
    """Why nothing came of a question, in one line for the operator."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return _unconnected(error)
    if isinstance(error, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError):
        return "the server broke off"
    if isinstance(error, aiohttp.InvalidURL):
        return short(f"{error.url} {error.description or 'is not an address'}")
    return short(str(error)) or type(error).__name__


def _unconnected(error: aiohttp.ClientConnectorError) -> str:
    host, cause = error.host, error.os_error
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"the name {host} cannot be resolved"
        case aiohttp.ClientConnectorCertificateError():
            return f"the certificate of {host} is not accepted: {_certificate(error)}"
        case aiohttp.ClientSSLError():
            return f"TLS with {host} failed: {short(str(cause))}"
        case _ if isinstance(cause, PrivateAddress):
            return f"{host} {cause}"
        case _ if isinstance(cause, ConnectionRefusedError):
            return f"{host} port {error.port} refuses connections"
        case _:
            return f"cannot connect to {host}: {short(str(cause))}"


def _certificate(error: aiohttp.ClientConnectorCertificateError) -> str:
    inner = error.certificate_error
    return short(getattr(inner, "verify_message", str(inner)))


def short(text: str) -> str:
    """One line that a stranger wrote, and not too much of it."""
    return one_line(text)[:200]
