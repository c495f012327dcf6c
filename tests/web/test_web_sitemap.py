"""Machines find every page that is for all, and are told which are not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree as ET

import pytest
from archive_visit import FAR, PAPER, bury, visit_archive
from web_visit import HOME, Visit

from digest.web import sitemap

MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Visit]:
    async with visit_archive(tmp_path, PAPER, FAR) as opened:
        yield opened


def places(body: bytes) -> list[tuple[str, str | None]]:
    root = ET.fromstring(body)  # noqa: S314 -- our own
    return [(each.findtext(f"{MAP}loc", ""), each.findtext(f"{MAP}lastmod")) for each in root]


async def test_the_map_has_every_page_and_when_it_changed(web: Visit) -> None:
    await bury(web, "2026-05-01 07:00", "Weg", "gone")
    one = await bury(web, "2026-05-02 07:00", "Eins")
    two = await bury(web, "2026-05-03 07:00:30", "Two", "far")
    got = await web.get("/sitemap.xml")
    assert got.headers["content-type"] == "application/xml"
    first, last = "2026-05-02T07:00:00Z", "2026-05-03T07:00:30Z"
    assert places(got.content) == [
        (f"{HOME}/", last),
        (f"{HOME}/archive", last),
        (f"{HOME}/stadtblatt", first),
        (f"{HOME}/archive/stadtblatt", first),
        (f"{HOME}/far", last),
        (f"{HOME}/archive/far", last),
        (f"{HOME}/archive/stadtblatt/{one}", first),
        (f"{HOME}/archive/far/{two}", last),
    ]
    for url, _ in places(got.content):
        assert (await web.get(url.removeprefix(HOME))).status_code == 200


async def test_a_map_of_nothing_is_a_map(web: Visit) -> None:
    got = await web.get("/sitemap.xml")
    assert [at for _, at in places(got.content)] == [None] * 6
    assert (await web.get("/sitemap.xml?page=1")).content == got.content


async def test_a_long_map_is_cut_into_pages(web: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemap, "MOST", 8)
    made = [await bury(web, f"2026-05-{n:02} 07:00", f"Nr. {n}") for n in range(1, 6)]
    index = await web.get("/sitemap.xml")
    assert ET.fromstring(index.content).tag == f"{MAP}sitemapindex"  # noqa: S314 -- our own
    pages = [url for url, _ in places(index.content)]
    assert pages == [f"{HOME}/sitemap.xml?page={number}" for number in (1, 2, 3)]
    found = []
    for url in pages:
        part = places((await web.get(url.removeprefix(HOME))).content)
        assert len(part) <= 8
        found += [url for url, _ in part]
    assert len(found) == len(set(found)) == 6 + 5
    assert found[6:] == [f"{HOME}/archive/stadtblatt/{key}" for key in made]
    for page in ("0", "4", "x", "-1", "9" * 31, "%00", "\u0661", ""):
        assert (await web.get(f"/sitemap.xml?page={page}")).status_code == 404


async def test_robots_are_told_what_is_nobodys_business(tmp_path: Path) -> None:
    paper = replace(PAPER, slug="subscribers-news")
    async with visit_archive(tmp_path, paper, public_url="https://www.site.example/post/") as web:
        text = (await web.get("/robots.txt")).text
    home = "https://www.site.example/post"
    rules = RobotFileParser()
    rules.parse(text.splitlines())
    private = ["confirm/x", "unsubscribe/x", "preferences/x", "subscribe", "subscribe?lang=de"]
    assert [rules.can_fetch("*", f"{home}/{path}") for path in private] == [False] * 5
    public = ["", "subscribers-news", "archive", "archive/subscribers-news/1", "pictures/x"]
    assert [rules.can_fetch("*", f"{home}/{path}") for path in public] == [True] * 5
    assert rules.site_maps() == [f"{home}/sitemap.xml"]
