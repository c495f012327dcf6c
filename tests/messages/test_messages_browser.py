"""In a browser: dark where the reader wants it dark, readable, and no wider than a telephone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from message_samples import (
    ADDRESS,
    HOSTILE,
    LINKS,
    MADE_AT,
    NONCE,
    PUBLIC_URL,
    article,
    draft,
    edition,
    newsletter,
    ordinary,
    renderer,
    written_as,
)
from playwright.async_api import async_playwright

from digest.messages.assemble import assemble
from digest.messages.layout import lay_out
from digest.model.layout import Extra, Followed
from digest.model.policy import SearchEngine, SectionRule, Sponsor, Support

if TYPE_CHECKING:
    from digest.model.edition import Draft, Edition

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]

#: for each element with text of its own: contrast with what is behind it, size, what it says
MEASURE = """() => {
  const light = c => { const v = c.map(x => { x /= 255;
    return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4 });
    return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2] };
  const rgba = s => s.match(/[0-9.]+/g).map(Number);
  const behind = e => { for (; e; e = e.parentElement) {
    const c = rgba(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c.slice(0, 3) } return [255, 255, 255] };
  const told = [...document.body.querySelectorAll('*')].filter(e => e.offsetParent &&
    [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()));
  return { body: getComputedStyle(document.body).backgroundColor,
    sheet: getComputedStyle(document.querySelector('.sheet')).backgroundColor,
    wide: document.documentElement.scrollWidth,
    texts: told.map(e => { const s = getComputedStyle(e),
      a = light(rgba(s.color)), b = light(behind(e));
      return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), parseFloat(s.fontSize),
        e.textContent.trim().slice(0, 40)] }) } }"""


async def measure(chosen: Draft, *, width: int, scheme: str) -> dict[str, Any]:
    return await measure_page(edition(chosen), width=width, scheme=scheme)


async def measure_page(made: Edition, *, width: int, scheme: str) -> dict[str, Any]:
    page_text, _ = assemble(made, LINKS, address=ADDRESS)
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = await browser.new_page(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        await page.route("**/*", lambda route: route.abort())
        await page.set_content(page_text)
        found: dict[str, Any] = await page.evaluate(MEASURE)
        await browser.close()
    return found


@pytest.mark.parametrize("width", [320, 375, 800])
@pytest.mark.parametrize(
    ("scheme", "body", "sheet"),
    [
        ("light", "rgb(243, 241, 236)", "rgb(255, 255, 255)"),
        ("dark", "rgb(17, 18, 21)", "rgb(26, 28, 32)"),
    ],
)
async def test_both_schemes_are_readable(width: int, scheme: str, body: str, sheet: str) -> None:
    found = await measure(ordinary(14), width=width, scheme=scheme)
    assert (found["body"], found["sheet"]) == (body, sheet)
    assert len(found["texts"]) > 60
    assert [text for text in found["texts"] if text[0] < 4.5 or text[1] < 14] == []
    assert found["wide"] <= width


async def test_no_title_makes_a_telephone_scroll_sideways() -> None:
    chosen = draft([article(n, title=bad, excerpt=bad) for n, bad in enumerate(HOSTILE)])
    found = await measure(chosen, width=375, scheme="light")
    assert found["wide"] <= 375


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_what_stands_beside_the_news_is_as_readable(scheme: str) -> None:
    where = "https://www.example.com/0.html#comments"
    chosen = draft(
        [article(n, comments=12, comments_url=where, title=HOSTILE[7]) for n in range(12)],
        also={100: (article(20, source="Heise"), article(21, source=HOSTILE[7]))},
        earlier={100: article(40, title=HOSTILE[7]), 110: article(40)},
        lead="Guten Morgen!\n\nHeute ist wenig los.",
    )
    of = newsletter(
        search=(SearchEngine(name="Google News", url="https://news.example/?q={query}"),) * 3,
        sections=(SectionRule(title="Bücher", text="Ein Buch.", url="https://buch.example/"),),
        sponsors=(Sponsor(title="Server", text="Aus Wasserkraft.", url="https://ad.example/"),),
        support=Support(text="Diese Seite unterstützen", url="https://support.example/"),
    )
    by = renderer()
    sheet = by.render_sheet(
        [chosen],
        of,
        number=12,
        made_at=MADE_AT,
        language="de",
        nonce=NONCE,
        public_url=PUBLIC_URL,
        beside=[article(30), article(31)],
    )
    extra = Extra(
        omit=(103,),
        followed=(Followed(article_id=130, ref="ab", title=HOSTILE[7]),),
        meanwhile=(131,),
    )
    plan = by.plan_edition(chosen, sheet, of)
    made = written_as(lay_out(sheet, plan, nonce=NONCE, extra=extra, stop_urls={"ab": where}))
    found = await measure_page(made, width=320, scheme=scheme)
    assert len(found["texts"]) > 100
    assert [text for text in found["texts"] if text[0] < 4.5 or text[1] < 14] == []
    assert found["wide"] <= 320
