"""Turns strangers' text and links into what no mail program, template or header can misread.

Everything of a feed passes here before it reaches a template. It never makes markup: that texts
are text is the business of autoescape.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from urllib.parse import quote, urlsplit, urlunsplit

#: C0, DEL, C1, the Unicode line ends, and marks that turn the writing direction for what follows
_BREAKS = re.compile(r"[\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
_UNSEEN = re.compile(r"[\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]")
#: what template languages of other programs on the way would take for theirs
_MARKS = re.compile(r"([{%#])(?=[{}%])|(?<=[{%])(?=#)|(\})(?=\})")
#: what scanners on the way, and checkers that read bytes, would take for active content
_ACTIVE = re.compile(
    r"(\bon[a-z]+|\b(?:href|src|style))(?=\s*=)|\b(javascript|vbscript|data)(?=\s*:)|\b(url)(?=\()",
    re.IGNORECASE,
)
_SCHEMES = re.compile(r"(javascript|vbscript|data):", re.IGNORECASE)
_JOINER = "\u2060"
_ELLIPSIS = "…"
_ZWJ = "\u200d"

_LINKABLE = frozenset({"http", "https"})
_LEFT_ALONE = "%/:?#[]@!$&'()*+,;=~-._"


def one_line(text: str) -> str:
    """Return `text` without control characters, direction overrides or lone surrogates.

    Runs of white space of any kind become one space.
    """
    return _BREAKS.sub(" ", _UNSEEN.sub("", text)).strip()


def tame(text: str) -> str:
    """Return a feed's text as one line in which no program finds a template mark or a script.

    Into `{{`, `onload=`, `javascript:` and their kin goes a word joiner (U+2060), which nobody
    sees. Escaping has made them text already; but mail passes programs that fill templates and
    scanners that search bytes, and they do not know that.
    """
    text = one_line(text)
    for pattern in (_MARKS, _ACTIVE):
        text = pattern.sub(lambda match: match.group(0) + _JOINER, text)
    return text


def shorten(text: str, limit: int) -> str:
    """Return `text` of at most `limit` characters, cut between words, with an ellipsis."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    words = head.rsplit(" ", 1)[0]
    if text[limit - 1] != " " and len(words) > limit // 2:
        head = words
    while head and (head[-1] == _ZWJ or _belongs(text[len(head)])):
        head = head[:-1]
    return head.rstrip(" ,;:–-") + _ELLIPSIS  # noqa: RUF001 -- dashes that titles are cut at


def _belongs(character: str) -> bool:
    """Whether a character changes the one before it: accents, joiners, variation, skin tones."""
    return unicodedata.category(character) in {"Mn", "Me", "Cf", "Sk"}


def link_to(url: str) -> str | None:
    """Return a web address fit for a mail, or None when it leads nowhere that we may point to.

    http becomes https where that can work (a public name on the default port: what browsers try
    first anyway); everything beyond the characters of RFC 3986 is percent-encoded.
    """
    try:
        parts = urlsplit(_UNSEEN.sub("", url).strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    netloc = None if host is None else _netloc(host, port)
    if netloc is None or host is None or parts.scheme not in _LINKABLE:
        return None
    scheme = parts.scheme
    if scheme == "http" and port in {None, 80} and _is_public(host):
        scheme, netloc = "https", netloc.removesuffix(":80")
    path, query, fragment = (_quoted(part) for part in (parts.path, parts.query, parts.fragment))
    return urlunsplit((scheme, netloc, path, query, fragment))


def picture_at(url: str) -> str | None:
    """Return an https address of a picture, or None: mail programs block mixed content."""
    found = link_to(url)
    return found if found is not None and found.startswith("https:") else None


def host_of(url: str) -> str:
    """Return the site's name in a web address as people say it: without "www."."""
    return (urlsplit(url).hostname or "").removeprefix("www.")


def _quoted(part: str) -> str:
    """Part of an address, percent-encoded; what looks like a scheme in it loses its colon."""
    return _SCHEMES.sub(r"\1%3A", quote(part, safe=_LEFT_ALONE))


def _netloc(host: str, port: int | None) -> str | None:
    """Host and port without user and password, which only ever mislead; None if not a name."""
    try:
        name = f"[{ipaddress.IPv6Address(host)}]" if ":" in host else host.encode("idna").decode()
    except (UnicodeError, ValueError):
        return None
    if re.fullmatch(r"[A-Za-z0-9._\-\[\]:]+", name) is None:
        return None
    return name if port is None else f"{name}:{port}"


def _is_public(host: str) -> bool:
    """Whether `host` looks like a name of the public web rather than this machine or network."""
    if ":" in host or host.replace(".", "").isdigit():
        return False
    return "." in host and not host.endswith((".localhost", ".local", ".internal"))
