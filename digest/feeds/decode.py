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
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']?\s*([A-Za-z0-9._-]{1,40})""")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._-]{1,40})", re.IGNORECASE)
# Codecs of Python that are no character sets of documents, and the wide ones: what is not known by
# its first bytes is none of these, whatever it says (XML 1.0, appendix F).
_NO_CHARSETS = re.compile(
    r"utf.?(?:7|16|32).*|u(?:cs)?.?[24](?:be|le)?|punycode|idna|.*escape|undefined|mbcs|oem",
    re.IGNORECASE,
)
#: what XML forbids (XML 1.0 §2.2) and a parser stops at
FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


# Browsers read these as their supersets, and publishers mean them so (WHATWG Encoding §4.2).
_SUPERSETS = {
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin-1", "latin1", "l1"), "windows-1252"),
    **dict.fromkeys(("us-ascii", "ascii"), "utf-8"),
    **dict.fromkeys(("gb2312", "gbk", "euc-cn"), "gb18030"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis"), "cp932"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987"), "cp949"),
    "iso-8859-9": "windows-1254",
    "big5": "big5hkscs",
}
#: how far into a document its XML declaration is looked for: junk may stand before it
_HEAD = 1000
#: sequences that are UTF-8, for each byte that is not, from which on a text is damaged UTF-8
_MOSTLY = 4


def decode(body: bytes, content_type: str | None) -> str:
    """The text of a document without a byte order mark and without characters forbidden in XML."""
    for mark, charset in _MARKS:
        if body.startswith(mark):
            body = body[len(mark) :]
            if charset == "utf-8":
                return _clean(_damaged_utf8(body) or body.decode(charset, "replace"))
            return _clean(body.decode(charset, "replace"))
    for start, charset in _WIDE:
        if body.startswith(start):
            return _clean(body.decode(charset, "replace"))
    return _clean(_by_declaration(body, content_type or ""))


def _by_declaration(body: bytes, content_type: str) -> str:
    """UTF-8 if it is that, then HTTP's word, then the document's, as long as the bytes agree.

    No text of another character set is UTF-8 by chance, while many a server announces a character
    set that it does not send. Last comes UTF-8 with some bytes broken, else Western.
    """
    over_http, declared = _CHARSET.search(content_type), _DECLARED.search(body, 0, _HEAD)
    names = [over_http[1] if over_http else "", declared[1].decode() if declared else ""]
    # ISO-2022-JP is ASCII with escapes; everything else that is ASCII is UTF-8
    names = [*names, "utf-8"] if body.isascii() and b"\x1b" in body else ["utf-8", *names]
    for name in filter(None, names):
        text = _tried(body, name.lower())
        if text is not None:
            return text
    return body.decode("windows-1252", "replace")


def _tried(body: bytes, name: str) -> str | None:
    name = _SUPERSETS.get(name, name)
    if _NO_CHARSETS.fullmatch(name):
        return None
    if name == "utf-8":
        return _damaged_utf8(body)
    if name == "windows-1252":
        return body.decode(name, "replace")
    try:
        text = body.decode(name, "replace")
    except (UnicodeError, LookupError):
        return None
    broken = text.count("\ufffd")
    return text if not broken or _high(text) >= _MOSTLY * broken + broken else None


def _damaged_utf8(body: bytes) -> str | None:
    """UTF-8 of which a part is broken (a cut in a character, a Western quotation), or None."""
    sound = body.decode("utf-8", "ignore")
    broken = len(body) - len(sound.encode())
    # counted before the slow way: it calls back for each broken byte
    return body.decode("utf-8", _WESTERN) if _high(sound) >= _MOSTLY * broken else None


def _high(text: str) -> int:
    """How many characters of `text` are not ASCII."""
    return len(text) - len(text.encode("ascii", "ignore"))


def _western(error: UnicodeError) -> tuple[str, int]:
    """What the byte at the place of the error would be in Windows-1252."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    end = error.start + 1
    return error.object[error.start : end].decode("windows-1252", "replace"), end


_WESTERN = "digest.western"
codecs.register_error(_WESTERN, _western)


def _clean(text: str) -> str:
    return FORBIDDEN.sub("", text).lstrip()
