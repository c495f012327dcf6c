"""The sample site publishes what its files hold, as feeds and pages that machines can read."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import html5lib
import httpx
import pytest

from digest.demo.newsroom import BOOKS, DESKS, ENGLISH, JOBS, NEWS, PICTURES, Desk, read_entries
from digest.demo.site import make_site
from digest.feeds.parse import parse
from digest.model.feed import ParsedFeed

STARTED = datetime(2026, 11, 23, 9, 30, 12, 345678, tzinfo=UTC)
HOME = "https://www.kupfer.example"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
async def site() -> AsyncIterator[httpx.AsyncClient]:
    app = make_site(base_url=HOME + "/", started_at=STARTED)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOME) as client:
        yield client


def read_xml(text: bytes) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 -- we wrote it


@pytest.mark.parametrize(
    ("desk", "entries", "of_a_day"), [(NEWS, 40, 26), (JOBS, 9, 5), (BOOKS, 4, 2), (ENGLISH, 10, 6)]
)
def test_each_desk_has_something_from_today(desk: Desk, entries: int, of_a_day: int) -> None:
    published = read_entries(desk, started_at=STARTED)
    ages = [STARTED - entry.published_at for entry in published]
    assert len(published) == entries
    assert sum(age < timedelta(days=1) for age in ages) == of_a_day
    assert max(ages) < timedelta(days=6)
    assert min(ages) > timedelta(0)
    assert ages == sorted(ages)


def test_ids_and_addresses_are_unique() -> None:
    published = [entry for desk in DESKS for entry in read_entries(desk, started_at=STARTED)]
    assert len({entry.id for entry in published}) == len(published)
    assert len({entry.path for entry in published}) == len(published)


def test_every_picture_is_small_and_wanted() -> None:
    used = {
        entry.picture.file
        for desk in DESKS
        for entry in read_entries(desk, started_at=STARTED)
        if entry.picture
    }
    drawn = {path.name: path.stat().st_size for path in PICTURES.iterdir()}
    assert used == set(drawn)
    assert max(drawn.values()) <= 40_000
    assert all(_size(PICTURES / name) == (1200, 675) for name in drawn)


def _size(path: Path) -> tuple[int, int]:
    """Width and height from a JPEG's frame header (ITU T.81, B.2.2)."""
    frame = re.search(rb"\xff[\xc0-\xc2]\x00\x11\x08(..)(..)", path.read_bytes(), re.DOTALL)
    assert frame
    return int.from_bytes(frame[2], "big"), int.from_bytes(frame[1], "big")


async def test_the_rss_feed_says_what_the_files_say(site: httpx.AsyncClient) -> None:
    answer = await site.get("/feed")
    assert answer.headers["content-type"].startswith("application/rss+xml")
    items = read_xml(answer.content).findall("channel/item")
    wanted = read_entries(NEWS, started_at=STARTED)
    assert [item.findtext("title") for item in items] == [entry.title for entry in wanted]
    assert [item.findtext("link") for item in items] == [HOME + entry.path for entry in wanted]
    assert [parsedate_to_datetime(item.findtext("pubDate", "")) for item in items] == [
        entry.published_at for entry in wanted
    ]
    guid = items[0].find("guid")
    assert guid is not None
    assert (guid.text, guid.get("isPermaLink")) == (f"{HOME}/?p={wanted[0].id}", "false")
    assert [c.text for c in items[0].findall("category")] == list(wanted[0].categories)
    slash = "{http://purl.org/rss/1.0/modules/slash/}comments"
    assert [item.findtext(slash) for item in items] == [str(entry.comments) for entry in wanted]


async def test_a_tag_in_a_text_stays_text_in_feed_and_page(site: httpx.AsyncClient) -> None:
    entry = next(e for e in read_entries(NEWS, started_at=STARTED) if "<b>" in e.title)
    items = read_xml((await site.get("/feed")).content).findall("channel/item")
    encoded = next(i.findtext(CONTENT, "") for i in items if i.findtext("title") == entry.title)
    assert "zwischen &lt;b&gt; und &lt;/b&gt;" in encoded
    assert "<b>" not in encoded
    page = html5lib.parse((await site.get(entry.path)).text, namespaceHTMLElements=False)
    assert page.find(".//b") is None
    assert page.findtext(".//h1") == entry.title


async def test_the_english_feed_is_atom_and_unambiguous(site: httpx.AsyncClient) -> None:
    answer = await site.get("/en/feed")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    feed = read_xml(answer.content)
    wanted = read_entries(ENGLISH, started_at=STARTED)
    titles = feed.findall(f"{ATOM}entry/{ATOM}title")
    assert [title.text for title in titles] == [entry.title for entry in wanted]
    assert {title.get("type") for title in titles} == {"text"}
    content = feed.findtext(f"{ATOM}entry/{ATOM}content", "")
    assert content.strip().startswith("<p>When a bearing runs hot")


@pytest.mark.parametrize(
    ("path", "entries", "pictured"),
    [
        ("/feed", 40, 40),
        ("/themen/kuenstliche-intelligenz/feed", 13, 13),
        ("/jobs/feed", 9, 0),
        ("/buecher/feed", 4, 4),
        ("/en/feed", 10, 10),
    ],
)
async def test_the_service_reads_every_feed_in_full(
    site: httpx.AsyncClient, path: str, entries: int, pictured: int
) -> None:
    answer = await site.get(path)
    feed = parse(answer.content, url=HOME + path, content_type=answer.headers["content-type"])
    assert isinstance(feed, ParsedFeed)
    assert len(feed.entries) == entries
    assert answer.content.count(b".jpg") == pictured


async def test_what_the_caller_holds_is_not_sent_again(site: httpx.AsyncClient) -> None:
    first = await site.get("/feed")
    etag, modified = first.headers["etag"], first.headers["last-modified"]
    assert parsedate_to_datetime(modified) == read_entries(NEWS, started_at=STARTED)[0].published_at
    for headers in (
        {"If-None-Match": etag},
        {"If-None-Match": f'"x", W/{etag}'},
        {"If-Modified-Since": modified},
    ):
        again = await site.get("/feed", headers=headers)
        assert (again.status_code, again.content) == (304, b"")
        assert (again.headers["etag"], again.headers["last-modified"]) == (etag, modified)


@pytest.mark.parametrize(
    "headers",
    [
        {"If-None-Match": '"other"', "If-Modified-Since": "Mon, 23 Nov 2099 09:00:00 GMT"},
        {"If-None-Match": '"*"'},
        {"If-Modified-Since": "Mon, 23 Nov 2020 09:00:00 GMT"},
        {"If-Modified-Since": "yesterday"},
    ],
)
async def test_what_the_caller_does_not_hold_is_sent(
    site: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    assert (await site.get("/feed", headers=headers)).status_code == 200


async def test_pictures_are_served_and_not_sent_twice(site: httpx.AsyncClient) -> None:
    answer = await site.get("/bilder/chip.jpg")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content == (PICTURES / "chip.jpg").read_bytes()
    again = await site.get("/bilder/chip.jpg", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert (await site.get("/bilder/../news.toml")).status_code == 404
    assert (await site.get("/bilder/%2e%2e/news.toml")).status_code == 404


@pytest.mark.parametrize("desk", DESKS, ids=lambda desk: desk.file)
async def test_every_entry_has_a_page_that_names_itself(
    site: httpx.AsyncClient, desk: Desk
) -> None:
    for entry in read_entries(desk, started_at=STARTED):
        answer = await site.get(entry.path)
        page = html5lib.parse(answer.text, namespaceHTMLElements=False)
        canonical = page.find(".//link[@rel='canonical']")
        image = page.find(".//meta[@property='og:image']")
        assert answer.status_code == 200
        assert canonical.get("href") == HOME + entry.path
        assert page.findtext(".//h1") == entry.title
        assert page.find("[@lang]").get("lang") == desk.language
        expected = entry.picture and f"{HOME}/bilder/{entry.picture.file}"
        assert (None if image is None else image.get("content")) == expected


async def test_every_link_of_the_front_pages_leads_somewhere(site: httpx.AsyncClient) -> None:
    seen: set[str] = set()
    for start in ("/", "/jobs/", "/buecher/", "/en/", "/themen/robotik", "/impressum.html"):
        seen |= set(re.findall(rf'(?:href|src)="({HOME}[^"#]*)', (await site.get(start)).text))
    assert len(seen) > 100
    broken = [url for url in sorted(seen) if (await site.get(url)).status_code != 200]
    assert broken == []


async def test_a_guid_leads_to_its_page_wherever_the_site_is_mounted(
    site: httpx.AsyncClient,
) -> None:
    assert (await site.get("/?p=4860")).headers["location"] == "brenntal-chip-ohne-kuehlung.html"
    assert (await site.get("/?p=912")).headers["location"] == "en/grauhain-steelworks-listens.html"
    assert (await site.get("/?p=1")).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/nichts.html", "/themen/nichts", "/themen/nichts/feed", "/en/nichts.html", "/x.html/feed"],
)
async def test_what_is_not_there_is_404(site: httpx.AsyncClient, path: str) -> None:
    answer = await site.get(path)
    assert answer.status_code == 404
    assert "Diese Seite gibt es nicht" in answer.text


async def test_the_comment_feed_is_empty_and_valid(site: httpx.AsyncClient) -> None:
    answer = await site.get("/stahlwerk-grauhain-roboter.html/feed")
    channel = read_xml(answer.content).find("channel")
    assert channel is not None
    assert channel.findall("item") == []
    assert channel.findtext("title", "").startswith("Kommentare zu: „Wir haben")
