"""Turns a mail into findings about its pictures: what they say, how large they are, whence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from digest.messages.cascade import read_mail
from digest.model.finding import Finding
from digest.words import format_number, translations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from digest.messages.cascade import Element

_QUOTED: Final = 100


def check_pictures(html: str, *, language: str) -> tuple[Finding, ...]:
    """Findings in `language`: each picture has a text, a fixed size and an https address."""
    gettext = translations(language).gettext
    pictures = list(read_mail(html).iter("img"))
    found = [finding for each in pictures for finding in _about(each, language)]
    if found:
        return tuple(found)
    if not pictures:
        return (Finding(level="ok", what=gettext("There is no picture.")),)
    said = gettext("Pictures: %(count)s, all with alt text, fixed size and https address.")
    return (Finding(level="ok", what=said % {"count": format_number(len(pictures), language)}),)


def _about(picture: Element, language: str) -> Iterator[Finding]:
    gettext = translations(language).gettext
    url = (picture.get("src") or "").strip()
    where = url[:_QUOTED] or "<img>"
    if picture.get("alt") is None:
        yield Finding(
            level="error",
            what=gettext("A picture has no alt text."),
            where=where,
            do=gettext('Write alt="…", and alt="" where it only decorates.'),
        )
    if not all(_is_size(picture.get(side)) for side in ("width", "height")):
        yield Finding(
            level="warning",
            what=gettext("A picture has no fixed size: the mail jumps while it loads."),
            where=where,
            do=gettext("Write width and height in pixels; Outlook knows no others."),
        )
    if not _is_https(url):
        yield Finding(
            level="error",
            what=gettext("A picture is not at an https address: mail programs do not show it."),
            where=where,
            do=gettext("Put it where https leads to it."),
        )


def _is_size(value: str | None) -> bool:
    return value is not None and value.isascii() and value.isdecimal() and int(value[:6]) > 0


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname)
