"""Turns the addresses of pictures in a page into addresses of ours, and back; it fetches nothing.

A reader who looks at an edition in his browser must not be seen by the sites that it tells of: the
pictures come through us. Ours is `<path>/pictures/<token>`, and the token is the address itself
behind a MAC of it. That needs no table, works for editions of any age and whatever a theme shows,
and makes us fetch nothing but what we once put into a page: no proxy for everybody.
"""

from __future__ import annotations

import hmac
import html
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from digest.model.edition import Edition

    #: makes 128 bits of some bytes that only we can make
    Sign = Callable[[bytes], bytes]

_MAC: Final = 16
#: octets of an address: with its MAC in base64 it still fits into any server's line
_LONGEST: Final = 1500
_SERVED: Final = re.compile(r"\b([0-9a-f]{32})([0-9a-f]{32})\.jpg")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{24,2048}")

# As a browser reads it (HTML 13.2.5); what is never closed runs to the end, so that each takes
# linear time whatever it is given.
# What these miss is not shown, and not asked for either: the page's policy allows only our own.
_TAG: Final = re.compile(
    r"<[a-zA-Z][^\s/>]*+(?:[^>\"']++|\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))*+(?:>|\Z)"
)
_ATTRIBUTE: Final = re.compile(
    r"([^\s\"'<>/=]++)(\s*+=\s*+)(\"[^\"]*+\"|'[^']*+'|[^\s\"'>]++)", re.DOTALL
)
_SHEET: Final = re.compile(r"(<style\b[^>]*+>)(.*?)(</style|\Z)", re.DOTALL | re.IGNORECASE)
_CSS_URL: Final = re.compile(
    r"url\(\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'()]++))\s*+\)", re.IGNORECASE
)
_ELSEWHERE: Final = re.compile(r"(?:https?:)?//", re.IGNORECASE)
_IN_SET: Final = re.compile(r"(?:https?:)?//[^\s]*[^\s,]", re.IGNORECASE)


def picture_token(url: str, sign: Sign) -> str | None:
    """The token of a picture's address; None where that is too long to be carried."""
    data = url.encode(errors="replace")
    if len(data) > _LONGEST:
        return None
    return urlsafe_b64encode(sign(data) + data).rstrip(b"=").decode()


def read_token(token: str, sign: Sign) -> str | None:
    """The address in a token; None where we did not make it."""
    if not _TOKEN.fullmatch(token) or len(token) % 4 == 1:
        return None
    data = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    mac, url = data[:_MAC], data[_MAC:]
    return url.decode() if hmac.compare_digest(mac, sign(url)) else None


def served_name(digest: str, sign: Sign) -> str:
    """The name under which a picture of ours is served, by its 32 hexadecimal digits."""
    return f"{digest}{sign(bytes.fromhex(digest)).hex()}.jpg"


def read_served(name: str, sign: Sign) -> str | None:
    """The digits of the picture that a name or an address of ours names; None for any other."""
    found = _SERVED.search(name)
    if found is None or found.end() != len(name):
        return None
    true = hmac.compare_digest(bytes.fromhex(found[2]), sign(bytes.fromhex(found[1])))
    return found[1] if true else None


def served_in(markup: str, sign: Sign) -> set[str]:
    """The digits of all pictures of ours that some markup shows."""
    names = {found[0] for found in _SERVED.finditer(markup)}
    return {digest for each in names if (digest := read_served(each, sign)) is not None}


def with_our_pictures(page: str, ours: Callable[[str], str | None]) -> str:
    """The page with `ours(address)` in the place of each picture's address that is not ours.

    That may be None: then there is no picture, only the text that stands for it.
    """

    def tag(found: re.Match[str]) -> str:
        return _ATTRIBUTE.sub(lambda each: _attribute(each, ours), found[0])

    sheets = _SHEET.sub(lambda m: f"{m[1]}{_in_css(m[2], ours)}{m[3]}", page)
    return _TAG.sub(tag, sheets)


def first_picture(edition: Edition) -> tuple[str, str] | None:
    """Address and text of the first picture of a story, else of the page; None if there is none."""
    for part in (*(card.html for card in edition.written.cards), edition.written.html):
        for tag in _TAG.findall(part):
            if tag[:4].lower() == "<img":
                facts = {m[1].lower(): _value(m[3]) for m in _ATTRIBUTE.finditer(tag)}
                source = facts.get("src", "").strip()
                if _ELSEWHERE.match(source):
                    return _whole(source), facts.get("alt", "")
    return None


def _attribute(found: re.Match[str], ours: Callable[[str], str | None]) -> str:
    name, value = found[1].lower(), _value(found[3])
    if name in {"src", "background", "poster"}:
        value = _ours(value.strip(), ours)
    elif name == "srcset":
        value = _IN_SET.sub(lambda each: _ours(each[0], ours), value)
    elif name == "style":
        value = _in_css(value, ours)
    else:
        return found[0]
    return f'{found[1]}{found[2]}"{html.escape(value)}"'


def _in_css(sheet: str, ours: Callable[[str], str | None]) -> str:
    def url(found: re.Match[str]) -> str:
        address = found[1] or found[2] or found[3] or ""
        return f"url({_ours(address.strip(), ours)})" if _ELSEWHERE.match(address) else found[0]

    return _CSS_URL.sub(url, sheet)


def _ours(address: str, ours: Callable[[str], str | None]) -> str:
    return ours(_whole(address)) or "" if _ELSEWHERE.match(address) else address


def _whole(address: str) -> str:
    return f"https:{address}" if address.startswith("//") else address


def _value(quoted: str) -> str:
    return html.unescape(quoted[1:-1] if quoted[0] in "\"'" else quoted)
