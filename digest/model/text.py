"""Turns strangers' HTML into plain text that is fit for a header, a page or a mail.

What comes out is text, never markup: whoever puts it into HTML escapes it. Every function takes
linear time whatever it is given, and never raises.
"""

from __future__ import annotations

import re
from html import unescape

# What no text of ours may carry: controls (white space among them is collapsed, not dropped),
# bidi embeddings, overrides and isolates, invisible spaces and operators, interlinear marks, tag
# characters, halves of surrogate pairs, noncharacters. ZWJ, ZWNJ, LRM and RLM stay: Persian,
# Arabic, Indic scripts and emoji are written with them.
_JUNK = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u180e\u200b\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)

# A title is short and often speaks of markup: only what is closed is a tag.
_TITLE_TAG = re.compile(r"<!--.*?(?:-->|\Z)|</?[a-zA-Z][^<>]*+>", re.DOTALL)
_FORMATTING = re.compile(
    r"</?(?:a|abbr|b|big|br|cite|code|del|em|font|i|img|ins|mark|p|q|s|small|span|strike|strong"
    r"|sub|sup|u|wbr)(?:\s[^<>]*+)?/?>",
    re.IGNORECASE,
)

# As a browser reads it (HTML 13.2.5): a quote opens only after "=", and what is never closed runs
# to the end. Each alternative that begins also matches, so nothing is looked at twice.
_MARKUP = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(?:svg|math)\b[^<>]*/>"  # closed in itself: it hides nothing behind it
    r"|<(?P<hidden>script|style|head|template|noscript|iframe|svg|math|object|select|textarea"
    r"|figcaption)\b.*?(?:</(?P=hidden)\s*>|\Z)"
    r"|<[/!?]?(?P<name>[a-zA-Z][a-zA-Z0-9]*+)"
    r"(?:[^>=]++|=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))?+)*+(?:>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_BLOCK = re.compile(
    r"address|article|aside|blockquote|br|center|d[dlt]|div|figure|footer|form|h[1-6]|header|hr|li"
    r"|main|nav|ol|p|pre|section|table|tr|ul",
    re.IGNORECASE,
)
_ESCAPED_MARKUP = re.compile(
    r"</?(?:p|br|div|a|img|strong|em|ul|ol|li|span|h[1-6])(?:\s[^<>]*+)?/?>", re.IGNORECASE
)


# Codecs of Python that are no character sets of documents; some take quadratic time.
_NO_CHARSET = re.compile(r"utf.?7|punycode|idna|.*escape|undefined|mbcs|oem", re.IGNORECASE)


def is_charset(name: str) -> bool:
    """Whether `name`, by which a stranger calls an encoding, may be looked up as one."""
    return _NO_CHARSET.fullmatch(name) is None


def one_line(text: str) -> str:
    """One line of text without control, invisible or direction-changing characters."""
    return " ".join(_JUNK.sub("", text).split())


def title_text(html: str) -> str:
    """A title as plain text on one line, from HTML, from text, or from HTML escaped once more.

    `<b>Q&amp;amp;A</b>` gives `Q&A`; `How &lt;div&gt; works` keeps its `<div>`.
    """
    once = unescape(_TITLE_TAG.sub(_gap, html))
    return one_line(unescape(_FORMATTING.sub(_gap, once)))


def plain_text(html: str) -> str:
    """The text of an HTML fragment, one line a block, no empty lines; captions are left out."""
    text = _text_of(html)
    if "<" not in html and _ESCAPED_MARKUP.search(text):  # escaped once too often
        text = _text_of(text)
    lines = (one_line(line) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _text_of(html: str) -> str:
    # A line end in HTML is white space like any other; from here on it parts blocks.
    return unescape(_MARKUP.sub(_replacement, re.sub(r"[\r\n]", " ", html)))


def _replacement(match: re.Match[str]) -> str:
    name = match["name"] or ""
    if _BLOCK.fullmatch(name):
        return "\n"
    return " " if match["hidden"] or name.lower() in {"td", "th"} else ""


def _gap(match: re.Match[str]) -> str:
    return " " if re.match(r"</?(?:br|p|div|li)\b", match[0], re.IGNORECASE) else ""
