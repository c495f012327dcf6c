"""An edition has a page of its own, with neighbours, a preview, and nothing personal."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import html5lib
import pytest
from archive_visit import FAR, PAPER, bury, publish, story, visit_archive
from web_visit import HOME, Visit

from digest.jobs import join
from digest.jobs.reprint import read_edition
from digest.jobs.write import links_for
from digest.messages.assemble import assemble

PICTURE = "https://bilder.example/bruecke.jpg?b=600&h=400"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Visit]:
    async with visit_archive(tmp_path, PAPER, FAR) as opened:
        yield opened


def tags(page: str) -> dict[str, str]:
    """What the page says about itself to those who show a preview."""
    head = page.partition("</head>")[0]
    found = re.findall(r'<meta (?:property|name)="([\w:]+)" content="([^"]*)">', head)
    links = re.findall(r'<link rel="(\w+)"(?: type="[^"]*" title="[^"]*")? href="([^"]*)">', head)
    assert len({name for name, _ in found}) == len(found)
    return {name: html.unescape(value) for name, value in found + links}


async def test_it_says_what_a_preview_shows(web: Visit) -> None:
    edition = await publish(web, story('Brücke "offen" & <frei>', picture=PICTURE), story("Regen"))
    page = (await web.get(f"/archive/stadtblatt/{edition.id}")).text
    said, url = tags(page), f"{HOME}/archive/stadtblatt/{edition.id}"
    assert said["og:title"] == edition.written.subject
    assert 'content="Brücke &#34;offen&#34; &amp; &lt;frei&gt;' in page
    assert said["og:description"] == said["description"] == edition.written.preheader
    assert (said["og:type"], said["og:locale"]) == ("article", "de_DE")
    assert said["og:site_name"] == "Stadtblatt am Morgen"
    assert said["og:url"] == said["canonical"] == url
    assert said["twitter:card"] == "summary_large_image"
    assert said["alternate"] == f"{HOME}/archive/stadtblatt/feed.xml"
    assert said["article:published_time"] == "2026-11-23T09:30:00+00:00"
    assert said["og:image"].startswith(f"{HOME}/pictures/")
    assert said["og:image:alt"].startswith("Bild: Brücke")
    path = said["og:image"].removeprefix(HOME)
    assert f'src="{path}"' in page


async def test_an_old_edition_without_pictures_or_summary_gets_what_there_is(web: Visit) -> None:
    key = await bury(web, "2020-01-01 07:00", "Alt")
    said = tags((await web.get(f"/archive/stadtblatt/{key}")).text)
    assert (said["twitter:card"], said["og:title"]) == ("summary", "Alt")
    assert "og:image" not in said


async def test_no_picture_is_asked_for_elsewhere(web: Visit) -> None:
    edition = await publish(web, story("Brücke", picture=PICTURE), story("Bus", picture=PICTURE))
    got = await web.get(f"/archive/stadtblatt/{edition.id}")
    sources = re.findall(r'\b(?:src|srcset|background)="([^"]*)"', got.text)
    assert len(sources) == 2
    assert all(each.startswith("/pictures/") for each in sources)
    assert "bilder.example" not in got.text
    assert "img-src 'self';" in got.headers["content-security-policy"]


async def test_pictures_stand_below_the_path_of_the_pages(tmp_path: Path) -> None:
    async with visit_archive(tmp_path, public_url="https://www.site.example/post/") as web:
        edition = await publish(web, story("Brücke", picture=PICTURE))
        page = (await web.get(f"/archive/stadtblatt/{edition.id}")).text
    assert 'src="/post/pictures/' in page
    assert tags(page)["og:image"].startswith("https://www.site.example/post/pictures/")
    assert 'href="/post/archive/stadtblatt"' in page


async def test_one_goes_on_to_the_edition_before_and_after_and_back(web: Visit) -> None:
    one = await bury(web, "2026-05-01 07:00", "Eins")
    await bury(web, "2026-05-01 08:00", "Fremd", "far")
    two = await bury(web, "2026-05-02 07:00", "Zwei")
    first, last = [
        re.findall(r'<a href="([^"]+)"(?: rel="(\w+)")?', (await web.get(path)).text)
        for path in (f"/archive/stadtblatt/{one}", f"/archive/stadtblatt/{two}")
    ]
    back = ("/archive/stadtblatt", "")
    assert first == [back, (f"/archive/stadtblatt/{two}", "next")]
    assert last == [back, (f"/archive/stadtblatt/{one}", "prev")]


async def test_a_reader_sees_his_topics_and_everybody_else_the_whole(web: Visit) -> None:
    await join.admit(
        web.world,
        address="anna@example.org",
        newsletter=PAPER,
        topics=("verkehr",),
        door="cli",
        detail="a test",
    )
    edition = await publish(web, story("Bus kommt"), story("Im Theater"), story("Regen"))
    path = f"/archive/stadtblatt/{edition.id}"
    mine = await web.get(f"{path}?topics=verkehr")
    body = mine.text.partition("<body")[2]
    assert ("Bus kommt" in body, "Im Theater" in body) == (True, False)
    assert tags(mine.text) == tags((await web.get(path)).text)
    assert f'<a href="{path}">' in mine.text
    assert mine.headers["x-robots-tag"] == "noindex"
    whole = (await web.get(path)).text
    assert "Im Theater" in whole
    for unknown in (
        "kultur",
        "verkehr,kultur",
        "",
        "x" * 5000,
        "%00",
        "verkehr%00",
        "other",
        "%FF",
    ):
        got = await web.get(f"{path}?topics={unknown}")
        assert (got.status_code, got.text) == (200, whole), unknown
        assert "x-robots-tag" not in got.headers


async def test_nothing_of_the_reader_who_came_is_in_the_page(web: Visit) -> None:
    reader = await join.admit(
        web.world,
        address="anna@example.org",
        newsletter=PAPER,
        topics=("verkehr",),
        door="cli",
        detail="a test",
    )
    edition = await publish(web, story("Bus kommt", picture=PICTURE), story("Im Theater"))
    links = links_for(web.world, PAPER, reader.ref, edition.id, "verkehr")
    async with web.world.store.read() as connection:
        stored = await read_edition(connection, edition.id, name="verkehr")
    assert stored is not None
    mail, _ = assemble(stored, links, address="anna@example.org")
    secrets = [
        "anna@example.org",
        web.world.signer.unsubscribe_token(reader.ref),
        web.world.signer.preferences_token(reader.ref),
    ]
    assert [secret in mail for secret in secrets] == [True] * 3
    for path in (links.view, links.view.partition("?")[0]):
        page = (await web.get(path.removeprefix(HOME))).text
        assert [secret for secret in secrets if secret in page] == []
        assert edition.nonce not in page
        ours = {url for url in re.findall(r'href="([^"]+)"', page) if not url.startswith("https:")}
        assert not {url for url in ours if re.search(r"/(?:unsubscribe|preferences|confirm)", url)}
        assert "?topics" not in "".join(ours)


async def test_it_is_kept_by_caches_and_speaks_its_own_language(web: Visit) -> None:
    edition = await publish(web, story("Brücke"))
    path = f"/archive/stadtblatt/{edition.id}"
    got = await web.get(path, **{"accept-language": "en"})
    assert got.headers["content-language"] == "de"
    assert got.headers["cache-control"] == "public, max-age=300"
    assert "vary" not in got.headers
    assert got.text == (await web.get(path)).text
    head = await web.client.head(path)
    assert (head.status_code, head.text) == (200, "")


async def test_it_is_html_as_a_browser_wants_it(web: Visit) -> None:
    key = await bury(web, "2026-05-01 07:00", "Eins")
    page = (await web.get(f"/archive/stadtblatt/{key}")).text
    html5lib.HTMLParser(strict=True).parse(f"<!DOCTYPE html>{page}")


async def test_a_title_of_the_newsletter_is_text_too(tmp_path: Path) -> None:
    async with visit_archive(tmp_path, replace(PAPER, title='"><script>1</script>')) as web:
        edition = await publish(web, story("Brücke"))
        page = (await web.get(f"/archive/stadtblatt/{edition.id}")).text
    assert "<script>" not in page
    assert tags(page)["og:site_name"] == '"><script>1</script>'
