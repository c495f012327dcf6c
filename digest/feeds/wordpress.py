"""Turns a WordPress site's addresses into questions to its REST API, and answers into entries.

Believes no type and no date that it does not understand; asks nobody. The API and its headers are
those of developer.wordpress.org/rest-api: `wp/v2/posts` gives at most 100 posts a page, newest
first, with X-WP-Total and X-WP-TotalPages, and 400 behind the last page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from digest.feeds.dates import parse_date
from digest.feeds.links import absolute
from digest.feeds.pictures import picture, pictures_in, unique
from digest.model.feed import Entry, ImageCandidate
from digest.model.text import one_line, title_text

PER_PAGE = 100
#: before WordPress 5.3 the zone of a date in a question was ignored, and that of the site taken
MARGIN = timedelta(hours=14)
MAX_HTML = 64 * 1024

_API = "https://api.w.org/"
_LINK = re.compile(r"<([^<>]*)>\s*((?:;[^,<]*)+)")
_TAG = re.compile(r"<link\s[^<>]*>", re.IGNORECASE)
_HREF = re.compile(r"href\s*=\s*[\"']([^\"']+)", re.IGNORECASE)
_GUID = re.compile(r"[?&]p=[0-9]+$")
_FIELDS = "id,date_gmt,modified_gmt,guid,link,title,excerpt,content,_links,_embedded"
_EMBED = "author,wp:term,wp:featuredmedia"
_FEED_WORDS = frozenset(("feed", "rss", "rss2", "atom", "rdf", "index.php"))
#: parts of a site that are no posts, or that no question to the API asks for
_OTHER = frozenset(("comments", "author", "search"))

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Place:
    """Which posts a feed carries: all ("site"), those of a term, or of what may be one."""

    kind: Literal["site", "category", "tag", "unknown"]
    #: the term's slug, or its number where the address gives that
    name: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """A category or tag, by its number."""

    kind: Literal["category", "tag"]
    id: int


def place_of(feed_url: str, site_url: str | None) -> Place | None:
    """What the feed at this address carries, or None where its posts cannot be asked for.

    `/category/politik/feed/` is a category; a feed at another host (a feed service) is taken for
    the whole site's, and it is for the caller to compare what comes.
    """
    feed, site = urlsplit(feed_url), urlsplit(site_url or "")
    query = dict(parse_qsl(feed.query))
    if query.keys() & {"s", "author", "author_name", "p", "withcomments", "post_type", "m", "year"}:
        return None
    named: tuple[tuple[str, Literal["category", "tag"]], ...] = (
        ("cat", "category"),
        ("category_name", "category"),
        ("tag", "tag"),
    )
    for key, kind in named:
        if query.get(key):
            return Place(kind, query[key].rpartition("/")[2])
    if site.hostname and feed.hostname != site.hostname and _bare(feed) != _bare(site):
        return Place("site")
    path = unquote(feed.path.removeprefix(site.path.rstrip("/"))).lower()
    parts = [part for part in path.split("/") if part and part not in _FEED_WORDS]
    return _place(parts)


def _bare(parts: SplitResult) -> str:
    return (parts.hostname or "").removeprefix("www.")


def _place(parts: list[str]) -> Place | None:
    if not parts or (len(parts) == 1 and re.fullmatch(r"[\w-]+\.(?:xml|rss|rdf|atom)", parts[0])):
        return Place("site")
    if parts[0] in _OTHER or parts[-1].isdigit():
        return None
    if len(parts) > 1 and parts[0] == "tag":
        return Place("tag", parts[-1])
    if len(parts) > 1 and parts[0] == "category":
        return Place("category", parts[-1])
    return Place("unknown", parts[-1])


def api_root(headers: Mapping[str, str], page: str, url: str) -> str | None:
    """Where the API stands, by a response's Link header or its page's `link` element, or None."""
    links: list[tuple[str, str]] = _LINK.findall(headers.get("link", ""))
    for target, params in links:
        if _API in params:
            return absolute(target, url)
    for tag in _TAG.findall(page[:200_000]):
        href = _HREF.search(tag)
        if href and _API in tag.replace(href[0], ""):
            return absolute(unescape(href[1]), url)
    return None


def has_its_guids(entries: Iterable[Entry]) -> bool:
    """Whether a feed's guids are of the form that WordPress gives them: `https://…/?p=123`."""
    guids = [each.guid for each in entries if each.guid]
    return bool(guids) and all(_GUID.search(each) for each in guids)


def looks_like_wordpress(page: str) -> bool:
    """Whether a page loads what only WordPress has."""
    return "/wp-content/" in page or "/wp-includes/" in page


def route(root: str, path: str, asked: Mapping[str, str]) -> str:
    """The address of a route below the root, also where the site has no pretty addresses."""
    parts = urlsplit(root)
    known = dict(parse_qsl(parts.query))
    if "rest_route" in known:
        known["rest_route"] = known["rest_route"].rstrip("/") + path
        return urlunsplit(parts._replace(query=urlencode({**known, **asked})))
    whole = parts.path.rstrip("/") + path
    return urlunsplit(parts._replace(path=whole, query=urlencode({**known, **asked})))


def posts_url(
    root: str, *, after: datetime | None, number: int, per_page: int, term: Term | None = None
) -> str:
    """A page of the posts, newest first; `after` is widened by what old sites make of a zone."""
    asked = {"per_page": str(per_page), "page": str(number), "_fields": _FIELDS, "_embed": _EMBED}
    if after is not None:
        asked["after"] = (after - MARGIN).strftime("%Y-%m-%dT%H:%M:%SZ")
    if term is not None and term.kind == "tag":
        asked["tags"] = str(term.id)
    elif term is not None:
        # a category's feed has its children's posts too; asked for like that since WordPress 5.7
        asked |= {"categories[terms]": str(term.id), "categories[include_children]": "true"}
    return route(root, "/wp/v2/posts", asked)


def term_url(root: str, kind: Literal["category", "tag"], slug: str) -> str:
    """Where a slug's number is asked for."""
    name = "categories" if kind == "category" else "tags"
    return route(root, f"/wp/v2/{name}", {"slug": slug, "_fields": "id,slug"})


def read_term(body: bytes) -> int | None:
    """The number of the one term that was asked for."""
    found = _load(body)
    first = found[0] if isinstance(found, list) and len(found) == 1 else None
    number = first.get("id") if isinstance(first, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def pages(headers: Mapping[str, str]) -> int | None:
    """How many pages the answer has (X-WP-TotalPages); some sites hide it."""
    raw = headers.get("x-wp-totalpages", "").strip()
    return int(raw) if re.fullmatch(r"[0-9]{1,6}", raw) else None


def read_posts(body: bytes, *, url: str) -> tuple[Entry, ...] | None:
    """The posts of an answer as the feed would show them; None for what is no list of posts."""
    found = _load(body)
    if not isinstance(found, list):
        return None
    posts = [each for each in found[:PER_PAGE] if isinstance(each, dict)]
    return tuple(_entry(each, url) for each in posts if _open(each))


def _load(body: bytes) -> object:
    try:
        # some sites let a warning of PHP stand before it
        text = body.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _open(post: Json) -> bool:
    """What asks for a password is in the feed with nothing to read; published all the same."""
    return bool(_rendered(post, "title") or _rendered(post, "content") or post.get("link"))


def _entry(post: Json, url: str) -> Entry:
    link = absolute(_text(post, "link"), url)
    content = _rendered(post, "content")[:MAX_HTML]
    embedded = post.get("_embedded")
    more = embedded if isinstance(embedded, dict) else {}
    return Entry(
        guid=one_line(unescape(_rendered(post, "guid"))) or None,
        link=link,
        title=title_text(_rendered(post, "title")[:2000]),
        summary_html=_rendered(post, "excerpt")[:MAX_HTML],
        content_html=content,
        author=_author(more),
        categories=tuple(_categories(more)),
        # `date` is the site's own time, without saying which
        published_at=_date(post, "date_gmt"),
        updated_at=_date(post, "modified_gmt"),
        images=unique([*_pictures(more, url), *pictures_in(content, link, url)]),
    )


def _date(post: Json, name: str) -> datetime | None:
    return parse_date(_text(post, name))


def _author(embedded: Json) -> str | None:
    names = (one_line(unescape(_text(each, "name"))) for each in _objects(embedded, "author"))
    return ", ".join(filter(None, names)) or None


def _categories(embedded: Json) -> Iterator[str]:
    """The feed names categories first, then tags, and so does the API."""
    groups = embedded.get("wp:term")
    for group in groups if isinstance(groups, list) else ():
        for term in group if isinstance(group, list) else ():
            if isinstance(term, dict) and term.get("taxonomy") in {"category", "post_tag"}:
                name = title_text(_text(term, "name")[:200])
                if name:
                    yield name


def _pictures(embedded: Json, url: str) -> Iterator[ImageCandidate | None]:
    for media in _objects(embedded, "wp:featuredmedia"):
        details = media.get("media_details")
        size = details if isinstance(details, dict) else {}
        said = {"url": media.get("source_url"), "alt": media.get("alt_text")}
        kind = _text(media, "mime_type")
        if not kind or kind.startswith("image/"):
            yield picture(
                {**said, "width": size.get("width"), "height": size.get("height")}, "media", url
            )


def _objects(of: Json, key: str) -> list[Json]:
    value = of.get(key)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _rendered(post: Json, key: str) -> str:
    value = post.get(key)
    return _text(value, "rendered") if isinstance(value, dict) else ""


def _text(of: Json, key: str) -> str:
    value = of.get(key)
    return value if isinstance(value, str) else ""
