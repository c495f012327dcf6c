"""Turns the entries of one document into identities that stay the same from poll to poll.

The strongest sign that tells an entry from its neighbours counts: guid, link, or link with title
and date. A sign that several different entries share says nothing about any of them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from digest.articles.links import canonical, link_of
from digest.model.feed import Entry

_UNIVERSAL = re.compile(r"(?:https?://|urn:|tag:)\S", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What an entry is known by; see `model.article.NewArticle`."""

    key: str
    link_key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signs:
    """What an entry says of itself, from the strongest sign to the weakest."""

    guid: str | None
    link: str | None
    #: the link without its fragment
    page: str | None
    text: str


def identify(entries: Sequence[Entry], *, feed_url: str) -> tuple[Identity, ...]:
    """One identity for each entry of one document, in the same order; equal for exact repeats."""
    scope = urlsplit(feed_url).hostname or ""
    signs = [_signs(each, scope) for each in entries]
    links = _group((each.guid, each.link) for each in signs)
    texts = _group((each.link, each.text) for each in signs)
    keys = [_key(each, links, texts, scope) for each in signs]
    sharing = _group((each.page, key) for each, key in zip(signs, keys, strict=True))
    return tuple(
        Identity(key=key, link_key=_alone(each.page, sharing))
        for each, key in zip(signs, keys, strict=True)
    )


def _signs(entry: Entry, scope: str) -> _Signs:
    url = link_of(entry)
    guid = entry.guid
    if guid and not _UNIVERSAL.match(guid):  # "123" means another thing at another host
        guid = f"{scope} {guid}"
    date = entry.published_at.isoformat() if entry.published_at else ""
    summary = "" if entry.title and date else entry.summary_html  # it may be edited
    return _Signs(
        guid=guid,
        link=canonical(url, fragment=True) if url else None,
        page=canonical(url) if url else None,
        text=f"{entry.title}\n{date}\n{summary}",
    )


def _key(
    signs: _Signs,
    links: Mapping[str | None, set[str | None]],
    texts: Mapping[str | None, set[str | None]],
    scope: str,
) -> str:
    if signs.guid and len(links[signs.guid]) == 1:
        return _hash("guid", signs.guid)
    if signs.link and len(texts[signs.link]) == 1:
        return _hash("link", signs.link)
    return _hash("text", scope, signs.link or "", signs.text)


def _group(
    pairs: Iterable[tuple[str | None, str | None]],
) -> Mapping[str | None, set[str | None]]:
    groups: dict[str | None, set[str | None]] = defaultdict(set)
    for sign, value in pairs:
        groups[sign].add(value)
    return groups


def _alone(page: str | None, sharing: Mapping[str | None, set[str | None]]) -> str | None:
    return _hash("page", page) if page and len(sharing[page]) == 1 else None


def _hash(*parts: str) -> str:
    return sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
