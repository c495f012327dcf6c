from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import html5lib
import pytest
from web_visit import HARBOUR, STADTBLATT, Visit, visit


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Visit]:
    async with visit(tmp_path, STADTBLATT, HARBOUR) as opened:
        yield opened


async def test_an_empty_archive_says_so(web: Visit) -> None:
    assert "Es gibt noch keine Ausgabe." in (await web.get("/archive")).text


async def test_the_archive_lists_editions_with_the_newest_first(web: Visit) -> None:
    first, second = await web.publish("Alt"), await web.publish("Neu")
    page = (await web.get("/archive")).text
    places = [page.index(f'href="/archive/stadtblatt/{each.id}"') for each in (second, first)]
    assert places == sorted(places)
    assert "Stadtblatt am Morgen" in page
    assert first.written.subject not in (await web.get("/archive/harbour")).text


async def test_a_long_archive_goes_on_on_another_page(web: Visit) -> None:
    made = [await web.publish(f"Ausgabe {number:02}") for number in range(32)]
    page = (await web.get("/archive/stadtblatt?lang=de")).text
    assert f'href="?before={made[12].id}&amp;lang=de" rel="next"' in page
    assert "?after=" not in page
    older = (await web.get(f"/archive/stadtblatt?before={made[2].id}")).text
    assert [f"Ausgabe {number:02}" in older for number in range(4)] == [True, True, False, False]
    assert 'rel="next"' not in older
    assert f'href="?after={made[1].id}" rel="prev"' in older


async def test_an_edition_is_shown_as_it_was_sent_but_for_what_is_personal(web: Visit) -> None:
    active = await web.admit()
    edition = await web.publish("Brücke offen", "Bad zu")
    got = await web.get(f"/archive/stadtblatt/{edition.id}")
    assert got.status_code == 200
    assert "Brücke offen" in got.text
    assert edition.nonce not in got.text
    assert "anna@example.org" not in got.text
    assert web.world.signer.unsubscribe_token(active.ref) not in got.text
    assert "/unsubscribe/" not in got.text
    assert "/preferences/" not in got.text


async def test_an_edition_may_show_pictures_and_do_nothing_else(web: Visit) -> None:
    edition = await web.publish("Brücke offen")
    policy = (await web.get(f"/archive/stadtblatt/{edition.id}")).headers["content-security-policy"]
    assert policy.split("; ") == [
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "img-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/archive/stadtblatt/999",
        "/archive/stadtblatt/x",
        "/archive/stadtblatt/-1",
        "/archive/stadtblatt/99999999999999999999999",
        "/archive/stadtblatt/\u0661",
        "/archive/nobody",
        "/archive/nobody/1",
        "/archive/nobody/feed.xml",
        "/archive/harbour/1",
    ],
)
async def test_what_is_not_there_is_not_found(web: Visit, path: str) -> None:
    await web.publish("Brücke offen")
    assert (await web.get(path)).status_code == 404


async def test_the_archive_is_html_as_a_browser_wants_it(web: Visit) -> None:
    await web.publish("Eins & <Zwei>")
    for path in ("/archive", "/archive/stadtblatt", "/archive/harbour"):
        html5lib.HTMLParser(strict=True).parse((await web.get(path)).text)
