from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from web_visit import Visit, visit

from digest.model.subscriber import SubscriptionState


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Visit]:
    async with visit(tmp_path) as opened:
        yield opened


async def test_what_is_not_there_is_a_page_in_the_readers_language(web: Visit) -> None:
    german = await web.get("/nothing/here")
    english = await web.get("/nothing", **{"accept-language": "en"})
    assert (german.status_code, english.status_code) == (404, 404)
    assert "Hier ist nichts" in german.text
    assert "There is nothing here" in english.text


async def test_what_does_not_work_this_way_says_which_ways_do(web: Visit) -> None:
    got = await web.client.post("/archive")
    assert got.status_code == 405
    assert "So geht es nicht" in got.text
    assert got.headers["allow"] == "GET, HEAD"
    two_routes = await web.client.delete("/subscribe")
    assert two_routes.headers["allow"] == "GET, HEAD, POST"


async def test_a_slash_too_many_is_not_redirected(web: Visit) -> None:
    got = await web.post(web.unsubscribe_path(await web.admit()) + "/")
    assert got.status_code == 404
    assert (await web.known()).state is SubscriptionState.ACTIVE


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"email=" + b"a" * 100_000, "application/x-www-form-urlencoded"),
        (
            b"&".join(b"a%d=1" % number for number in range(200)),
            "application/x-www-form-urlencoded",
        ),
        (b"--x\r\nno form at all", "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="email"; filename="f"\r\n\r\nx\r\n--x--',
            "multipart/form-data; boundary=x",
        ),
        (b"x", "multipart/form-data"),
    ],
)
async def test_what_is_too_much_or_no_form_is_refused(web: Visit, body: bytes, kind: str) -> None:
    got = await web.client.post("/subscribe", content=body, headers={"content-type": kind})
    assert got.status_code in {400, 422}
    assert "<h1" in got.text


@pytest.mark.parametrize(
    "body", [b"email=%FF%00", b"\xff\xfe", b"%", b"email&newsletter", b'{"a":1}']
)
async def test_no_body_is_a_fault_of_ours(web: Visit, body: bytes) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    got = await web.client.post("/subscribe", content=body, headers=kind)
    assert got.status_code == (200 if body.startswith(b"email=") else 422)


async def test_a_broken_template_is_no_traceback(web: Visit, tmp_path: Path) -> None:
    pages = tmp_path / "templates" / "pages"
    pages.mkdir(parents=True)
    (pages / "newsletter.html").write_text("{{ nobody.knows }}")
    got = await web.get("/stadtblatt")
    assert got.status_code == 500
    assert "Das war unser Fehler" in got.text
    assert "Traceback" not in got.text
    assert "nobody" not in got.text
    assert got.headers["x-content-type-options"] == "nosniff"


async def test_where_even_the_page_for_faults_is_broken_plain_words_are_left(
    web: Visit, tmp_path: Path
) -> None:
    pages = tmp_path / "templates" / "pages"
    pages.mkdir(parents=True)
    (pages / "base.html").write_text("{% if %}")
    got = await web.get("/stadtblatt")
    assert (got.status_code, got.headers["content-type"]) == (500, "text/plain; charset=utf-8")
    assert got.headers["referrer-policy"] == "no-referrer"


async def test_a_database_that_is_away_is_said_and_not_shown(web: Visit, tmp_path: Path) -> None:
    assert (await web.get("/healthz")).text == "ok\n"
    assert (await web.get("/readyz")).status_code == 200
    await web.world.store.close()
    for name in ("digest.db", "digest.db-wal", "digest.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "digest.db").mkdir()
    assert (await web.get("/healthz")).status_code == 200
    ready = await web.get("/readyz")
    assert (ready.status_code, ready.text) == (503, "the database does not answer\n")
    page = await web.get("/stadtblatt")
    assert page.status_code == 503
    assert page.headers["retry-after"] == "30"
    assert "Einen Moment, bitte" in page.text
    assert str(tmp_path) not in page.text


async def test_browsers_that_ask_for_an_icon_are_not_told_off(web: Visit) -> None:
    assert (await web.get("/favicon.ico")).status_code == 204
