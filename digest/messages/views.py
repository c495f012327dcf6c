"""Turns the HTML of a mail into how it looks on light paper, on dark paper, or without pictures.

A view depends on nobody's own settings: what is dark stays dark in a light browser. It may hold a
stranger's words: show it in an <iframe sandbox="" srcdoc> alone.
"""

from __future__ import annotations

import re
from typing import Final

_STYLE: Final = re.compile(r"(<style\b[^>]*>)(.*?)(</style)", re.DOTALL | re.IGNORECASE)
_MEDIA: Final = re.compile(r"@media([^{}]*)\{((?:[^{}]*\{[^{}]*\})*)[^{}]*\}", re.IGNORECASE)
_SCHEME: Final = re.compile(r"\(prefers-color-scheme\s*:\s*(dark|light)\)")
_SCREEN: Final = frozenset({"screen", "only screen", "all"})
_HEAD: Final = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_META: Final = re.compile(r"<meta\b[^>]*\bcolor-scheme[^>]*>|<base\b[^>]*>", re.IGNORECASE)
_TAG: Final = re.compile(r"""<[a-z](?:"[^"]*"|'[^']*'|[^'">])*>""", re.IGNORECASE)
_SOURCE: Final = re.compile(
    r"""\s(?:src|srcset|background)\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>"']+)""", re.IGNORECASE
)
_URL: Final = re.compile(r"""url\(\s*(?:"[^"]*"|'[^']*'|[^)]*)\s*\)""", re.IGNORECASE)
#: nothing runs, nothing is sent, and nothing but pictures is loaded
_POLICY: Final = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
    " style-src 'unsafe-inline'; img-src https: http:; form-action 'none'; base-uri 'none'\">"
    '<meta name="referrer" content="no-referrer">'
)


def light(html: str) -> str:
    """A mail as on light paper."""
    return _framed(html, dark=False)


def dark(html: str) -> str:
    """A mail as on dark paper: its @media rules for that are rules."""
    return _framed(html, dark=True)


def without_pictures(html: str) -> str:
    """A mail whose pictures are not loaded; their alt texts stay."""
    bare = _STYLE.sub(lambda sheet: sheet[1] + _URL.sub("none", sheet[2]) + sheet[3], html)
    return _TAG.sub(lambda tag: _SOURCE.sub("", _URL.sub("none", tag[0])), bare)


def _framed(html: str, *, dark: bool) -> str:
    scheme = "dark" if dark else "light"
    head = f'<meta charset="utf-8">{_POLICY}<meta name="color-scheme" content="only {scheme}">'
    plain = _META.sub("", _STYLE.sub(lambda s: s[1] + _resolved(s[2], scheme) + s[3], html))
    if _HEAD.search(plain) is None:
        return f"<!DOCTYPE html><html><head>{head}</head>{plain}"
    return _HEAD.sub(lambda tag: tag[0] + head, plain, count=1)


def _resolved(css: str, scheme: str) -> str:
    """The sheet with the rules of this scheme for good, and without those of the other."""

    def resolve(rule: re.Match[str]) -> str:
        queries = [_left(query, scheme) for query in rule[1].lower().split(",")]
        left = [each for each in queries if each is not None]
        if "" in left:
            return rule[2]
        return f"@media {','.join(left)}{{{rule[2]}}}" if left else ""

    return _MEDIA.sub(resolve, css)


def _left(query: str, scheme: str) -> str | None:
    """What a query asks for beside this scheme: "" nothing; None: it wants the other one."""
    asked = [each.strip() for each in re.split(r"\band\b", query)]
    found = {match[1] for each in asked if (match := _SCHEME.fullmatch(each))}
    if found - {scheme}:
        return None
    left = [each for each in asked if _SCHEME.fullmatch(each) is None]
    return "" if found and set(left) <= _SCREEN else " and ".join(left)
