"""Turns past editions into an Atom feed (RFC 4287), for those who would rather poll."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from digest.model.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from digest.model.newsletter import Newsletter
    from digest.store.editions import Past

_DECLARATION: Final = b'<?xml version="1.0" encoding="utf-8"?>\n'
_ATOM: Final = "http://www.w3.org/2005/Atom"
_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"

register_namespace("", _ATOM)


def write_feed(
    newsletter: Newsletter, latest: Sequence[Past], *, public_url: str, now: datetime
) -> bytes:
    """The feed of one newsletter's editions, newest first; `now` dates a feed that is empty."""
    home = f"{public_url}/archive/{newsletter.slug}"
    feed = Element(_name("feed"), {_LANG: newsletter.language})
    updated = (
        latest[0].made_at if latest else now.replace(hour=0, minute=0, second=0, microsecond=0)
    )
    _add(feed, "id", f"{home}/feed.xml")
    _add(feed, "title", newsletter.title)
    if newsletter.description:
        _add(feed, "subtitle", newsletter.description)
    _add(feed, "updated", _stamp(updated))
    SubElement(
        feed, _name("link"), rel="self", type="application/atom+xml", href=f"{home}/feed.xml"
    )
    SubElement(feed, _name("link"), rel="alternate", type="text/html", href=home)
    _add(SubElement(feed, _name("author")), "name", newsletter.sender.name or newsletter.title)
    for each in latest:
        feed.append(_entry(each, f"{home}/{each.id}"))
    return _DECLARATION + tostring(feed, encoding="unicode").encode()


def _entry(edition: Past, url: str) -> Element:
    entry = Element(_name("entry"), {_LANG: edition.language})
    _add(entry, "id", url)
    _add(entry, "title", edition.subject)
    _add(entry, "updated", _stamp(edition.made_at))
    _add(entry, "summary", edition.preheader)
    SubElement(entry, _name("link"), rel="alternate", type="text/html", href=url)
    return entry


def _add(parent: Element, name: str, text: str) -> None:
    """Text without the control characters that no XML can hold."""
    SubElement(parent, _name(name)).text = one_line(text)


def _name(name: str) -> str:
    return f"{{{_ATOM}}}{name}"


def _stamp(at: datetime) -> str:
    """RFC 3339, whole seconds, UTC."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
