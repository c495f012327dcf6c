"""Turns past editions, or articles about a topic, into Atom (RFC 4287), for those who poll."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final
from uuid import NAMESPACE_URL, uuid5
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from digest.messages.plain import link_to
from digest.model.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from digest.model.newsletter import Newsletter, Topic
    from digest.store.past import Past
    from digest.store.told import Told

MEDIA_TYPE: Final = "application/atom+xml"
_DECLARATION: Final = b'<?xml version="1.0" encoding="utf-8"?>\n'
_ATOM: Final = "http://www.w3.org/2005/Atom"
_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"

register_namespace("", _ATOM)


def write_feed(
    newsletter: Newsletter,
    latest: Sequence[Past],
    headlines: Mapping[int, Sequence[tuple[str, str]]],
    *,
    public_url: str,
    now: datetime,
) -> bytes:
    """The feed of one newsletter's editions, newest first; `now` dates a feed that is empty.

    `headlines`: title and address of each article, in reading order, by the edition's id.
    """
    home = f"{public_url}/archive/{newsletter.slug}"
    feed = _feed(newsletter, url=f"{home}/feed.xml", home=home, title=newsletter.title)
    _add(feed, "updated", _stamp(latest[0].made_at if latest else _midnight(now)))
    for each in latest:
        feed.append(_edition(each, f"{home}/{each.id}", headlines.get(each.id, ())))
    return _written(feed)


def write_topic_feed(
    newsletter: Newsletter,
    topic: Topic,
    told: Sequence[Told],
    *,
    public_url: str,
    now: datetime,
) -> bytes:
    """The feed of the articles about a topic, newest first; `now` dates a feed that is empty."""
    home = f"{public_url}/archive/{newsletter.slug}"
    feed = _feed(
        newsletter,
        url=f"{home}/topics/{topic.name}/feed.xml",
        home=home,
        title=f"{newsletter.title}: {topic.title}",
    )
    updated = max((each.updated_at or each.made_at for each in told), default=_midnight(now))
    _add(feed, "updated", _stamp(updated))
    for each in told:
        feed.append(_article(each, newsletter, topic, edition=f"{home}/{each.edition_id}"))
    return _written(feed)


def _feed(newsletter: Newsletter, *, url: str, home: str, title: str) -> Element:
    feed = Element(_name("feed"), {_LANG: newsletter.language})
    _add(feed, "id", url)
    _add(feed, "title", title)
    if newsletter.description:
        _add(feed, "subtitle", newsletter.description)
    _link(feed, "self", url, MEDIA_TYPE)
    _link(feed, "alternate", home)
    _add(SubElement(feed, _name("author")), "name", newsletter.sender.name or newsletter.title)
    _add(feed, "rights", newsletter.address)
    return feed


def _edition(edition: Past, url: str, headlines: Sequence[tuple[str, str]]) -> Element:
    entry = Element(_name("entry"), {_LANG: edition.language})
    _add(entry, "id", url)  # an edition keeps its id, also in a restored database
    _add(entry, "title", edition.subject)
    _add(entry, "published", _stamp(edition.made_at))
    _add(entry, "updated", _stamp(edition.made_at))
    _link(entry, "alternate", url)
    if edition.preheader:
        _add(entry, "summary", edition.preheader)
    if headlines:
        lines = "".join(f"<li>{_headline(*each)}</li>" for each in headlines)
        _add(entry, "content", f"<ol>{lines}</ol>", type="html")
    return entry


def _headline(title: str, url: str) -> str:
    link = link_to(url)
    text = escape(title or url)
    return f'<a href="{escape(link)}">{text}</a>' if link else text


def _article(told: Told, newsletter: Newsletter, topic: Topic, *, edition: str) -> Element:
    entry = Element(_name("entry"))
    # by what makes an article the same wherever we meet it: a number of ours may be given twice
    _add(entry, "id", f"urn:uuid:{uuid5(NAMESPACE_URL, told.key)}")
    _add(entry, "title", told.title or told.url)
    _add(entry, "published", _stamp(told.published_at or told.made_at))
    _add(entry, "updated", _stamp(told.updated_at or told.published_at or told.made_at))
    author = SubElement(entry, _name("author"))
    _add(author, "name", told.author or told.source or newsletter.title)
    SubElement(entry, _name("category"), term=topic.name, label=one_line(topic.title))
    if told.source:
        SubElement(entry, _name("category"), term=one_line(told.source))
    link = link_to(told.url)
    _link(entry, "alternate", link or edition)
    if link:
        _link(entry, "related", edition)
    _add(entry, "summary", told.excerpt)
    return entry


def _link(parent: Element, rel: str, url: str, media_type: str = "text/html") -> None:
    SubElement(parent, _name("link"), rel=rel, type=media_type, href=url)


def _add(parent: Element, name: str, text: str, **attributes: str) -> None:
    """Text without the control characters that no XML can hold."""
    SubElement(parent, _name(name), attributes).text = one_line(text)


def _written(feed: Element) -> bytes:
    return _DECLARATION + tostring(feed, encoding="unicode").encode()


def _name(name: str) -> str:
    return f"{{{_ATOM}}}{name}"


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _stamp(at: datetime) -> str:
    """RFC 3339, whole seconds, UTC."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
