"""Turns a web page into the addresses where its site may keep feeds, the likeliest first.

A site names its feeds in links for machines, in links for people, or nowhere; what readers write
about lies apart, for nobody wants it by mistake. Nothing is fetched here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from itertools import chain, islice
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from digest.feeds.links import absolute, is_web
from digest.model.text import one_line, title_text

#: where an address came from: the one that was asked about, a link for machines, a link for
#: people, or our knowledge of where feeds usually are
FoundBy = Literal["address", "link", "anchor", "guess"]
Kind = Literal["rss", "atom", "json", "rdf"]

#: characters and tags of a page that are looked at, and addresses taken from it
MAX_PAGE = 1024 * 1024
MAX_TAGS = 10_000
MAX_NAMED = 30
MAX_ANCHORS = 15
MAX_CATEGORIES = 6

_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json")
_MAYBE_TYPES = ("application/rdf+xml", "application/xml", "text/xml", "application/json")
_HIDDEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|template|textarea)\b.*?(?:</\1\s*>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
# quotes may hold ">", and what is never closed costs at most so many pieces
_TAG = re.compile(
    r"<(link|a|area|base|meta)\b((?:[^<>\"']++|\"[^\"]{0,2000}+\"|'[^']{0,2000}+'){0,60}+)>",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(
    r"([a-z][a-z0-9:_-]{0,30}+)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'<>]++))", re.IGNORECASE
)
_ANCHOR_TEXT = re.compile(r"([^<]{0,200}+)")
_FEED_PATH = re.compile(
    r"(?:^|[/._-])(?:feeds?|rss2?|atom|rdf)(?:[/._-](?:feed|rss2?|atom|rdf|index|all|news))?"
    r"(?:\.(?:xml|json|rdf|rss|atom|php|aspx?))?/?$"
    r"|\.(?:rss|atom|rdf)$|/(?:rss|feeds)/[\w.-]{1,60}/?$",
    re.IGNORECASE,
)
_FEED_QUERY = re.compile(
    r"(?:^|&)(?:feed=(?:rss2?|atom|rdf)|(?:format|type|alt|view|output|_format)=(?:feed|rss|atom))",
    re.IGNORECASE,
)
#: services that read feeds carry the word too
_READERS = re.compile(
    r"(?:^|\.)(?:feedly|inoreader|netvibes|newsblur|bloglovin|theoldreader|feedbin|subtome|"
    r"facebook|twitter|x|linkedin|validator\.w3|feedvalidator)\.(?:com|org)$",
    re.IGNORECASE,
)
_HOSTS_OF_FEEDS = re.compile(
    r"(?:^|\.)(?:feeds?[0-9]?\.[^.]+\.[a-z]+|feedburner\.(?:com|google\.com)|feedpress\.me)$",
    re.IGNORECASE,
)
_COMMENT_ADDRESS = re.compile(
    r"[/._-]comments?(?:[/._-](?:feed|rss2?|atom|default|xml)|/?\?)|feed=comments", re.IGNORECASE
)
_COMMENT_TITLE = re.compile(
    r"^comments?\b|\bcomments?\s+(?:feed|for|on)\b|\bcomments?\s*(?:\([^()]*\)\s*)?$"
    r"|\bkommentar-?\s?feed\b|\bkommentare\b",
    re.IGNORECASE,
)
_WORDPRESS = re.compile(
    r"/wp-(?:content|includes|json)/|api\.w\.org|content=[\"']wordpress", re.IGNORECASE
)
_CATEGORY = re.compile(r"/(?:category|kategorie|rubrik|thema)/[^/?#]+/?$", re.IGNORECASE)
_LINK_VALUE = re.compile(r"<([^<>]{1,2000})>((?:\s*+;\s*+[^,;\"]*+(?:\"[^\"]*+\")?+)*+)")
_ROOT = re.compile(r"<(?:\w+:)?(rss|feed|rdf|channel)[\s>]", re.IGNORECASE)

#: on most sites the first one that answers is the one
_PLACES = (
    "feed/",
    "feed.xml",
    "rss.xml",
    "atom.xml",
    "index.xml",
    "rss",
    "rss/",
    "feed",
    "feed.json",
    "?feed=rss2",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An address where a feed may be, and what its site calls it."""

    url: str
    found_by: FoundBy
    title: str | None = None
    #: of what readers write about the articles
    comments: bool = False


def discover(page: str, url: str, *, link_header: str = "") -> tuple[Candidate, ...]:
    """What the page at `url` names as feeds: in its links, then in its anchors; comments last.

    `link_header` is the value of the response's Link header (RFC 8288).
    """
    bare = _HIDDEN.sub(" ", page[:MAX_PAGE])
    tags = [(match[1].lower(), _attributes(match[2]), match.end()) for match in _TAG.finditer(bare)]
    base = next((each["href"] for name, each, _ in tags if name == "base" and "href" in each), "")
    bases = (absolute(base, url), url)
    linked = _once(chain(_from_header(link_header, url), _from_links(tags, bases)), MAX_NAMED)
    anchors = _once(_from_anchors(bare, tags, bases, url), MAX_ANCHORS)
    found = _once([*linked, *anchors], MAX_NAMED + MAX_ANCHORS)
    return tuple(sorted(found, key=lambda each: each.comments))


def usual_places(url: str, page: str = "") -> tuple[Candidate, ...]:
    """Where feeds are on most sites, seen from the page at `url`: its own folder, then the root."""
    parts = urlsplit(url)
    root = urlunsplit((parts.scheme, parts.netloc, "/", "", ""))
    head, _, last = parts.path.rpartition("/")
    path = f"{head}/" if "." in last or not last else f"{head}/{last}/"
    folder = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
    first = [folder + place for place in _PLACES[:3]] if folder != root else []
    places = _PLACES[:1] + _PLACES[-1:] if is_wordpress(page) else _PLACES
    wanted = dict.fromkeys([*first, *(root + place for place in places)])
    return tuple(_candidate(each, "guess") for each in wanted)


def category_feeds(page: str, url: str) -> tuple[Candidate, ...]:
    """Where a WordPress keeps the feeds of the categories that its page leads to; a few of them."""
    if not is_wordpress(page):
        return ()
    bare = _HIDDEN.sub(" ", page[:MAX_PAGE])
    return tuple(_once(_from_categories(bare, url), MAX_CATEGORIES))


def _from_categories(bare: str, url: str) -> Iterator[Candidate]:
    for match in islice(_TAG.finditer(bare), MAX_TAGS):
        target = absolute(_attributes(match[2]).get("href"), url)
        if match[1].lower() == "a" and target and _same_site(target, url):
            parts = urlsplit(target)
            if _CATEGORY.search(parts.path):
                path = parts.path.rstrip("/") + "/feed/"
                feed = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
                yield _candidate(feed, "guess", title=_text_at(bare, match.end()))


def is_wordpress(page: str) -> bool:
    """Whether a page looks as if a WordPress wrote it."""
    return _WORDPRESS.search(page, 0, MAX_PAGE) is not None


def kind_of(text: str) -> Kind:
    """Which kind of feed a text is that is known to be one."""
    if text[:1] in {"{", "["}:
        return "json"
    root = _ROOT.search(text, 0, 100_000)
    match root[1].lower() if root else "rss":
        case "feed":
            return "atom"
        case "rdf":
            return "rdf"
        case _:
            return "rss"


def is_about_comments(url: str, *titles: str | None) -> bool:
    """Whether an address or a title says that its feed holds what readers write."""
    parts = urlsplit(url)
    return _COMMENT_ADDRESS.search(f"{parts.path}?{parts.query}") is not None or any(
        _COMMENT_TITLE.search(each) for each in titles if each
    )


Tag = tuple[str, dict[str, str], int]


def _from_links(tags: Iterable[Tag], bases: tuple[str | None, ...]) -> Iterator[Candidate]:
    for name, each, _ in tags:
        if name != "link":
            continue
        target = _address(each.get("href"), bases)
        if target and _names_feed(each.get("rel", ""), each.get("type", ""), target):
            yield _candidate(target, "link", title=each.get("title"))


def _from_header(value: str, url: str) -> Iterator[Candidate]:
    for match in _LINK_VALUE.finditer(value[:20_000]):
        each = _attributes(match[2].replace(";", " "))
        target = _address(match[1], (url,))
        if target and _names_feed(each.get("rel", ""), each.get("type", ""), target):
            yield _candidate(target, "link", title=each.get("title"))


#: what people write on a link to a feed
_SAYS_FEED = re.compile(r"\s*(?:rss|atom|rss[- ]?feed|news-?feed|web ?feed)\s*", re.IGNORECASE)


def _from_anchors(
    page: str, tags: Iterable[Tag], bases: tuple[str | None, ...], url: str
) -> Iterator[Candidate]:
    met: set[str] = set()
    for name, each, end in tags:
        href = each.get("href", "")
        if name not in {"a", "area"} or href in met:
            continue
        met.add(href)
        target = _address(href, bases)
        said = _text_at(page, end)
        likely = _looks_like_feed(target, each.get("type", "")) if target else False
        if target and _is_its_own(target, url) and (likely or _SAYS_FEED.fullmatch(said or "")):
            yield _candidate(target, "anchor", title=each.get("title") or said)


def _text_at(page: str, place: int) -> str | None:
    match = _ANCHOR_TEXT.match(page, place)
    return match[1] if match else None


def _attributes(text: str) -> dict[str, str]:
    """By name; the first of two wins, as in a browser (HTML 13.2.5.33)."""
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(text):
        value = next((each for each in match.groups()[1:] if each is not None), "")
        found.setdefault(match[1].lower(), unescape(value).strip())
    return found


def _names_feed(rel: str, kind: str, target: str) -> bool:
    relations = rel.lower().split()
    kind = kind.partition(";")[0].strip().lower()
    if "feed" in relations:
        return True
    if "alternate" not in relations:
        return False
    # application/json is what a WordPress calls each page's record
    return kind in _FEED_TYPES or (kind in _MAYBE_TYPES and _looks_like_feed(target, ""))


def _looks_like_feed(target: str, kind: str) -> bool:
    parts = urlsplit(target)
    return (
        kind.partition(";")[0].strip().lower() in _FEED_TYPES
        or _HOSTS_OF_FEEDS.search(parts.hostname or "") is not None
        or _FEED_PATH.search(parts.path) is not None
        or _FEED_QUERY.search(parts.query) is not None
    )


def _is_its_own(target: str, url: str) -> bool:
    """Whether an anchor can lead to a feed of this site: blogs list those of their friends too."""
    host = urlsplit(target).hostname or ""
    if _READERS.search(host):
        return False
    return _same_site(target, url) or _HOSTS_OF_FEEDS.search(host) is not None


def _same_site(one: str, other: str) -> bool:
    hosts = sorted(((urlsplit(each).hostname or "") for each in (one, other)), key=len)
    short, long = (each.removeprefix("www.") for each in hosts)
    return long == short or long.endswith(f".{short}")


def _address(reference: str | None, bases: tuple[str | None, ...]) -> str | None:
    """An absolute web address; `feed:` before or instead of its scheme is what old pages write."""
    bare = re.sub(r"^feed:(?://)?(?=https?:)", "", reference or "", flags=re.IGNORECASE)
    bare = re.sub(r"^feed:(?=//)", "http:", bare, flags=re.IGNORECASE)
    target = absolute(bare, *bases)
    if not target or not is_web(target):
        return None
    return urlunsplit(urlsplit(target)._replace(fragment=""))


def _candidate(url: str, found_by: FoundBy, *, title: str | None = None) -> Candidate:
    name = title_text(title[:500]) if title else ""
    return Candidate(
        url=one_line(url),
        found_by=found_by,
        title=name[:200] or None,
        comments=is_about_comments(url, name),
    )


def _once(candidates: Iterable[Candidate], most: int) -> list[Candidate]:
    found: dict[str, Candidate] = {}
    for each in candidates:
        found.setdefault(each.url, each)
        if len(found) == most:
            break
    return list(found.values())
