"""Turns encoded bytes into text: transfer encodings, charsets, RFC 2047; it never raises."""

from __future__ import annotations

import binascii
import codecs
import quopri
import re

# An allowed list: some codecs of Python are no charsets, and some take quadratic time.
_CHARSETS = re.compile(
    r"utf-(?:8|16|16-le|16-be|7)|ascii|iso8859-\d{1,2}|cp\d{3,5}|koi8-[rut]|gb2312|gbk|gb18030|hz"
    r"|big5|big5hkscs|euc_jp|euc_kr|euc_jis_2004|shift_jis|shift_jisx0213|iso2022_(?:jp|kr)\w*"
    r"|mac-\w+|johab|tis-620"
)
_ALIASES = {
    "unicode-1-1-utf-7": "utf-7",
    "uft-8": "utf-8",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "iso-2022-jp": "iso2022_jp_2",
}
_WORD = re.compile(r"=\?([\w.:+-]{1,40})(?:\*[\w-]{1,20})?\?([bqBQ])\?([^?\s]{0,2000})\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)\s+(?==\?)")
_SHIFTED = ("iso2022", "utf-7", "hz", "utf-16")


def decode_body(body: bytes, encoding: str) -> bytes:
    """Undo base64 and quoted-printable, as well as it goes."""
    match encoding.strip().lower().partition(" ")[0].strip("\"';"):
        case "base64":
            return _unbase64(body)
        case "quoted-printable":
            return quopri.decodestring(body)
        case _:
            return body


def _unbase64(body: bytes) -> bytes:
    clean = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
    try:
        return binascii.a2b_base64(clean[: len(clean) // 4 * 4] + _padded(clean))
    except binascii.Error:
        return body


def _padded(clean: bytes) -> bytes:
    rest = clean[len(clean) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def decode_text(data: bytes, charset: str) -> str:
    """Text of bytes that say their charset, and sometimes the truth."""
    name = _known(charset)
    shifted = name.startswith(_SHIFTED)
    for each in (
        (name, "utf-8") if shifted else ("utf-8", name) if data.isascii() else (name, "utf-8")
    ):
        try:
            return _sound(data.decode(each))
        except (UnicodeError, LookupError):
            continue
    try:
        return _sound(data.decode(name, "replace"))
    except (UnicodeError, LookupError):
        return data.decode("latin-1")


def _sound(text: str) -> str:
    """UTF-7 and others can smuggle halves of surrogate pairs, NULs and other line ends in."""
    text = text.replace("\r\n", "\n").replace("\0", " ")
    return text.encode("utf-8", "replace").decode("utf-8")


def _known(charset: str) -> str:
    """The name of an allowed codec; UTF-8 where there is none."""
    wanted = _ALIASES.get(charset.lower(), charset)
    try:
        name = codecs.lookup(wanted).name if wanted else "utf-8"
    except (LookupError, ValueError):
        return "utf-8"
    return name if _CHARSETS.fullmatch(name) else "utf-8"


def decode_field(value: str) -> str:
    """A header value with its encoded words (RFC 2047) decoded."""
    if "=?" not in value:
        return value
    return _WORD.sub(_decode_word, _BETWEEN_WORDS.sub(r"\1", value))


def _decode_word(match: re.Match[str]) -> str:
    charset, how, text = match[1], match[2].lower(), match[3].encode("utf-8", "replace")
    data = _unbase64(text) if how == "b" else quopri.decodestring(text, header=True)
    return decode_text(data, charset).replace("\n", " ")
