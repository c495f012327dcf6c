"""Every page a reader can meet is for everybody: small, dark and light, keyboard, print, both ways.

The first check needs nothing but Chromium; the second asks axe, where it stands beside the project.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from browsing import MARKS, browser
from loopback import Relay, Site
from playwright.async_api import BrowserContext, Page, Route
from reader_house import open_house
from reader_tour import Seen, tour

pytestmark = MARKS

#: octets of a page; an edition is a mail, and has a limit of its own
SIZE = 30_000
NARROW = 320


@pytest.fixture
async def seen(tmp_path: Path, site: Site, relay: Relay) -> AsyncIterator[list[Seen]]:
    async with open_house(tmp_path, site, relay) as house:
        pages = await tour(house)
        assert [each.name for each in pages if each.answer.status_code >= 500] == []
        yield pages


#: what is wrong with a page, in words; `wide` is the width of the screen
FAULTS = """wide => {
  const faults = [], say = (what, each) => faults.push(what + ': ' + (each.id || each.name ||
    each.tagName + '.' + each.className) + ' ' + each.textContent.trim().slice(0, 40));
  const all = query => [...document.querySelectorAll(query)].filter(each => each.checkVisibility());
  if (!document.documentElement.lang) faults.push('no language');
  if (!document.title.trim()) faults.push('no title');
  if (all('h1').length !== 1) faults.push(all('h1').length + ' first headings');
  const mail = document.querySelector('[role=presentation]');
  if (all('main').length !== 1 && !mail) faults.push(all('main').length + ' main parts');
  let above = 0;
  for (const each of all('h1,h2,h3,h4')) {
    if (+each.tagName[1] > above + 1) say('heading skips a step', each);
    above = +each.tagName[1] }
  for (const each of all('input:not([type=hidden]),select,textarea'))
    if (![...each.labels].some(label => label.textContent.trim()) && !each.ariaLabel)
      say('no label', each);
  for (const each of all('img')) if (!each.hasAttribute('alt')) say('no alt', each);
  for (const each of all('a,button')) if (!(each.textContent.trim() || each.ariaLabel ||
    each.querySelector('img[alt]:not([alt=""])'))) say('no name', each);
  const ids = [...document.querySelectorAll('[id]')].map(each => each.id);
  for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at)))
    faults.push('twice: ' + id);
  // WCAG 2.2, 2.5.8: a link in a line of text may be as small as the text; what else is smaller
  // than 24 pixels needs a circle of that size around it in which there is nothing else
  const inline = each => each.matches('a') && [...each.parentElement.childNodes].some(node =>
    node.nodeType === 3 && node.textContent.trim().length > 1);
  const middle = box => [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
  const targets = all('a[href],button,input:not([type=hidden]),select,summary')
    .filter(each => !inline(each) && !each.matches('.skip')).map(each => {
      const box = (each.closest('label') || each).getBoundingClientRect();
      return {each, box, small: box.height < 24 || box.width < 24} });
  for (const one of targets.filter(each => each.small)) {
    const [x, y] = middle(one.box);
    if (targets.some(other => { if (other === one) return false;
      const [a, b] = other.small ? middle(other.box) : [
        Math.min(Math.max(x, other.box.left), other.box.right),
        Math.min(Math.max(y, other.box.top), other.box.bottom)];
      return Math.hypot(x - a, y - b) < (other.small ? 24 : 12) }))
      say(`small (${one.box.width}x${one.box.height})`, one.each) }
  if (document.documentElement.scrollWidth > wide)
    faults.push(`wide: ${document.documentElement.scrollWidth}`);
  return faults }"""

#: what is hard to read: text whose contrast with what is behind it is below 4.5
FAINT = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = text => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data] };
  const light = c => { const v = c.slice(0, 3).map(x => { x /= 255;
    return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4 });
    return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2] };
  const probe = document.body.appendChild(document.createElement('i'));
  probe.style.background = 'Canvas';
  const ground = rgba(getComputedStyle(probe).backgroundColor);
  probe.remove();
  const behind = each => { for (; each; each = each.parentElement) {
    const c = rgba(getComputedStyle(each).backgroundColor);
    if (c[3] === 255) return c; if (c[3]) return [0, 0, 0, 0] }
    return ground };
  const told = [...document.body.querySelectorAll('*')].filter(each => each.checkVisibility() &&
    (each.matches('input,select') || [...each.childNodes].some(node => node.nodeType === 3 &&
      node.textContent.trim())));
  return told.map(each => { const a = light(rgba(getComputedStyle(each).color)),
    b = light(behind(each));
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), each.textContent.trim().slice(0, 40)]
  }).filter(found => found[0] < 4.5).map(found => 'faint (' + found[0].toFixed(2) + '): ' +
    found[1]) }"""

#: what can have the focus: of a group of radio buttons, one
STOPS = """() => { const groups = new Set();
  window.stops = [...document.querySelectorAll(
    'a[href],button,input:not([type=hidden]),select,summary')]
    .filter(each => each.checkVisibility() && each.tabIndex >= 0).filter(each => {
      if (each.type !== 'radio') return true;
      const first = !groups.has(each.name); groups.add(each.name); return first });
  return stops.length }"""

#: which of them has it, and whether one can see that
FOCUS = """() => { const each = document.activeElement, style = getComputedStyle(each);
  return {place: stops.findIndex(stop => stop === each || (stop.type === 'radio' &&
      stop.name === each.name)),
    name: each.id || each.name || each.textContent.trim().slice(0, 40),
    // the browser draws its own frame around the part of a date that has the focus
    seen: each.type === 'date' || style.outlineStyle === 'auto' ||
      (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2)} }"""

FORMS = """() => [...document.querySelectorAll('form,button,input,select')]
  .filter(each => each.checkVisibility()).length"""


async def test_every_page_is_for_everybody(seen: list[Seen]) -> None:
    faults: list[str] = []
    async with browser() as chromium:
        for scheme in ("light", "dark"):
            context = await chromium.new_context(
                color_scheme="dark" if scheme == "dark" else "light",
                viewport={"width": NARROW, "height": 640},
            )
            page = await context.new_page()
            for each in seen:
                found = await look_at(context, page, each, thorough=scheme == "light")
                faults += [f"{each.name} ({scheme}): {fault}" for fault in found]
            await context.close()
    assert faults == []


async def look_at(context: BrowserContext, page: Page, seen: Seen, *, thorough: bool) -> list[str]:
    """What is wrong with a page; what does not depend on colours is looked at once."""
    asked: list[str] = []

    async def answer(route: Route) -> None:
        """The page as it was answered, with its headers, and nothing else."""
        if route.request.is_navigation_request():
            await route.fulfill(
                status=200, headers=dict(seen.answer.headers), body=seen.answer.content
            )
        else:
            asked.append(f"asks for {route.request.url}")
            await route.abort()

    await context.route("**/*", answer)
    await page.goto(seen.url)
    await page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    faults: list[str] = await page.evaluate(FAINT)
    if thorough:
        home = seen.url.split("/", 3)[2]
        faults += [each for each in asked if f"//{home}/" not in each]
        if len(seen.answer.content) >= SIZE:
            faults.append(f"{len(seen.answer.content)} octets")
        faults += await page.evaluate(FAULTS, NARROW)
        faults += await walk(page)
        await page.emulate_media(media="print")
        if seen.name != "embed" and await page.evaluate(FORMS):
            faults.append("prints a form")
        await page.emulate_media(media="screen")
        await page.evaluate("document.documentElement.dir = 'rtl'")
        wide = await page.evaluate("document.documentElement.scrollWidth")
        if wide > NARROW:
            faults.append(f"wide from right to left: {wide}")
    await context.unroute("**/*")
    return faults


async def walk(page: Page) -> list[str]:
    """Go through a page with the Tab key: all is reached, and one sees where one is."""
    stops: int = await page.evaluate(STOPS)
    faults: set[str] = set()
    reached: set[int] = set()
    for _ in range(2 * stops):  # where something has the focus from the start, the way is longer
        await page.keyboard.press("Tab")
        focus: dict[str, Any] = await page.evaluate(FOCUS)
        if focus["place"] < 0:
            continue
        if not focus["seen"]:
            faults.add(f"no visible focus: {focus['name']}")
        reached.add(focus["place"])
        if len(reached) == stops:
            return sorted(faults)
    return [*sorted(faults), f"the keyboard reaches {len(reached)} of {stops}"]


# ------------------------------------------------------------------ axe

ROOT = Path(__file__).parents[2]
AXE = ROOT.parent / "shared" / "tools" / "axe.mjs"

#: one of each kind, for axe takes a second a page; DIGEST_TEST_AXE=all asks it about every one
ALL = os.environ.get("DIGEST_TEST_AXE") == "all"
CHOSEN = {
    "join",
    "answer",
    "work",
    "confirm",
    "confirmed",
    "archive",
    "edition",
    "preferences",
    "control erase",
    "unsubscribe",
    "unsubscribed",
    "message",
    "embed",
}


@pytest.fixture
def axe() -> tuple[str, Path]:
    """Node, and where axe is installed: beside the tool, or where DIGEST_TEST_NODE_MODULES says."""
    node = shutil.which("node")
    named = os.environ.get("DIGEST_TEST_NODE_MODULES")
    places = [Path(named)] if named else [each / "node_modules" for each in AXE.parents]
    found = [each for each in places if (each / "@axe-core" / "playwright").is_dir()]
    if node is None or not AXE.is_file() or not found:
        pytest.skip(
            f"no real inputs: axe did not run. It needs node, {AXE}, and a node_modules with"
            " playwright-core and @axe-core/playwright (DIGEST_TEST_NODE_MODULES)"
        )
    return node, found[0]


async def test_axe_finds_nothing_on_any_page_in_either_scheme(
    axe: tuple[str, Path], seen: list[Seen], tmp_path: Path
) -> None:
    node, modules = axe
    folder = tmp_path / "axe"
    folder.mkdir()
    (folder / "node_modules").symlink_to(modules)
    shutil.copy(AXE, folder / "axe.mjs")
    names = []
    for each in (one for one in seen if ALL or one.name in CHOSEN):
        names.append(re.sub(r"[^a-z]+", "-", each.name) + ".html")
        html = each.answer.text.replace("<details>", "<details open>")
        (folder / names[-1]).write_text(html, encoding="utf-8")
    halves = await asyncio.gather(*(ask_axe(node, folder, names[half::2]) for half in (0, 1)))
    out = "".join(halves)
    assert out.count("violations") == 2 * len(names) >= 2 * len(CHOSEN), out
    faults = [
        line
        for line in out.splitlines()
        if "violations none" not in line
        or "color-contrast" in line
        or "h-overflow@375 true" in line
    ]
    assert faults == []


async def ask_axe(node: str, folder: Path, names: list[str]) -> str:
    """What the tool says about these pages."""
    done = await asyncio.create_subprocess_exec(
        node,
        "axe.mjs",
        *names,
        cwd=folder,
        env={**os.environ, "OUT": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(done.communicate(), 300)
    return said.decode()
