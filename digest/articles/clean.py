"""Turns strangers' HTML into the few elements that we keep; what it gives, it gives back unchanged.

Nothing of a feed is stored as markup that did not pass here. It works in two steps. The first takes
the document apart and writes a plain one of it: known elements only, closed in order, nested no
deeper than `DEPTH`, with the attributes that we read. The second is nh3, which trusts nothing and
would be safe alone, but takes quadratic time for deep nesting. What does not come out of both as it
went in is sent through once more, and what never settles becomes text.
"""

from __future__ import annotations

import re
from html import escape, unescape
from urllib.parse import urljoin

import nh3

from digest.articles.images import is_decoration
from digest.articles.links import untracked, web_url
from digest.model.text import one_line, plain_text

#: characters of HTML that are looked at
SIZE = 64 * 1024
#: elements inside each other
DEPTH = 24
_ROUNDS = 4
_MAX_ALT = 200
#: what is no wider or higher counts readers, or separates
_PIXELS = 16

_INLINE = {"a", "em", "strong", "b", "i", "code"}
_BLOCKS = {"p", "ul", "ol", "li", "blockquote", "h2", "h3", "h4", "pre", "figure", "figcaption"}
_EMPTY = {"br", "img"}
#: what is told in another of our elements
_ALIKE = {"h1": "h2", "h5": "h4", "h6": "h4", "cite": "em", "tt": "code", "kbd": "code"}
_ALIKE |= dict.fromkeys(
    (
        "address", "article", "aside", "body", "caption", "center", "dd", "details", "div", "dl",
        "dt", "footer", "header", "hgroup", "hr", "main", "nav", "section", "summary", "table",
        "tbody", "td", "tfoot", "th", "thead", "tr",
    ),
    "p",
)  # fmt: skip
#: where something can stand only inside something else
_HOME = {"li": {"ul", "ol"}, "figcaption": {"figure"}}

# As a browser reads it (HTML 13.2.5); what is never closed runs to the end, so that nothing is
# looked at twice. An svg that closes itself has no content to leave out.
_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<[!?][^>]*+(?:>|\Z)"
    r"|<(?:svg|math)(?![\w:-])[^<>]*/>"
    r"|<(?P<hidden>script|style|head|title|template|noscript|noembed|noframes|iframe|svg|math|object"
    r"|applet|select|textarea|xmp|plaintext|audio|video|canvas|button)(?![\w:-])"
    r".*?(?:</(?P=hidden)\s*>|\Z)"
    r"|<(?P<end>/)?(?P<name>[a-zA-Z][a-zA-Z0-9]*+)(?P<rest>"
    r"(?:[^>=]++|=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))?+)*+)(?:>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE = re.compile(
    r"([^\s=>/\"']++)\s*+(?:=\s*+(\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|[^\s>]*+))?+"
)
_READ = {"href", "src", "data-src", "data-lazy-src", "data-original", "alt", "width", "height"}
# Controls, invisible and direction-changing characters, as in `model.text`, but for line ends.
_JUNK = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u180e\u200b\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_MAILTO = re.compile(r"mailto:[\w.+%-]+@[\w.-]+(?:\?subject=[\w.,+%-]*)?", re.IGNORECASE)
_CUT_TAG = re.compile(r"<[^<>]*\Z|&[#\w]{0,32}\Z")

_CLEANER = nh3.Cleaner(
    tags=_INLINE | _BLOCKS | _EMPTY,
    attributes={"a": {"href"}, "img": {"src", "alt", "width", "height"}},
    url_schemes={"http", "https", "mailto"},
    link_rel="nofollow noopener noreferrer",
    url_relative="deny",
)


def clean(html: str, *, base: str | None = None) -> str:
    """The first 64 KiB characters of `html` in our few elements; "" where nothing is left.

    Links lead to the web or to a mailbox and carry no tracking; with a `base`, an address of the
    web, relative ones are kept too. `clean(clean(x)) == clean(x)`. It never raises.
    """
    cleaned = html
    for _ in range(_ROUNDS):
        before = cleaned
        cleaned = _CLEANER.clean(_Plain(base).write(_head(cleaned)))
        if cleaned == before:
            return cleaned
        base = None  # from here on every address is whole
    return _as_text(cleaned)


def _as_text(html: str) -> str:
    """What did not settle, as paragraphs without any element in them."""
    lines = plain_text(html)[: SIZE // 8].split("\n")  # each "&" is five characters in HTML
    return "".join(f"<p>{escape(line, quote=False)}</p>" for line in lines if line)


def _head(html: str) -> str:
    return html if len(html) <= SIZE else _CUT_TAG.sub("", html[:SIZE])


class _Plain:
    """Writes a document as a plain one: known elements, closed in order, not deep."""

    def __init__(self, base: str | None) -> None:
        self._base = base
        self._parts: list[str] = []
        #: what is open: its name, where it began, whether it holds anything
        self._open: list[tuple[str, int]] = []
        #: how many parts there were when something to see was written last
        self._seen = 0

    def write(self, html: str) -> str:
        at = 0
        for token in _TOKEN.finditer(html):
            self._text(html[at : token.start()])
            at = token.end()
            if token["name"]:
                self._tag(token["name"].lower(), token["end"] is not None, token["rest"])
        self._text(html[at:])
        self._close_to(0)
        return "".join(self._parts).strip()

    def _text(self, raw: str) -> None:
        text = _JUNK.sub("", unescape(raw).replace("\r\n", "\n").replace("\r", "\n"))
        if not text:
            return
        within = self._within("pre")
        if not within:
            text = re.sub(r"[ \t\n]+", " ", text)
        elif self._open[-1][0] == "pre" and self._seen <= self._open[-1][1]:
            text = text.lstrip("\n")  # a browser drops the first line end, each time
        self._put(escape(text, quote=False), seen=bool(text.strip()))

    def _put(self, part: str, *, seen: bool) -> None:
        if part == " " and (not self._parts or self._parts[-1].endswith((" ", "\n"))):
            return
        self._parts.append(part)
        if seen:
            self._seen = len(self._parts)

    def _tag(self, name: str, end: bool, rest: str) -> None:  # noqa: FBT001 -- of a token
        name = _ALIKE.get(name, name)
        if name in _EMPTY:
            self._empty(name, rest)
        elif name in _HOME and not any(map(self._within, _HOME[name])):
            self._tag("p", end, rest)
        elif end:
            self._end(name)
        elif name in _BLOCKS:
            self._begin_block(name)
        elif name in _INLINE:
            self._begin_inline(name, rest)

    def _empty(self, name: str, rest: str) -> None:
        if name == "br":
            if self._seen:  # never at the beginning
                self._put("<br>", seen=False)
            return
        image = self._image(_attributes(rest))
        if image:
            self._put(image, seen=True)

    def _begin_block(self, name: str) -> None:
        if name == "p" and self._within("pre"):
            return
        self._close("p")
        if name.startswith("h"):
            for each in ("h2", "h3", "h4"):
                self._close(each)
        elif name in {"li", "figcaption", "figure", "pre"}:
            self._close(name, inside=_HOME.get(name, set()))
        self._begin(name, f"<{name}>")

    def _begin_inline(self, name: str, rest: str) -> None:
        if self._within(name):
            return  # twice bold is bold, and links do not nest
        if name != "a":
            self._begin(name, f"<{name}>")
            return
        href = self._address(_attributes(rest).get("href", ""))
        if href:
            self._begin(name, f'<a href="{escape(href)}">')

    def _begin(self, name: str, tag: str) -> None:
        if len(self._open) < DEPTH:
            self._open.append((name, len(self._parts)))
            self._parts.append(tag)

    def _end(self, name: str) -> None:
        if name in {"p", "li"} or name in _BLOCKS or name in _INLINE:
            self._close(name)

    def _within(self, name: str) -> bool:
        return any(each == name for each, _ in self._open)

    def _close(self, name: str, *, inside: frozenset[str] | set[str] = frozenset()) -> None:
        """Close the innermost `name` and what is in it, unless one of `inside` stands between."""
        for place in range(len(self._open) - 1, -1, -1):
            each = self._open[place][0]
            if each == name:
                self._close_to(place)
                return
            if each in inside:
                return

    def _close_to(self, place: int) -> None:
        while len(self._open) > place:
            name, start = self._open.pop()
            if self._seen <= start:
                del self._parts[start:]  # nothing in it to see
                if name in _INLINE:
                    self._put(" ", seen=False)
            else:
                self._parts.append(f"</{name}>")

    def _image(self, said: dict[str, str]) -> str | None:
        source = said.get("src", "")
        if not source or source.startswith("data:"):  # a placeholder until a script runs
            lazy = (said.get(name) for name in ("data-src", "data-lazy-src", "data-original"))
            source = next(filter(None, lazy), "")
        url = self._address(source)
        if not url or url.lower().startswith("mailto:") or is_decoration(url):
            return None
        sizes = {name: said[name] for name in ("width", "height") if said.get(name, "").isdecimal()}
        if any(int(size[:5]) < _PIXELS for size in sizes.values()):
            return None
        alt = escape(one_line(said.get("alt", ""))[:_MAX_ALT].strip())
        shape = "".join(f' {name}="{int(size[:5])}"' for name, size in sizes.items())
        return f'<img src="{escape(url)}" alt="{alt}"{shape}>'

    def _address(self, reference: str) -> str | None:
        reference = reference.strip()
        if _MAILTO.fullmatch(reference):
            return reference
        try:
            whole = urljoin(self._base, reference) if self._base and reference else reference
        except ValueError:
            return None
        url = web_url(whole)
        return untracked(url) if url else None


def _attributes(rest: str) -> dict[str, str]:
    """The attributes of a tag that we read, the first of each name, as a browser takes it."""
    said: dict[str, str] = {}
    for name, quoted in _ATTRIBUTE.findall(rest):
        key = name.lower()
        if key in _READ and key not in said:
            value = quoted[1:].removesuffix(quoted[0]) if quoted[:1] in {'"', "'"} else quoted
            said[key] = _JUNK.sub("", unescape(value))
    return said
