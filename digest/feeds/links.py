"""Turns the references of a feed document into absolute addresses; fetches none of them."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

_MAX_URL = 2000


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
        return urljoin(base, cleaned)
    except ValueError:
        return None
