"""Turns names into IMAP's words and IMAP's words into values (RFC 3501, RFC 2342); no I/O."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from typing import Final

from digest.model.text import one_line

_PLAIN: Final = re.compile(r"[\x20-\x25\x27-\x7e]+|&|[^\x20-\x7e]+")
_NAMESPACE: Final = re.compile(r'\(\("((?:[^"\\]|\\.)*)" (?:"((?:[^"\\]|\\.))"|NIL)')
_SHOWN: Final = 200
#: letters; what is shorter cannot be hidden without hiding everything
_SECRET: Final = 4


def quoted(name: str) -> str:
    """A mailbox name as a quoted string, in modified UTF-7 (RFC 3501 section 5.1.3)."""
    return escaped("".join(_encode(each) for each in _PLAIN.findall(name)))


def escaped(text: str) -> str:
    """A quoted string (RFC 3501 section 4.3)."""
    inside = text.replace("\\", r"\\").replace('"', r"\"")
    return f'"{inside}"'


def _encode(run: str) -> str:
    if run == "&":
        return "&-"
    if run.isascii() and run.isprintable():
        return run
    letters = b64encode(run.encode("utf-16-be", "replace")).decode()
    return f"&{letters.rstrip('=').replace('/', ',')}-"


def text_of(value: object) -> str:
    """What imaplib gives for a line, as text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def words_of(data: Iterable[object]) -> frozenset[str]:
    """The words of a line, such as the capabilities."""
    return frozenset(word for each in data for word in text_of(each).upper().split())


def namespace_in(text: str) -> tuple[str, str]:
    """Prefix and separator of the personal namespace (RFC 2342); none and `/` where none is told.

    The prefix is in modified UTF-7 and plain in all servers that we know of.
    """
    found = _NAMESPACE.match(text)
    if found is None:
        return "", "/"
    prefix, separator = (re.sub(r"\\(.)", r"\1", each or "") for each in found.groups())
    return prefix, separator or "/"


def body_in(data: Iterable[object]) -> bytes | None:
    """The octets of `BODY[]` in an answer to FETCH; None when there is no such mail any more."""
    for each in data:
        if isinstance(each, tuple) and b"BODY[" in each[0]:
            return bytes(each[1])
        if isinstance(each, bytes) and re.search(rb'BODY\[\](?:<0>)? ""', each):
            return b""  # a mail without a single octet need not come as a literal; NIL is no mail
    return None


def shown(text: str, *, hide: str) -> str:
    """What a server or a library said, fit for one line; never with the password in it."""
    plain = text[2:-1] if re.fullmatch(r"b(['\"]).*\1", text, re.DOTALL) else text
    # a word so short stands in every sentence, and is no secret
    safe = plain.replace(hide, "***") if len(hide) >= _SECRET else plain
    return one_line(safe)[:_SHOWN]
