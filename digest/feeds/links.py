"""Turns the references of a feed document into absolute addresses; fetches none of them."""

from __future__ import annotations

import re
from html import escape, unescape
from urllib.parse import urljoin, urlsplit

_MAX_URL = 2000
#: addresses of one text that are made absolute, for each takes its time
_MAX_ANCHORED = 100


_TAG = re.compile(r"<[a-zA-Z][^<>]*+>")
_ADDRESS = re.compile(r"""(?<=[\s"'])(href|src|poster)\s*=\s*("[^"]*"|'[^']*')""", re.IGNORECASE)


def is_web(url: str | None) -> bool:
    """Whether `url` is an absolute http or https address."""
    try:
        return (
            bool(url) and urlsplit(url).scheme in {"http", "https"} and bool(urlsplit(url).netloc)
        )
    except ValueError:
        return False


def absolute(reference: str | None, *bases: str | None) -> str | None:
    """`reference` as seen from the first base that is a web address; as it is without one.

    None for nothing, for what cannot be an address and for what is longer than 2000 characters.
    """
    cleaned = re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", "", reference or "").strip()
    if not cleaned or len(cleaned) > _MAX_URL:
        return None
    base = next((each for each in bases if each and is_web(each)), "")
    try:
        return urljoin(base, _schemed(cleaned, base))
    except ValueError:
        return None


def _schemed(reference: str, base: str) -> str:
    """`site.example/1` in a feed of that site is an address whose scheme was forgotten."""
    scheme, host = urlsplit(base)[:2]
    bare = host.lower().removeprefix("www.")
    is_host = bare and reference.lower().removeprefix("www.").startswith(f"{bare}/")
    return f"{scheme}://{reference}" if is_host else reference


def anchored(html: str, base: str | None) -> str:
    """`html` with the addresses of its links and pictures as seen from `base`, a web address.

    Unchanged where `base` is none, and after the first hundred. What is escaped, as code samples
    are, stays as it is.
    """
    if not is_web(base):
        return html

    left = _MAX_ANCHORED

    def resolve(match: re.Match[str]) -> str:
        nonlocal left
        left -= 1
        quote, reference = match[2][0], unescape(match[2][1:-1]).strip()
        if left < 0 or reference.startswith("#"):  # which leads to a place in the same text
            return match[0]
        try:
            return f"{match[1]}={quote}{escape(urljoin(str(base), reference))}{quote}"
        except ValueError:
            return match[0]

    return _TAG.sub(lambda tag: _ADDRESS.sub(resolve, tag[0]), html)
