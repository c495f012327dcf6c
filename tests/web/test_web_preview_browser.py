"""In a browser: the preview is dark where it says so, bare of pictures, and fits a telephone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import browsing
import pytest
from web_visit import NOW, STADTBLATT, visit

from digest.jobs.preview import Choice, look, write_page
from digest.model.article import Image, NewArticle
from digest.store import articles, feeds

pytestmark = browsing.MARKS

TITLES = (
    "Turnier im Hafen endet mit einer Überraschung",
    "Rathaus bekommt ein Dach, das Strom macht",
    "Wie ein Bäcker sein Brot nach Fahrplan backt",
)
HOSTILE = '"></iframe><script>document.title="entwischt"</script>'


async def page_of(folder: Path, language: str, *titles: str) -> str:
    """The file that `digest preview --out` writes."""
    async with visit(folder) as web:
        url = STADTBLATT.feeds[0].url
        found = [
            NewArticle(
                key=title,
                link_key=None,
                url=f"https://stadtblatt.example/{place}",
                title=title,
                excerpt="Am Samstag standen zweihundert Leute am Kai, und keiner wusste, warum.",
                image=Image(
                    url="https://stadtblatt.example/bild.png",
                    alt=f"Bild zu {title}",
                    width=800,
                    height=450,
                ),
                author="Jana Sommer",
                categories=("Stadt",),
                published_at=NOW,
                words=420,
            )
            for place, title in enumerate(titles)
        ]
        async with web.world.store.write() as connection:
            await feeds.know(connection, [url], now=NOW)
            feed = (await feeds.find(connection, [url], due_at=None))[0]
            await articles.keep(connection, feed.id, found, now=NOW)
        seen = await look(web.world, replace(STADTBLATT), Choice())
        return write_page(web.world, seen, language=language)


MEASURE = """() => ({
  wide: document.documentElement.scrollWidth, title: document.title,
  body: getComputedStyle(document.body).backgroundColor,
  frames: [...document.querySelectorAll('iframe')].map(e => e.getBoundingClientRect().width),
})"""
#: what a frame draws; the frames themselves run nothing
INSIDE = """() => ({
  body: getComputedStyle(document.body).backgroundColor,
  ink: getComputedStyle(document.querySelector('h1')).color,
  wide: document.documentElement.scrollWidth,
})"""


async def inside(page: Any) -> list[dict[str, Any]]:
    return [await each.evaluate(INSIDE) for each in page.frames[1:]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_each_view_looks_as_it_says_whatever_the_browser_prefers(
    tmp_path: Path, scheme: Any
) -> None:
    html = await page_of(tmp_path, "de", *TITLES)
    (tmp_path / "preview.html").write_text(html, "utf-8")
    async with browsing.browser() as browser:
        context = await browser.new_context(
            color_scheme=scheme, viewport={"width": 1500, "height": 1000}
        )
        page = await context.new_page()
        await page.goto(f"file://{tmp_path}/preview.html")
        seen = await page.evaluate(MEASURE)
        desktop, phone, dark, bare = await inside(page)
        assert seen["frames"] == [680, 375, 375, 375]
        assert [each["body"] for each in (desktop, phone, bare)] == ["rgb(243, 241, 236)"] * 3
        assert dark["body"] == "rgb(17, 18, 21)"
        assert dark["ink"] == "rgb(242, 239, 232)"
        assert all(each["wide"] <= 680 for each in (desktop, phone, dark, bare))
        assert phone["wide"] == 375
        await page.screenshot(path=str(tmp_path / f"{scheme}.png"), full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["de", "en"])
async def test_the_page_fits_a_telephone(tmp_path: Path, language: str, scheme: Any) -> None:
    html = await page_of(tmp_path, language, *TITLES, "W" * 200)
    (tmp_path / "preview.html").write_text(html, "utf-8")
    async with browsing.browser() as browser:
        context = await browser.new_context(
            color_scheme=scheme, viewport={"width": 375, "height": 800}
        )
        page = await context.new_page()
        await page.goto(f"file://{tmp_path}/preview.html")
        assert (await page.evaluate(MEASURE))["wide"] == 375
        await page.screenshot(path=str(tmp_path / f"small-{language}-{scheme}.png"), full_page=True)


async def test_pictures_off_asks_for_none_and_says_what_they_would_show(tmp_path: Path) -> None:
    html = await page_of(tmp_path, "de", *TITLES)
    (tmp_path / "preview.html").write_text(html, "utf-8")
    async with browsing.browser() as browser:
        page = await browser.new_page(viewport={"width": 1500, "height": 1000})
        await page.goto(f"file://{tmp_path}/preview.html")
        bare = page.frames[4]
        told = await bare.evaluate("() => [...document.images].map(e => [e.src, e.alt])")
        assert len(told) == 3
        assert {url for url, _ in told} == {""}
        assert all(alt.startswith("Bild zu") for _, alt in told)


async def test_what_strangers_wrote_stays_in_its_frame(tmp_path: Path) -> None:
    html = await page_of(tmp_path, "de", HOSTILE, *TITLES)
    (tmp_path / "preview.html").write_text(html, "utf-8")
    async with browsing.browser() as browser:
        page = await browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(f"file://{tmp_path}/preview.html")
        seen = await page.evaluate(MEASURE)
        assert len(seen["frames"]) == 4
        assert seen["title"] == "Vorschau · Stadtblatt am Morgen"
        # nothing but pictures is asked for, and a click leads nowhere
        assert all(each.endswith(("bild.png", "preview.html")) for each in asked), json.dumps(asked)
        before = len(page.frames)
        await page.frames[1].locator("a[href^='https://stadtblatt.example/1']").first.click()
        await page.wait_for_timeout(300)
        assert len(page.frames) == before
        assert not any(each.startswith("https://stadtblatt.example/1") for each in asked)
