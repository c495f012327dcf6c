"""Turns an OPML document into the feeds that it lists, and a newsletter's feeds into OPML 2.0.

It reads strangers' files: nothing of them is believed, fetched or expanded, and what no list of
feeds needs (entities, deep nesting, hundreds of thousands of lines) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from html.entities import html5
from urllib.parse import urlsplit
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from digest.feeds.decode import decode
from digest.model.text import one_line, title_text

#: the largest lists that people keep have some thousand feeds, a few folders deep
MAX_BYTES = 10 * 1024 * 1024
MAX_OUTLINES = 20_000
MAX_DEPTH = 50
MAX_REFERENCES = 500_000
_MAX_URL = 2000
_MAX_TITLE = 200
_MAX_SECTION = 60

_REFERENCE = re.compile(r"&(?!#\d{1,7};|#[xX][0-9A-Fa-f]{1,6};)(?:([A-Za-z][A-Za-z0-9]{0,31});)?")
_XML_NAMES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_NAMES_OF_URL = ("xmlurl", "feedurl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A feed as a list names it; `reason` says why it can be none, in one line."""

    url: str
    title: str | None
    #: the folder that it stands in
    section: str | None
    site_url: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpmlRefused:
    """A document that is no list of feeds, or none that an honest program writes; why, one line."""

    reason: str


def read_opml(body: bytes) -> tuple[Listed, ...] | OpmlRefused:
    """The feeds of an OPML document in its order, those that can be none with their reason.

    A feed's section is the innermost folder around it that has a name.
    """
    if len(body) > MAX_BYTES:
        return OpmlRefused(reason=f"larger than {MAX_BYTES >> 20} MiB")
    text = decode(body, None)
    try:
        try:
            return _listed(text)
        except expat.ExpatError:
            # a bare "&" in an address is what hands and careless programs write
            return _listed(_with_references(text))
    except _Refused as refusal:
        return OpmlRefused(reason=str(refusal))
    except expat.ExpatError as problem:
        why = expat.ErrorString(problem.code) if problem.code else "unreadable"
        return OpmlRefused(reason=f"not well-formed in line {problem.lineno}: {why}")


def write_opml(title: str, feeds: Iterable[Listed], *, made_at: datetime) -> str:
    """OPML 2.0 of these feeds, each section a folder at the place of its first feed."""
    folders: dict[str | None, list[Listed]] = {}
    for each in feeds:
        folders.setdefault(each.section, []).append(each)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<opml version="2.0">',
        "  <head>",
        f"    <title>{escape(one_line(title))}</title>",
        f"    <dateCreated>{format_datetime(made_at)}</dateCreated>",
        "  </head>",
        "  <body>",
    ]
    for section, members in folders.items():
        if section is None:
            lines += (_outline(each, "    ") for each in members)
        else:
            name = _quoted(section)
            lines.append(f"    <outline text={name} title={name}>")
            lines += (_outline(each, "      ") for each in members)
            lines.append("    </outline>")
    return "\n".join((*lines, "  </body>", "</opml>", ""))


def _outline(feed: Listed, indent: str) -> str:
    title = _quoted(feed.title or feed.url)
    site = f" htmlUrl={_quoted(feed.site_url)}" if feed.site_url else ""
    return (
        f'{indent}<outline type="rss" text={title} title={title} xmlUrl={_quoted(feed.url)}{site}/>'
    )


def _quoted(text: str) -> str:
    return quoteattr(one_line(text))


class _Refused(Exception):
    """No list of feeds looks like this; one line says why."""


@dataclass(slots=True)
class _Reader:
    """Collects the outlines while expat reads."""

    found: list[Listed] = field(default_factory=list)
    #: what each open element is called, if it is a folder with a name
    folders: list[str | None] = field(default_factory=list)
    outlines: int = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if not self.folders and name.lower() != "opml":
            raise _Refused("not an OPML document")
        if len(self.folders) >= MAX_DEPTH:
            raise _Refused(f"nested deeper than {MAX_DEPTH}")
        is_outline = name.lower() == "outline"
        self.folders.append(self._take(attributes) if is_outline else None)

    def end(self, _name: str) -> None:
        self.folders.pop()

    def _take(self, attributes: dict[str, str]) -> str | None:
        """Keep a feed; the name of what may be a folder."""
        self.outlines += 1
        if self.outlines > MAX_OUTLINES:
            raise _Refused(f"more than {MAX_OUTLINES} lines")
        said = {key.lower(): value for key, value in attributes.items()}
        title = title_text((said.get("title") or said.get("text") or "")[:2000]) or None
        url = next((said[key] for key in _NAMES_OF_URL if said.get(key, "").strip()), "")
        if not url and said.get("type", "").lower() in {"rss", "atom", "feed"}:
            url = said.get("url", "")  # as some programs write it
        elif not url:
            return title[:_MAX_SECTION] if title else None
        self.found.append(self._listed(url, title, said.get("htmlurl")))
        return None

    def _listed(self, url: str, title: str | None, site: str | None) -> Listed:
        url = re.sub(r"^feed:(?://)?(?=https?:)", "", url.strip(), flags=re.IGNORECASE)
        url = re.sub(r"^feed:(?=//)", "http:", url, flags=re.IGNORECASE)
        return Listed(
            url=one_line(url)[:_MAX_URL],
            title=title[:_MAX_TITLE] if title else None,
            section=next((each for each in reversed(self.folders) if each), None),
            site_url=site if site and refuse_address(site) is None else None,
            reason=refuse_address(url),
        )


def refuse_address(url: str) -> str | None:
    """Why `url` can be no feed's address, in one line, or None."""
    if not url:
        return "names no address (xmlUrl)"
    if len(url) > _MAX_URL:
        return f"its address is longer than {_MAX_URL} characters"
    if one_line(url) != url or " " in url:
        return "its address holds spaces or control characters"
    try:
        parts = urlsplit(url)
        host, named = parts.hostname, parts.username is not None or parts.password is not None
        _ = parts.port
    except ValueError:
        return "is not an address"
    if parts.scheme not in {"http", "https"} or not host:
        return "is not an http or https address"
    return "carries a user name or password; feeds are read without" if named else None


def _listed(text: str) -> tuple[Listed, ...]:
    reader = _Reader()
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.EntityDeclHandler = _refuse_entity
    # an entity that is nowhere declared would otherwise vanish where a document type is named
    parser.SkippedEntityHandler = _refuse_entity
    parser.Parse(text.encode(), True)  # noqa: FBT003 -- expat takes it by position
    return tuple(reader.found)


def _refuse_entity(*_: object) -> None:
    raise _Refused("declares entities, which no list of feeds needs")


def _with_references(text: str) -> str:
    if text.count("&") > MAX_REFERENCES:
        raise _Refused("not well-formed")
    return _REFERENCE.sub(_reference, text)


def _reference(match: re.Match[str]) -> str:
    name = match[1]
    if name in _XML_NAMES:
        return match[0]
    known = html5.get(f"{name};") if name else None
    return escape(known, {'"': "&quot;"}) if known else f"&amp;{match[0][1:]}"
