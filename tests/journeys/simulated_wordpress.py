"""A busy WordPress on loopback whose days pass as fast as a clock is moved by hand.

What is published, edited and deleted when is written down before the first day; every answer is
made of what stands there at the time. Parts of it can be switched off, as sites do.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from html import escape
from zoneinfo import ZoneInfo

from aiohttp import web
from aiohttp.test_utils import TestServer

BERLIN = ZoneInfo("Europe/Berlin")
CATEGORIES = {"politik": 3, "kultur": 5, "sport": 8}
#: how many posts an hour has, from midnight on, of 100
RHYTHM = (1, 0, 0, 0, 0, 1, 4, 7, 8, 8, 8, 8, 6, 5, 6, 6, 7, 6, 5, 4, 4, 3, 2, 1)
SHOWN = 10
DAY = timedelta(days=1)

_WHAT = ("Rat & Bürger", "Der Hafen", "Die „Neue Bühne“", "Ein Verein", "Das Stadtwerk")
_DOES = ("berät", "öffnet", "streitet … wieder", "feiert", "baut um", "schließt", "zählt")
_WORDS = ("Stadt", "Brücke", "Montag", "Antrag", "Kosten", "Bahnhof", "Sommer", "Halle", "Plan")


@dataclass
class Post:
    """A post: when it came, what it said from when on, and when it went."""

    id: int
    at: datetime
    category: str
    said: list[tuple[datetime, str, str]]
    gone: datetime | None = None

    def is_up(self, now: datetime) -> bool:
        return self.at <= now and (self.gone is None or now < self.gone)

    def now(self, now: datetime) -> tuple[datetime, str, str]:
        return next(each for each in reversed(self.said) if each[0] <= now)

    @property
    def slug(self) -> str:
        return f"beitrag-{self.id}"


def write_posts(
    start: datetime,
    days: int,
    *,
    a_day: int = 60,
    bursts: Sequence[datetime] = (),
    seed: int = 1,
) -> list[Post]:
    """The posts of so many days in the rhythm of a newsroom, a few edited and a few taken back.

    At each of `bursts` 15 posts that were scheduled come in one second.
    """
    dice = random.Random(seed)  # noqa: S311 -- the same month in every run
    times = [
        start + day * DAY + timedelta(hours=hour, seconds=dice.randrange(3600))
        for day in range(days)
        for hour in dice.choices(range(24), RHYTHM, k=a_day)
    ]
    times += [each for each in bursts for _ in range(15)]
    return [_post(number, at, dice) for number, at in enumerate(sorted(times), start=1)]


def _post(number: int, at: datetime, dice: random.Random) -> Post:
    title = f"{dice.choice(_WHAT)} {dice.choice(_DOES)}: Nummer {number}"
    text = " ".join(dice.choices(_WORDS, k=40)) + "."
    post = Post(number * 7 + 100, at, dice.choice(list(CATEGORIES)), [(at, title, text)])
    fate = dice.random()
    if fate < 0.06:
        later = at + timedelta(minutes=dice.randrange(5, 240))
        post.said.append((later, f"{title} (berichtigt)", text))
    elif fate < 0.1:
        post.said.append((at + timedelta(minutes=dice.randrange(5, 240)), title, f"Neu: {text}"))
    elif fate < 0.13:
        post.gone = at + timedelta(minutes=dice.randrange(20, 300))
    return post


@dataclass
class WordPress:
    """The site: its posts, and what of it is switched off."""

    clock: Callable[[], datetime]
    posts: list[Post]
    rest: bool = True
    #: False: `?paged=2` shows the first page again
    paged: bool = True
    sitemap: bool = True
    #: when it answers 503
    down: Sequence[tuple[datetime, datetime]] = ()
    #: when it moved to another host, with other addresses and other guids
    moved_at: datetime | None = None
    hosts: list[str] = field(default_factory=list)
    #: how often each kind of address was asked
    asked: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._times = [each.at for each in self.posts]

    @property
    def home(self) -> str:
        moved = self.moved_at is not None and self.clock() >= self.moved_at
        return self.hosts[1 if moved else 0]

    def link(self, post: Post) -> str:
        if self.home == self.hosts[0]:
            return f"{self.home}/{post.at:%Y/%m}/{post.slug}/"
        return f"{self.home}/artikel/{post.slug}/"

    def up(self, category: str | None = None) -> Iterator[Post]:
        """What stands there now, the newest first."""
        now = self.clock()
        for place in range(bisect_right(self._times, now) - 1, -1, -1):
            post = self.posts[place]
            if post.is_up(now) and category in {None, post.category}:
                yield post

    # ----------------------------------------------------------- answers

    async def answer(self, request: web.Request) -> web.StreamResponse:
        now = self.clock()
        host = f"http://{request.host}"
        self.asked[_kind(request)] += 1
        if any(since <= now < until for since, until in self.down):
            raise web.HTTPServiceUnavailable
        if host != self.home:
            raise web.HTTPMovedPermanently(self.home + request.path_qs)
        path = request.path
        if path.endswith("/feed/"):
            return self._feed(request)
        if path.startswith("/wp-json/") and self.rest:
            return self._api(request)
        if path == "/robots.txt":
            return web.Response(
                text=f"User-agent: *\nDisallow: /wp-admin/\n\nSitemap: {host}/sitemap_index.xml\n"
            )
        if path == "/news-sitemap.xml" and self.sitemap:
            return self._sitemap()
        if path == "/":
            return self._page("<p>Startseite</p>")
        slug = path.rstrip("/").rpartition("/")[2]
        for post in self.up():
            if post.slug == slug:
                return self._page(f"<p>{escape(post.now(now)[2])}</p>")
        raise web.HTTPNotFound

    def _page(self, body: str) -> web.Response:
        headers = {"Link": f'<{self.home}/wp-json/>; rel="https://api.w.org/"'}
        head = f'<link rel="stylesheet" href="{self.home}/wp-content/style.css">'
        return web.Response(
            text=f"<!doctype html><html><head>{head}</head><body>{body}</body></html>",
            content_type="text/html",
            headers=headers if self.rest else {},
        )

    def _feed(self, request: web.Request) -> web.StreamResponse:
        parts = request.path.strip("/").split("/")
        category = parts[1] if parts[0] == "category" else None
        page = int(request.query.get("paged", "1")) if self.paged else 1
        posts = list(_part(self.up(category), page, SHOWN))
        if not posts and page > 1:
            raise web.HTTPNotFound
        now = self.clock()
        changed = max((each.now(now)[0] for each in posts), default=now)
        headers = {
            "ETag": '"' + sha256(repr([(p.id, p.now(now)[0]) for p in posts]).encode()).hexdigest(),
            "Last-Modified": format_datetime(changed, usegmt=True),
        }
        headers["ETag"] += '"'
        if self.rest:
            headers["Link"] = f'<{self.home}/wp-json/>; rel="https://api.w.org/"'
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        items = "".join(self._item(each) for each in posts)
        return web.Response(
            body=_FEED.format(home=self.home, path=request.path, items=items).encode(),
            headers={**headers, "Content-Type": "application/rss+xml; charset=UTF-8"},
        )

    def _item(self, post: Post) -> str:
        _, title, text = post.now(self.clock())
        return _ITEM.format(
            title=_texturize(title),
            link=self.link(post),
            date=post.at.strftime("%a, %d %b %Y %H:%M:%S +0000"),
            category=post.category.title(),
            guid=f"{self.home}/?p={post.id}",
            text=escape(text),
            picture=f"{self.home}/wp-content/{post.id}.jpg",
        )

    def _api(self, request: web.Request) -> web.Response:
        route, query = request.path.removeprefix("/wp-json"), request.query
        if route == "/wp/v2/categories":
            found = [{"id": CATEGORIES[query["slug"]]}] if query.get("slug") in CATEGORIES else []
            return web.json_response(found)
        if route != "/wp/v2/posts":
            return web.json_response({"code": "rest_no_route"}, status=404)
        number = query.get("categories[terms]") or query.get("categories")
        category = next((name for name, id_ in CATEGORIES.items() if str(id_) == number), None)
        after = datetime.fromisoformat(query.get("after", "2000-01-01T00:00:00Z"))
        posts = [each for each in self.up(category) if each.at > after]
        page, size = int(query.get("page", "1")), int(query.get("per_page", "10"))
        pages = -(-len(posts) // size)
        if page > pages > 0:
            return web.json_response({"code": "rest_post_invalid_page_number"}, status=400)
        return web.json_response(
            [self._json(each) for each in _part(posts, page, size)],
            headers={"X-WP-Total": str(len(posts)), "X-WP-TotalPages": str(pages)},
        )

    def _json(self, post: Post) -> dict[str, object]:
        changed, title, text = post.now(self.clock())
        return {
            "id": post.id,
            "date": post.at.astimezone(BERLIN).strftime("%Y-%m-%dT%H:%M:%S"),
            "date_gmt": post.at.strftime("%Y-%m-%dT%H:%M:%S"),
            "modified_gmt": changed.strftime("%Y-%m-%dT%H:%M:%S"),
            "guid": {"rendered": f"{self.home}/?p={post.id}"},
            "link": self.link(post),
            "title": {"rendered": _texturize(title)},
            "excerpt": {"rendered": f"<p>{escape(text[:80])} [&hellip;]</p>\n", "protected": False},
            "content": {"rendered": f"<p>{escape(text)}</p>\n", "protected": False},
            "_embedded": {
                "author": [{"id": 2, "name": "Redaktion"}],
                "wp:term": [[{"taxonomy": "category", "name": post.category.title()}], []],
                "wp:featuredmedia": [
                    {
                        "source_url": f"{self.home}/wp-content/{post.id}.jpg",
                        "media_details": {"width": 1200, "height": 800},
                    }
                ],
            },
        }

    def _sitemap(self) -> web.Response:
        since = self.clock() - 2 * DAY
        news = []
        for post in self.up():
            if post.at < since:
                break
            date = post.at.astimezone(BERLIN).isoformat()
            title = escape(post.now(self.clock())[1])
            news.append(_NEWS.format(link=self.link(post), date=date, title=title))
        return web.Response(text=_SITEMAP.format(news="".join(news)), content_type="text/xml")


def _kind(request: web.Request) -> str:
    if request.path.endswith("/feed/"):
        return "paged" if "paged" in request.query else "feed"
    names = ("wp-json", "sitemap", "robots")
    return next((name for name in names if name in request.path), "page")


def _part(posts: Iterable[Post], page: int, size: int) -> Iterator[Post]:
    for place, post in enumerate(posts):
        if place >= page * size:
            return
        if place >= (page - 1) * size:
            yield post


def _texturize(title: str) -> str:
    """What WordPress makes of a title, in feeds as in the API."""
    for letter, entity in (("&", "&#038;"), ("„", "&#8222;"), ("“", "&#8220;"), ("…", "&#8230;")):
        title = title.replace(letter, entity)
    return title


@asynccontextmanager
async def running(site: WordPress) -> AsyncIterator[str]:
    """Serve the site, and where it will move to; the address of its feed."""
    app = web.Application()
    app.router.add_get("/{path:.*}", site.answer)
    other = web.Application()
    other.router.add_get("/{path:.*}", site.answer)
    async with (
        TestServer(app, host="127.0.0.1") as first,
        TestServer(other, host="127.0.0.2") as second,
    ):
        site.hosts = [f"http://127.0.0.1:{first.port}", f"http://127.0.0.2:{second.port}"]
        yield f"{site.hosts[0]}/feed/"


_FEED = """<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"
 xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:media="http://search.yahoo.com/mrss/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom"
 xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"><channel><title>Stadtblatt</title>
<atom:link href="{home}{path}" rel="self" type="application/rss+xml"/><link>{home}</link>
<description>Was Beispielstadt bewegt</description><language>de</language>
<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>1</sy:updateFrequency>
<generator>https://wordpress.org/?v=6.9</generator>{items}</channel></rss>"""
_ITEM = """<item><title>{title}</title><link>{link}</link><dc:creator>Redaktion</dc:creator>
<pubDate>{date}</pubDate><category>{category}</category><guid isPermaLink="false">{guid}</guid>
<description><![CDATA[{text}]]></description>
<media:content url="{picture}" medium="image" width="1200" height="800"/>
<content:encoded><![CDATA[<p>{text}</p>]]></content:encoded></item>"""
_SITEMAP = """<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
 xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">{news}</urlset>"""
_NEWS = """<url><loc>{link}</loc><news:news><news:publication><news:name>Stadtblatt</news:name>
<news:language>de</news:language></news:publication>
<news:publication_date>{date}</news:publication_date><news:title>{title}</news:title></news:news>
</url>"""
