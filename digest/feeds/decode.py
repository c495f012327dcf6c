"""Turns the bytes of a document into text, whatever its publisher said about their encoding.

Done here and not in feedparser: there, the answer hangs on which detection library happens to be
installed, and some codec names that a document may declare raise errors or run for minutes.
"""

from __future__ import annotations

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins like UTF-16's, so it is looked for first
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Without a mark: how "<?" or "<r" begins in the wide encodings (XML 1.0, appendix F).
_WIDE = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._-]{1,40})", re.IGNORECASE)
# Codecs of Python that are no character sets of documents.
_NO_CHARSETS = re.compile(r"utf.?7|punycode|idna|.*escape|undefined|mbcs|oem", re.IGNORECASE)
#: what XML forbids (XML 1.0 §2.2) and a parser stops at
FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def decode(body: bytes, content_type: str | None) -> str:
    """The text of a document without a byte order mark and without characters forbidden in XML."""
    for mark, charset in _MARKS:
        if body.startswith(mark):
            return _clean(body[len(mark) :].decode(charset, "replace"))
    for start, charset in _WIDE:
        if body.startswith(start):
            return _clean(body.decode(charset, "replace"))
    return _clean(_by_declaration(body, content_type or ""))


def _by_declaration(body: bytes, content_type: str) -> str:
    """HTTP's word, then the document's, then UTF-8, as long as the bytes agree; else Western."""
    over_http, declared = _CHARSET.search(content_type), _DECLARED.match(body)
    names = [
        over_http[1] if over_http else "",
        declared[1].decode() if declared else "",
        "utf-8",
    ]
    for name in filter(None, names):
        text = _tried(body, name.lower())
        if text is not None:
            return text
    return body.decode("windows-1252", "replace")


def _tried(body: bytes, name: str) -> str | None:
    # Browsers read these three as their supersets, and publishers mean them so.
    name = {"iso-8859-1": "windows-1252", "us-ascii": "utf-8", "gb2312": "gb18030"}.get(name, name)
    if _NO_CHARSETS.fullmatch(name):
        return None
    try:
        return body.decode(name)
    except (UnicodeError, LookupError):
        return body.decode(name, "replace") if name == "windows-1252" else None


def _clean(text: str) -> str:
    return FORBIDDEN.sub("", text).lstrip()
