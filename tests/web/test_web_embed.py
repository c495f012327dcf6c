"""The form on other sites: valid, small, at home in any page, and with nobody watching."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from html import escape
from pathlib import Path

import html5lib
import pytest
from browsing import browser, needs_chromium
from loopback import Page, Site
from playwright.async_api import Browser, Locator
from playwright.async_api import Page as Tab
from web_visit import HARBOUR, HOME, STADTBLATT, Visit, visit

from digest.model.newsletter import Newsletter, Topic
from digest.model.subscriber import SubscriptionState
from digest.service import open_door, serving
from digest.subscribers.consent import consent
from digest.web.embed import write_form, write_script, write_tag

TOPICS = (
    Topic(name="rathaus", title="Rathaus & Ämter", words=("Rathaus",)),
    Topic(name="sport", title="Sport", words=("Sport",)),
    Topic(name="kultur", title='"Kultur"', words=("Theater",)),
)
#: a newsletter with all there can be to choose from
FULL = replace(STADTBLATT, topics=TOPICS)


@pytest.fixture
async def visited(tmp_path: Path) -> AsyncIterator[Visit]:
    async with visit(tmp_path, FULL, HARBOUR) as one:
        yield one


def form_of(visited: Visit, *, language: str = "de") -> str:
    return write_form(visited.world.renderer, FULL, language=language, public_url=HOME)


async def test_the_form_is_html_without_fault_and_asks_what_ours_asks(visited: Visit) -> None:
    html = form_of(visited)
    whole = f"<!doctype html><html lang=de><head><title>t</title></head><body>{html}</body></html>"
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(whole)
    form = tree.find(".//form")
    assert form.attrib["action"] == f"{HOME}/subscribe?lang=de"
    assert form.attrib["method"] == "post"
    ours = html5lib.parse((await visited.get("/stadtblatt")).text, namespaceHTMLElements=False)
    names = {each.attrib["name"] for each in form.iter() if "name" in each.attrib}
    assert names == {
        "newsletter",
        "language",
        "words",
        "email",
        "frequency",
        "topic",
        "website",
    }
    (page_form,) = [each for each in ours.iter("form") if "subscribe" in each.attrib["action"]]
    # what is signed and short-lived on our page, such as a time, has no place on another
    asked = {each.attrib["name"] for each in page_form.iter() if "name" in each.attrib}
    assert names <= asked | {"topic"}
    boxes = [each for each in form.iter("input") if each.attrib.get("name") == "topic"]
    assert [each.attrib["value"] for each in boxes] == ["rathaus", "sport", "kultur", "other"]
    assert all("checked" in each.attrib for each in boxes)
    # everything that can be typed into or chosen stands in its label, so no id is needed
    labelled = [each for label in form.iter("label") for each in label.iter()]
    seen = [each for tag in ("input", "select") for each in form.iter(tag)]
    assert [e for e in seen if e.attrib.get("type") != "hidden" and e not in labelled] == []
    assert not re.search(r"\bid=|\bon\w+=|javascript:", html)


async def test_the_words_beside_the_button_are_those_of_the_record(visited: Visit) -> None:
    for language in ("de", "en"):
        assert escape(consent(FULL, language)) in form_of(visited, language=language)
        page = await visited.get(f"/stadtblatt?lang={language}")
        assert escape(consent(FULL, language)) in page.text


async def test_a_machine_that_fills_in_the_hidden_field_gets_no_mail(visited: Visit) -> None:
    tree = html5lib.parse(form_of(visited), namespaceHTMLElements=False)
    (trap,) = [each for each in tree.iter("div") if "aria-hidden" in each.attrib]
    assert "hidden" in trap.attrib
    assert "position:absolute" in trap.attrib["style"]
    assert [each.attrib["name"] for each in trap.iter("input")] == ["website"]
    done = await visited.post(
        "/subscribe", email="robot@example.org", newsletter="stadtblatt", website="http://x.example"
    )
    assert (done.status_code, await visited.all_of("robot@example.org")) == (200, [])


async def test_a_newsletter_with_nothing_to_choose_asks_for_an_address_alone(
    visited: Visit,
) -> None:
    html = write_form(visited.world.renderer, HARBOUR, language="en", public_url=HOME)
    assert "<select" not in html
    assert "checkbox" not in html
    assert "Subscribe" in html


async def test_the_script_is_small_and_says_how_long_it_may_be_kept(visited: Visit) -> None:
    answer = await visited.get("/embed/stadtblatt.js?lang=en", **{"accept-language": "de"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert re.match(r"public, max-age=\d+", answer.headers["cache-control"])
    assert "set-cookie" not in answer.headers
    assert len(answer.content) < 6144
    assert "How often?" in answer.text
    # what a browser prefers is no matter: a cache would give it to everybody
    assert (
        "Wie oft?" in (await visited.get("/embed/stadtblatt.js", **{"accept-language": "en"})).text
    )
    plain = re.sub(r"/\*.*?\*/", "", answer.text, flags=re.DOTALL)
    assert not re.search(
        r"\beval\b|Function\(|fetch|XMLHttp|sendBeacon|cookie|Storage|indexedDB|import\(", plain
    )
    assert (await visited.client.head("/embed/stadtblatt.js")).status_code == 200
    again = {"if-none-match": answer.headers["etag"]}
    assert (await visited.get("/embed/stadtblatt.js?lang=en", **again)).status_code == 304


async def test_there_is_no_script_for_what_there_is_not(visited: Visit) -> None:
    for path in ("/embed/nothing.js", "/embed/stadtblatt", "/embed/stadtblatt.js/x", "/embed"):
        assert (await visited.get(path)).status_code == 404


async def test_no_title_breaks_out_of_form_or_script(visited: Visit) -> None:
    bad = "</script><script>alert(1)</script>\"'\u2028"
    hostile = replace(FULL, title=bad, topics=(replace(TOPICS[0], title=bad), *TOPICS))
    facts = {"language": "en", "public_url": HOME}
    form = write_form(visited.world.renderer, hostile, **facts)
    script = write_script(visited.world.renderer, hostile, **facts)
    tag = write_tag(hostile, **facts)
    assert [text.count("<script") for text in (form, script, tag)] == [0, 0, 1]
    assert script.isascii()


# ------------------------------------------------------------------ in a page of somebody else

#: a theme that means no good, and does its worst to everything that it does not know
HOSTILE = """
* { letter-spacing: 3px; text-transform: uppercase }
form, fieldset, label, input, select, button, p { all: unset }
input, select, textarea { width: 9000px; float: right; color: #fff; background: #fff }
label, legend { font-size: 60px; position: relative; left: 40px }
button { width: 1px; height: 1px; border-radius: 50% }
digest-form, section > * { display: none !important; opacity: 0 !important; float: right }
"""


@dataclass(frozen=True)
class Abroad:
    """Our service, a site of somebody else, and a browser."""

    visited: Visit
    home: str
    site: Site
    chromium: Browser

    def publish(self, body: str, *, css: str = "", **headers: str) -> str:
        """A page of that site; its address."""
        self.site.pages["/page"] = Page(
            f"<!doctype html><html lang=de><head><meta charset=utf-8><title>Fremd</title>"
            f"<meta name=viewport content='width=device-width'><style>{css}</style></head>"
            f"<body>{body}</body></html>".encode(),
            headers={"Content-Type": "text/html; charset=utf-8", **headers},
        )
        return f"{self.site.url}/page"

    def tag(self, newsletter: Newsletter = FULL, *, language: str = "de") -> str:
        return write_tag(newsletter, language=language, public_url=self.home)

    def form(self) -> str:
        return write_form(self.visited.world.renderer, FULL, language="de", public_url=self.home)


@pytest.fixture
async def abroad(tmp_path: Path, site: Site) -> AsyncIterator[Abroad]:
    door = open_door("127.0.0.1", 0)
    home = f"http://127.0.0.1:{door.getsockname()[1]}"
    async with (
        visit(tmp_path, FULL, HARBOUR, public_url=home) as visited,
        serving(visited.web, door),
        browser() as chromium,
    ):
        yield Abroad(visited, home, site, chromium)


async def _subscribe(abroad: Abroad, tab: Tab, form: Locator, address: str) -> None:
    """Fill in the form and send it; the answer is a page of ours."""
    await form.get_by_label("E-Mail-Adresse").fill(address)
    abroad.visited.clock.at += timedelta(seconds=30)  # nobody types faster
    async with tab.expect_navigation(url=f"{abroad.home}/subscribe?lang=de"):
        await form.get_by_role("button", name="Abonnieren").click()
    assert "Postfach" in await tab.locator("h1").inner_text()


@needs_chromium
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
async def test_whoever_signs_up_on_another_site_is_asked_by_mail(
    abroad: Abroad, *, scripts: bool
) -> None:
    context = await abroad.chromium.new_context(
        java_script_enabled=scripts, viewport={"width": 375, "height": 700}
    )
    tab = await context.new_page()
    await tab.goto(abroad.publish(f"<aside>{abroad.form()}</aside>", css=HOSTILE))
    form = tab.locator("form")
    assert not await form.locator("[name=website]").is_visible()
    await form.locator("select").select_option("weekly")
    await form.get_by_label("Sport").uncheck()
    await _subscribe(abroad, tab, form, "plain@example.org")
    found = await abroad.visited.known("plain@example.org")
    assert (found.state, found.frequency) == (SubscriptionState.PENDING, "weekly")

    await tab.goto(abroad.publish(f"<aside>{abroad.tag()}</aside>", css=HOSTILE))
    if scripts:
        form = tab.locator("digest-form form")
    else:
        await tab.get_by_role("link", name="abonnieren").click()
        await tab.wait_for_url(f"{abroad.home}/stadtblatt?lang=de")
        form = tab.locator("form")
    await _subscribe(abroad, tab, form, "script@example.org")
    found = await abroad.visited.known("script@example.org")
    assert (found.state, found.frequency) == (SubscriptionState.PENDING, "daily")
    await context.close()


#: what the form looks like from within: sizes, fonts and colours as they come out
LOOK = """form => {
  const shown = [...form.querySelectorAll('input:not([type=hidden]),select,button')]
    .filter(each => each.checkVisibility());
  const style = getComputedStyle(form), page = getComputedStyle(form.getRootNode().host.parentNode);
  return {names: shown.map(each => each.name || each.type),
    small: shown.map(each => (each.closest('label:has([type=checkbox])') || each)
      .getBoundingClientRect()).filter(box => box.height < 24 || box.width < 24).length,
    wide: Math.max(...shown.map(each => each.getBoundingClientRect().right)),
    same: ['color', 'fontFamily', 'fontSize'].filter(name => style[name] === page[name]),
    field: getComputedStyle(shown[0]).borderTopStyle,
    capitals: style.textTransform}}"""


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_script_needs_no_leave_of_a_strict_page_and_does_nothing_else(
    abroad: Abroad, scheme: str
) -> None:
    policy = (
        f"default-src 'none'; style-src 'self' 'sha256-x'; script-src {abroad.home};"
        f" form-action {abroad.home}; require-trusted-types-for 'script'"
    )
    abroad.site.pages["/theme.css"] = Page(
        (HOSTILE + ":root{color-scheme:light dark;font:20px Georgia;color:CanvasText}").encode(),
        headers={"Content-Type": "text/css"},
    )
    body = (
        f"<link rel=stylesheet href=/theme.css><main><section>{abroad.tag()}</section>"
        f"<section>{abroad.tag()}</section>"
        f"<section>{abroad.tag(HARBOUR, language='en')}</section></main>"
    )
    context = await abroad.chromium.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": 320, "height": 700}
    )
    tab = await context.new_page()
    asked: list[str] = []
    said: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: said.append(message.text))
    page = abroad.publish(body, **{"Content-Security-Policy": policy})
    await tab.goto(page, wait_until="networkidle")
    forms = tab.locator("section > digest-form form")
    assert await forms.count() == 3
    looks = [await forms.nth(place).evaluate(LOOK) for place in range(3)]
    assert looks[0] == looks[1]
    assert looks[0]["names"] == ["email", "frequency", *["topic"] * 4, "submit"]
    assert looks[2]["names"] == ["email", "submit"]
    for each in looks:
        assert (each["small"], each["field"], each["capitals"]) == (0, "solid", "none")
        assert each["same"] == ["color", "fontFamily", "fontSize"]
        assert each["wide"] <= 320
    scripts = [url for url in asked if url.startswith(abroad.home)]
    assert {url.partition("?")[0] for url in scripts} == {
        f"{abroad.home}/embed/stadtblatt.js",
        f"{abroad.home}/embed/harbour.js",
    }
    assert {url for url in asked if url not in scripts} == {
        page,
        f"{abroad.site.url}/theme.css",
    }
    assert await context.cookies() == []
    assert await tab.evaluate("localStorage.length + sessionStorage.length") == 0
    # the page's own inline style is what it forbids, and nothing of ours
    assert [line for line in said if abroad.home in line] == []
    await context.close()
