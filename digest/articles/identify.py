"""Turns the entries of one document into identities that stay the same from poll to poll.

The strongest sign that tells an entry from its neighbours is its key: guid, link, or link with
title and date. All its signs together tell `recognise` whether we know it under another key. A
sign that several different entries share says nothing about any of them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from unicodedata import normalize

from digest.articles.links import canonical, link_of, web_url
from digest.model.feed import Entry

_UNIVERSAL = re.compile(r"(?:https?://|urn:|tag:)\S", re.IGNORECASE)

#: what a sign begins with that is made of title and date; others are hashes and nothing else
TEXT = "text:"

#: a shorter title ("Update", "News") says nothing, however exact the date
_LETTERS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What an entry is known by; see `model.article.NewArticle`."""

    key: str
    link_key: str | None
    #: the strongest first: the key, the page, the link with its fragment, title and date
    signs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signs:
    """What an entry says of itself, from the strongest sign to the weakest."""

    guid: str | None
    link: str | None
    #: the link without its fragment; None where that is the site's home page
    page: str | None
    text: str
    #: the title and when it was published, whatever the site is called; None where one is missing
    story: str | None


def identify(
    entries: Sequence[Entry], *, feed_url: str, site_url: str | None = None
) -> tuple[Identity, ...]:
    """One identity for each entry of one document, in the same order; equal for exact repeats.

    `site_url`: the site's home page as the document names it. That an entry leads there says
    nothing about the entry.
    """
    # a number means another thing in another feed, also of the same host: two shows of one caster
    scope = feed_url.partition("://")[2] or feed_url
    home = canonical(site) if (site := web_url(site_url)) else None
    said = [_signs(each, scope, home) for each in entries]
    links = _group((each.guid, each.link) for each in said)
    texts = _group((each.link, each.text) for each in said)
    keys = [_key(each, links, texts, scope, home) for each in said]
    known_by = [_all(key, each, home, scope) for key, each in zip(keys, said, strict=True)]
    sharing = _group(
        (sign, key) for key, signs in zip(keys, known_by, strict=True) for sign in signs
    )
    return tuple(
        _identity(key, each, signs, sharing)
        for key, each, signs in zip(keys, said, known_by, strict=True)
    )


def page_signs(url: str) -> tuple[str, ...]:
    """The signs of whatever stands at an address that somebody names, the strongest first.

    None for what is no web address, and none for a site's front page.
    """
    found = web_url(url)
    if found is None or _is_home(canonical(found), None):
        return ()
    link = _hash("link", canonical(found, fragment=True))
    return (link, _hash("page", canonical(found)))


def _identity(
    key: str, said: _Signs, signs: Sequence[str], sharing: Mapping[str | None, set[str | None]]
) -> Identity:
    own = tuple(each for each in signs if each == key or len(sharing[each]) == 1)
    page = _hash("page", said.page) if said.page else None
    return Identity(key=key, link_key=page if page in own else None, signs=own)


def _signs(entry: Entry, scope: str, home: str | None) -> _Signs:
    url = link_of(entry)
    guid = entry.guid
    if guid and (address := web_url(guid)) and _is_home(canonical(address, fragment=True), home):
        guid = None
    if guid and not _UNIVERSAL.match(guid):  # "123" means another thing in another feed
        guid = f"{scope} {guid}"
    date = entry.published_at.isoformat() if entry.published_at else ""
    summary = "" if entry.title and date else entry.summary_html  # it may be edited
    page = canonical(url) if url else None
    title = letters(entry.title)
    return _Signs(
        guid=guid,
        link=canonical(url, fragment=True) if url else None,
        page=None if page and _is_home(page, home) else page,
        text=f"{entry.title}\n{date}\n{summary}",
        story=f"{title}\0{date}" if date and len(title) >= _LETTERS else None,
    )


def _is_home(page: str, home: str | None) -> bool:
    """True for a site's front page, which is no page of any article."""
    return page == home or page.partition("/")[2] == ""


def letters(title: str) -> str:
    """What is left of a title when it is set in other type: letters and digits, in lower case."""
    return "".join(each for each in normalize("NFKC", title).casefold() if each.isalnum())


def _key(
    signs: _Signs,
    links: Mapping[str | None, set[str | None]],
    texts: Mapping[str | None, set[str | None]],
    scope: str,
    home: str | None,
) -> str:
    if signs.guid and len(links[signs.guid]) == 1:
        return _hash("guid", signs.guid)
    if signs.link and len(texts[signs.link]) == 1 and not _is_home(signs.link, home):
        return _hash("link", signs.link)
    return _hash("text", scope, signs.link or "", signs.text)


def _all(key: str, signs: _Signs, home: str | None, scope: str) -> tuple[str, ...]:
    named = (
        key,
        _hash("page", signs.page) if signs.page else None,
        _hash("link", signs.link) if signs.link and not _is_home(signs.link, home) else None,
        # what its key would be beside a neighbour with the same link, who may come and go
        _hash("text", scope, signs.link or "", signs.text),
        TEXT + _hash("text", signs.story) if signs.story else None,
    )
    return tuple(dict.fromkeys(each for each in named if each))


def _group(
    pairs: Iterable[tuple[str | None, str | None]],
) -> Mapping[str | None, set[str | None]]:
    groups: dict[str | None, set[str | None]] = defaultdict(set)
    for sign, value in pairs:
        groups[sign].add(value)
    return groups


def _hash(*parts: str) -> str:
    return sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
