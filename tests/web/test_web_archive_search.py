"""One finds an edition by newsletter, month and words, and no question breaks anything."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import html5lib
import pytest
from archive_visit import FAR, PAPER, bury, publish, story, visit_archive
from web_visit import Visit

from digest.model.newsletter import Topic


@pytest.fixture
async def web(tmp_path: Path, database_url: str) -> AsyncIterator[Visit]:
    async with visit_archive(tmp_path, PAPER, FAR, database_url=database_url) as opened:
        yield opened


def found(page: str) -> list[str]:
    """The subjects that a page lists."""
    return re.findall(r'<a href="[^"]*/archive/\w+/\d+" lang="\w+" dir="auto">(.*?)</a>', page)


def options(page: str, name: str) -> list[str]:
    field = re.search(rf'<select id="{name}".*?</select>', page, re.DOTALL)
    return re.findall(r"<option[^>]*>(.*?)</option>", field[0]) if field else []


async def test_a_month_is_the_newsletters_own(web: Visit) -> None:
    await bury(web, "2026-03-31 21:59", "Noch März")
    await bury(web, "2026-03-31 22:00", "Schon April")
    await bury(web, "2026-04-01 06:59", "March still", "far")
    await bury(web, "2026-04-01 07:00", "April now", "far")
    page = await web.get("/archive?newsletter=&month=2026-04&q=&lang=de")
    assert found(page.text) == ["April now", "Schon April"]
    assert "2 Ausgaben gefunden." in page.text or "2 editions found." in page.text
    assert options(page.text, "month")[1:] == ["April 2026", "März 2026"]
    assert '<option value="2026-04" selected>' in page.text
    assert found((await web.get("/archive?newsletter=far&month=2026-03")).text) == ["March still"]
    assert found((await web.get("/archive/stadtblatt?month=2026-03")).text) == ["Noch März"]
    assert found((await web.get("/archive/stadtblatt?month=2025-03")).text) == []


async def test_words_are_found_in_headlines_that_are_shown(web: Visit) -> None:
    await publish(web, story("Ein Tag am Fluss"), story("Brücke & Bad offen"), story("Regen"))
    await bury(web, "2026-11-24 07:00", "Nichts davon")
    page = (await web.get("/archive?q=BRÜCKE+offen")).text
    assert len(found(page)) == 1
    assert '<p lang="de" dir="auto">Brücke &amp; Bad offen</p>' in page
    assert "Regen</p>" not in page
    assert '<p lang="de" dir="auto">Ein Tag' not in page
    assert 'value="BRÜCKE offen"' in page
    nothing = (await web.get("/archive?q=Theater&lang=en")).text
    assert (found(nothing), "No edition was found." in nothing) == ([], True)


async def test_the_newsletter_of_the_form_stays_chosen(web: Visit) -> None:
    await bury(web, "2026-04-01 06:59", "March still", "far")
    page = (await web.get("/archive?newsletter=far&lang=en")).text
    assert options(page, "newsletter") == ["All newsletters", "Stadtblatt am Morgen", "Far Notes"]
    assert re.search(r'<option value="far"[^>]* selected>', page)
    assert '<input type="hidden" name="lang" value="en">' in page
    assert '<link rel="canonical" href="http://news.example/archive/far">' in page
    assert (await web.get("/archive?newsletter=nobody")).status_code == 404


async def test_older_and_newer_keep_what_was_looked_for(web: Visit) -> None:
    made = [await bury(web, f"2026-05-01 07:{n:02}", f"Ausgabe {n:02}") for n in range(45)]
    await bury(web, "2026-06-01 07:00", "Später")
    path = "/archive?newsletter=stadtblatt&month=2026-05&q=ausgabe"
    seen: list[str] = []
    page = (await web.get(f"{path}&lang=en")).text
    kept = "newsletter=stadtblatt&amp;month=2026-05&amp;q=ausgabe"
    assert f'href="?{kept}&amp;before={made[25]}&amp;lang=en" rel="next"' in page
    assert "45 editions found." in page
    while True:
        seen += found(page)
        older = re.search(r'href="\?(\S+?)" rel="next"', page)
        if older is None:
            break
        page = (await web.get(f"/archive?{older[1].replace('&amp;', '&')}")).text
    assert seen == [f"Ausgabe {n:02}" for n in reversed(range(45))]
    newer = re.search(r'href="\?(\S+?)" rel="prev"', page)
    assert newer is not None
    assert newer[1].replace("&amp;", "&") == (
        f"newsletter=stadtblatt&month=2026-05&q=ausgabe&after={made[4]}&lang=en"
    )
    assert found((await web.get(f"/archive?{newer[1].replace('&amp;', '&')}")).text)[-1] == (
        "Ausgabe 05"
    )


async def test_only_what_is_not_filtered_is_for_search_engines(web: Visit) -> None:
    await bury(web, "2026-05-01 07:00", "Eins")
    for path in ("/archive?month=2026-05", "/archive/stadtblatt?q=x"):
        assert (await web.get(path)).headers["x-robots-tag"] == "noindex, follow"
    for path in ("/archive", "/archive?month=&q=&newsletter=", "/archive/stadtblatt?q=%20"):
        got = await web.get(path)
        assert "x-robots-tag" not in got.headers
        assert 'rel="canonical"' in got.text
        assert got.headers["vary"] == "Accept-Language"


JUNK = [
    "%00",
    "x%00y",
    "9" * 31,
    "-1",
    "2026-13",
    "2026-00",
    "0000-01",
    "9999-12",
    "%F0%9F%98%80",
    "%FF%FE",
    "%ED%A0%80",
    "%25_%2F%5C",
    "' OR 1=1 --",
    "{{7*7}}",
    "%D9%A1",
    "a+" * 300,
    "%E2%80%AE",
    "<script>",
]


async def test_no_question_breaks_anything(web: Visit) -> None:
    await bury(web, "2026-05-01 07:00", "Eins")
    for name in ("month", "q", "before", "after", "newsletter"):
        for value in JUNK:
            got = await web.get(f"/archive?{name}={value}")
            assert got.status_code == (404 if name == "newsletter" else 200), value
            assert "<script" not in got.text
    html5lib.HTMLParser(strict=True).parse((await web.get("/archive?q=%22><b>%FF")).text)


async def test_the_fullest_page_stays_small(tmp_path: Path) -> None:
    topics = tuple(Topic(name=f"topic-{n}", title=f"Thema Nummer {n}") for n in range(12))
    async with visit_archive(tmp_path, replace(PAPER, topics=topics), FAR) as web:
        for number in range(120):
            month = f"{2016 + number // 12}-{number % 12 + 1:02}"
            await bury(web, f"{month}-03 07:00", f"{number:03} " + "Überschriften und mehr " * 6)
        got = await web.get("/archive/stadtblatt")
        assert len(options(got.text, "month")) == 121
        assert got.text.count("feed.xml") == 3 + 2 * 12
        assert len(got.content) < 30_000
        html5lib.HTMLParser(strict=True).parse(got.text)
