"""An archive can be followed by Atom: whole, by topic, and without asking for what one has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import feedparser
import pytest
from archive_visit import PAPER, bury, publish, story, visit_archive
from web_visit import HARBOUR, HOME, Visit

from digest.model.newsletter import Sender

ATOM = {"a": "http://www.w3.org/2005/Atom"}
TOPIC = "/archive/stadtblatt/topics/verkehr/feed.xml"
#: what RFC 4287 section 4.1 asks of a feed and of an entry
FEED = ["author", "id", "link", "title", "updated"]
ENTRY = ["id", "link", "title", "updated"]


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Visit]:
    async with visit_archive(tmp_path, PAPER, HARBOUR) as opened:
        yield opened


def read(body: bytes) -> Any:
    """As a feed reader reads it; refused where something is missing, double or relative."""
    root = ET.fromstring(body)  # noqa: S314 -- our own
    for element, needed in [
        (root, FEED),
        *((each, ENTRY) for each in root.findall("a:entry", ATOM)),
    ]:
        names = [child.tag.partition("}")[2] for child in element]
        assert set(needed) <= set(names)
        assert [name for name in ("id", "title", "updated") if names.count(name) != 1] == []
        links = element.findall("a:link", ATOM)
        assert [link.get("rel") for link in links].count("alternate") == 1
        assert all((link.get("href") or "").startswith("http") for link in links)
    ids = [each.text for each in root.iterfind("a:entry/a:id", ATOM)]
    assert len(ids) == len(set(ids))
    parsed = feedparser.parse(body)
    assert not parsed.bozo
    assert parsed.version == "atom10"
    return parsed


async def test_the_feed_has_every_edition_with_its_headlines(web: Visit) -> None:
    odd = story("Brücke & <Bad> \x0b offen", url="https://stadtblatt.example/?a=1&b=2")
    edition = await publish(web, odd, story("Ohne Adresse", url="javascript:alert(1)"))
    got = await web.get("/archive/stadtblatt/feed.xml")
    assert got.headers["content-type"] == "application/atom+xml"
    feed = read(got.content)
    assert feed.feed.title == "Stadtblatt am Morgen"
    assert feed.feed.id == f"{HOME}/archive/stadtblatt/feed.xml"
    assert feed.feed.updated == "2026-11-23T09:30:00Z"
    [entry] = feed.entries
    assert entry.title.startswith("Brücke & <Bad> offen")
    assert entry.link == entry.id == f"{HOME}/archive/stadtblatt/{edition.id}"
    assert entry.published == entry.updated == "2026-11-23T09:30:00Z"
    raw = ET.fromstring(got.content).find("a:entry/a:content", ATOM)  # noqa: S314 -- our own
    assert raw is not None
    assert raw.get("type") == "html"
    assert raw.text == (
        '<ol><li><a href="https://stadtblatt.example/?a=1&amp;b=2">Brücke &amp; &lt;Bad&gt; offen'
        "</a></li><li>Ohne Adresse</li></ol>"
    )


async def test_the_feed_of_a_newsletter_without_editions_is_a_feed(web: Visit) -> None:
    feed = read((await web.get("/archive/harbour/feed.xml")).content)
    assert feed.entries == []
    assert feed.feed.updated == "2026-11-23T00:00:00Z"
    assert read((await web.get(TOPIC)).content).entries == []


async def test_a_topic_has_its_articles_once_with_the_newest_first(web: Visit) -> None:
    # the text of each excerpt names its title, and so the topic
    await publish(web, replace(story("Brücke offen"), author="Ada Wer"), story("Regen"))
    second = await publish(web, story("Bus kommt <später>"), story("Im Theater"))
    await publish(web, story("Theater"), newsletter=PAPER)
    feed = read((await web.get(TOPIC)).content)
    assert feed.feed.title == "Stadtblatt am Morgen: Verkehr"
    assert [each.title for each in feed.entries] == ["Bus kommt <später>", "Brücke offen"]
    newest, oldest = feed.entries
    assert newest.link == "https://stadtblatt.example/meldung"
    assert newest.id.startswith("urn:uuid:")
    assert (newest.published, newest.summary) == (
        "2026-11-23T09:30:00Z",
        "Mehr zu: Bus kommt <später>.",
    )
    assert [tag.term for tag in newest.tags] == ["verkehr"]
    assert (newest.author, oldest.author) == ("Stadtblatt am Morgen", "Ada Wer")
    related = [link.href for link in newest.links if link.rel == "related"]
    assert related == [f"{HOME}/archive/stadtblatt/{second.id}"]


async def test_an_id_is_the_same_in_every_topic_and_at_another_address(tmp_path: Path) -> None:
    ids = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        async with visit_archive(tmp_path / name, public_url=f"https://{name}.example") as web:
            await publish(web, story("Bus zum Theater"))
            for topic in ("verkehr", "kultur"):
                path = f"/archive/stadtblatt/topics/{topic}/feed.xml"
                ids.add(read((await web.get(path)).content).entries[0].id)
    assert len(ids) == 1


@pytest.mark.parametrize("topic", ["other", "nichts", "%00", "verkehr,kultur", "%25"])
async def test_a_topic_that_is_not_offered_is_not_found(web: Visit, topic: str) -> None:
    assert (await web.get(f"/archive/stadtblatt/topics/{topic}/feed.xml")).status_code == 404
    assert (await web.get(f"/archive/nobody/topics/{topic}/feed.xml")).status_code == 404


@pytest.mark.parametrize("path", ["/archive/stadtblatt/feed.xml", TOPIC, "/sitemap.xml"])
async def test_who_has_it_already_gets_no_more_than_that(web: Visit, path: str) -> None:
    await publish(web, story("Brücke offen"))
    got = await web.get(path)
    tag, date = got.headers["etag"], got.headers["last-modified"]
    assert date == "Mon, 23 Nov 2026 09:30:00 GMT"
    assert got.headers["cache-control"] == "public, max-age=300"
    for header in (tag, f'"x", W/{tag}', "*"):
        same = await web.get(path, **{"if-none-match": header})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert (await web.get(path, **{"if-modified-since": date})).status_code == 304
    for headers in (
        {"if-none-match": '"x"', "if-modified-since": date},
        {"if-modified-since": "Mon, 23 Nov 2026 09:29:59 GMT"},
        {"if-modified-since": "yesterday"},
        {"if-modified-since": "Mon, 23 Nov 2026 09:30:00 -0000"},
    ):
        assert (await web.get(path, **headers)).status_code == 200
    web.clock.at = web.clock.at.replace(hour=12)
    await publish(web, story("Bus kommt"))
    changed = {"if-none-match": tag}, {"if-modified-since": date}
    assert [(await web.get(path, **headers)).status_code for headers in changed] == [200, 200]


async def test_the_archive_names_every_feed(web: Visit) -> None:
    page = (await web.get("/archive/stadtblatt?lang=en")).text
    for path in ("/archive/stadtblatt/feed.xml", TOPIC):
        assert f'<li><a href="{path}"' in page
        assert f'href="{path}">' in page.partition("</head>")[0]
    assert 'title="Stadtblatt am Morgen: Kunst &amp; Kultur"' in page
    everything = (await web.get("/archive?lang=en")).text
    assert '<li><a href="/archive/harbour/feed.xml"' in everything


async def test_a_feed_carries_whatever_a_person_wrote(tmp_path: Path) -> None:
    loud = replace(
        PAPER,
        title="A & <B> \ufffe",
        description="x\x00y",
        sender=Sender(name="", address="a@b.example"),
    )
    async with visit_archive(tmp_path, loud) as web:
        await bury(web, "2026-05-01 07:00", "]]> & \x08 <b>\U0001f600")
        feed = read((await web.get("/archive/stadtblatt/feed.xml")).content)
    assert feed.feed.title == "A & <B>"
    assert feed.entries[0].title == "]]> & <b>\U0001f600"
