"""Turns a compressed body into what it holds, as far as the limit goes and never further.

Knows gzip and deflate, which is what we ask for; a gzip body that nobody announced is known by
its first bytes, and a body that was announced as compressed and is not is taken as it is.
"""

from __future__ import annotations

import zlib

_GZIP = b"\x1f\x8b"
#: parts of one body: each costs a copy of what is left
_MAX_MEMBERS = 100


class TooLarge(Exception):
    """The body holds more than it may."""


def inflate(body: bytes, encoding: str, *, max_bytes: int) -> bytes:
    """The decompressed body, at most `max_bytes` long.

    `encoding` is the Content-Encoding header in lower case, "" without one. Raises `TooLarge`, and
    `ValueError` for a coding that we did not ask for or bytes that do not decompress.
    """
    try:
        if body.startswith(_GZIP):
            return _gunzip(body, max_bytes)
        if encoding == "deflate":
            return _undeflate(body, max_bytes)
    except zlib.error as error:
        raise ValueError("the compressed body is damaged") from error
    if encoding not in {"", "identity", "gzip", "x-gzip"}:
        raise ValueError(f"the body is packed as {encoding[:30]!r}, which we did not ask for")
    return body


def _gunzip(body: bytes, max_bytes: int) -> bytes:
    """A gzip file may be several, one after the other (RFC 1952 §2.2)."""
    whole: list[bytes] = []
    while body.startswith(_GZIP):
        if len(whole) == _MAX_MEMBERS:
            raise TooLarge
        member = zlib.decompressobj(wbits=31)
        whole.append(_bounded(member, body, max_bytes - sum(map(len, whole))))
        body = member.unused_data
    return b"".join(whole)


def _undeflate(body: bytes, max_bytes: int) -> bytes:
    """RFC 9110 §8.4.1.2 asks for zlib's header; some servers send the bare stream."""
    if body.lstrip()[:1] in {b"<", b"{"}:
        return body
    zlib_header = (
        len(body) > 1 and body[0] & 0x0F == zlib.DEFLATED and not (body[0] * 256 + body[1]) % 31
    )
    return _bounded(zlib.decompressobj(wbits=15 if zlib_header else -15), body, max_bytes)


def _bounded(stream: zlib._Decompress, body: bytes, max_bytes: int) -> bytes:
    out = stream.decompress(body, max_bytes + 1)
    if len(out) > max_bytes:
        raise TooLarge
    return out
