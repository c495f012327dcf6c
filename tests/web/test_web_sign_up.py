"""The sign-up: one answer for every address, in content and in time; work for crowds; no junk."""

from __future__ import annotations

import asyncio
import random
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from statistics import median, quantiles

import html5lib
import httpx
import pytest
from sqlalchemy import select
from web_visit import STADTBLATT, Clock, Visit, visit

from digest.app import open_app
from digest.jobs import join, leave
from digest.jobs.world import World
from digest.service import open_door, serving
from digest.settings import Settings
from digest.store import crowds, suppressions
from digest.store.tables import subscriptions
from digest.subscribers import crowd, work
from digest.subscribers.address import address_key
from digest.web.app import make_web

SECOND = timedelta(seconds=1)


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Visit]:
    async with visit(tmp_path) as opened:
        opened.web.state.beat = 0
        yield opened


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that a test does in no time."""
    monkeypatch.setattr(work, "BITS", 6)


def fields(page: httpx.Response) -> dict[str, str]:
    """The hidden fields of the form on a page."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text)
    return dict(found)


async def sign_up(web: Visit, email: str = "anna@example.org", **more: str) -> httpx.Response:
    """As a person does: he opens the page, types and presses the button."""
    form = fields(await web.get("/stadtblatt"))
    web.clock.at += 3 * SECOND
    return await web.post("/subscribe?lang=en", email=email, **{**form, **more})


def answer(page: httpx.Response) -> str:
    """The number that the page's script would find."""
    text = fields(page)["work"]
    bits = int(re.findall(r'data-bits="(\d+)"', page.text)[0])
    for number in count():
        hashed = sha256(f"{text}.{number}".encode()).digest()
        if int.from_bytes(hashed) >> (256 - bits) == 0:
            return str(number)
    raise AssertionError


async def close(world: World, address: str) -> None:
    known_as = world.signer.suppression_hash(address_key(address))
    async with world.store.write() as connection:
        await suppressions.suppress(connection, known_as, reason="asked", now=world.clock())


# --------------------------------------------------------------- one answer


async def test_the_answer_is_the_same_whatever_the_state_of_the_address(web: Visit) -> None:
    async def answered(typed: str = "anna@example.org") -> tuple[int, str, list[tuple[str, str]]]:
        web.clock.at += timedelta(hours=1)
        got = await web.post("/subscribe", email=typed, newsletter="stadtblatt")
        headers = [(name, value) for name, value in got.headers.multi_items() if name != "date"]
        return got.status_code, got.text, sorted(headers)

    new = await answered()
    pending = await answered()
    await web.post(web.confirm_path(await web.known()))
    active = await answered()
    await web.post(web.unsubscribe_path(await web.known()))
    left = await answered()
    await close(web.world, "anna@example.org")
    closed = await answered()
    assert [pending, active, left, closed] == [new] * 4
    for typed in ("anna@example,org", "anna.example.org", "@@@@@@@@@@@@@@@@", "http://a.example"):
        shown = typed.ljust(16, "x")  # as long as the other, for Content-Length
        status, text, headers = await answered(shown)
        assert (status, text.replace(shown, "anna@example.org"), headers) == new


STATES = ("new", "pending", "active", "left", "suppressed", "impossible")
REQUESTS = 204


async def people(world: World, state: str) -> list[str]:
    """What is typed into the form for each request of one state."""
    typed = [f"{state}{n:02d}@example.org" for n in range(REQUESTS // len(STATES))]
    match state:
        case "impossible":
            return [each.replace("@example", "@-example") for each in typed]
        case "suppressed":
            for each in typed:
                await close(world, each)
        case "pending":
            for each in typed:
                await join.request(world, address=each, newsletter=STADTBLATT, door="cli")
        case "active" | "left":
            for each in typed:
                await join.admit(
                    world, address=each, newsletter=STADTBLATT, door="cli", detail="a test"
                )
                if state == "left":
                    await leave.leave_address(world, each, newsletter=None, door="cli")
        case _:
            pass
    return typed


@asynccontextmanager
async def opened(database_url: str, folder: Path, clock: Clock) -> AsyncIterator[World]:
    """A world behind one proxy."""
    known = {
        "database_url": database_url,
        "secret_key": "a secret that is long enough for tests",
        "public_url": "http://news.example",
        "outbox": str(folder / "outbox"),
        "spool": folder / "digest.spool",
        "journal": None,
        "proxies": 1,
    }
    settings = Settings.model_validate(known)
    async with open_app(settings, (STADTBLATT,), clock=clock) as world:
        yield world


async def test_how_long_an_answer_takes_tells_nothing_about_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six states, 34 requests each, mixed, over HTTP: what parts their medians is their noise."""
    monkeypatch.setattr(crowd, "BRAKE_COUNT", 1000)  # nobody confirms here
    dice = random.Random(4)  # noqa: S311 -- an order, not a secret
    clock, door = Clock(), open_door("127.0.0.1", 0)
    home = f"http://127.0.0.1:{door.getsockname()[1]}"
    async with (
        opened(f"sqlite:///{tmp_path}/digest.db", tmp_path, clock) as world,
        serving(make_web(world), door),
        httpx.AsyncClient(base_url=home) as client,
    ):
        todo = [(state, typed) for state in STATES for typed in await people(world, state)]
        dice.shuffle(todo)
        stamp = work.stamp(world.signer, world.clock() - 10 * SECOND)
        took: dict[str, list[float]] = {state: [] for state in STATES}
        loop = asyncio.get_running_loop()

        async def ask(place: int, state: str, typed: str) -> None:
            form = {"email": typed, "newsletter": "stadtblatt", "stamp": stamp}
            began = loop.time()
            got = await client.post(
                "/subscribe", data=form, headers={"x-forwarded-for": f"203.0.{place}.7"}
            )
            took[state].append(loop.time() - began)
            assert got.status_code == 200

        await client.get("/stadtblatt")  # the first page reads the templates
        for begin in range(0, REQUESTS, 4):
            if begin == 100:
                clock.at += timedelta(hours=2)  # 200 in an hour are free
            batch = enumerate(todo[begin : begin + 4], start=begin)
            await asyncio.gather(*(ask(place, *each) for place, each in batch))
    medians = {state: median(times) for state, times in took.items()}
    noise = median(high - low for low, _, high in map(quantiles, took.values()))
    apart = max(medians.values()) - min(medians.values())
    assert min(min(times) for times in took.values()) >= 0.25
    assert apart < noise, (medians, noise)


async def test_whoever_sends_his_last_octet_late_learns_nothing_from_the_beat(
    tmp_path: Path,
) -> None:
    """The beat is counted from the whole form: nobody chooses where in it our work begins."""
    clock, door = Clock(), open_door("127.0.0.1", 0)
    port = door.getsockname()[1]
    async with (
        opened(f"sqlite:///{tmp_path}/digest.db", tmp_path, clock) as world,
        serving(make_web(world), door),
    ):
        body = b"email=anna%40example.org&newsletter=stadtblatt"
        head = (
            b"POST /subscribe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body)
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + body[:-1])
        await writer.drain()
        await asyncio.sleep(0.235)
        began = asyncio.get_running_loop().time()
        writer.write(body[-1:])
        answered = await reader.readline()
        took = asyncio.get_running_loop().time() - began
        writer.close()
    assert answered.startswith(b"HTTP/1.1 200")
    assert took >= 0.25


# --------------------------------------------------------------- people and machines


async def test_a_form_that_comes_back_at_once_gets_the_usual_answer_and_no_mail(
    web: Visit,
) -> None:
    form = fields(await web.get("/stadtblatt"))
    web.clock.at += 1.9 * SECOND
    quick = await web.post("/subscribe?lang=en", email="bot@example.org", **form)
    web.clock.at += 0.1 * SECOND
    slow = await web.post("/subscribe?lang=en", email="man@example.org", **form)
    assert quick.status_code == 200
    assert quick.text == slow.text.replace("man@", "bot@")
    assert await web.all_of("bot@example.org") == []
    assert len(await web.all_of("man@example.org")) == 1


@pytest.mark.parametrize("stamp", ["", "x", "A" * 30])
async def test_a_form_without_a_good_stamp_is_taken_all_the_same(web: Visit, stamp: str) -> None:
    assert (await sign_up(web, stamp=stamp)).status_code == 200
    assert len(await web.all_of("anna@example.org")) == 1


async def test_machines_that_fall_into_a_trap_are_not_counted(web: Visit) -> None:
    for _ in range(20):
        await sign_up(web, website="https://x.example")
    assert (await sign_up(web)).status_code == 200


async def test_the_consent_is_kept_with_its_language_and_the_network_if_it_is_wanted(
    web: Visit,
) -> None:
    web.web.state.world = replace(web.world, consent_network=True, proxies=1)
    page = await web.get("/stadtblatt?lang=en")
    form = {"email": "anna@example.org", **fields(page), "stamp": ""}
    there = {"x-forwarded-for": "2001:db8:1:2::3"}
    await web.client.post("/subscribe?lang=en", data=form, headers=there)
    path = web.confirm_path(await web.known())
    shown = (await web.get(path)).text
    await web.client.post(path, headers={"x-forwarded-for": "203.0.113.7"})
    asked, confirmed = await web.record()
    assert (asked.kind, asked.language, asked.network) == ("requested", "en", "2001:db8:1::/48")
    assert asked.detail in page.text
    assert (confirmed.kind, confirmed.language) == ("confirmed", "de")
    assert confirmed.network == "203.0.113.0/24"
    assert f">{confirmed.detail}</p>" in shown
    assert "anna@example.org" in confirmed.detail


async def test_a_form_that_does_not_say_what_it_showed_is_no_proof_of_words(web: Visit) -> None:
    await web.post("/subscribe?lang=en", email="anna@example.org", newsletter="stadtblatt")
    await web.post("/subscribe", email="ben@example.org", newsletter="stadtblatt", words="1" * 12)
    for name in ("anna", "ben"):
        [asked] = await web.record(f"{name}@example.org")
        assert (asked.door, asked.detail[:19]) == ("form", "not our own form, s")
    form = fields(await web.get("/stadtblatt?lang=en"))
    await web.post("/subscribe", email="carl@example.org", **form | {"stamp": ""})
    [asked] = await web.record("carl@example.org")
    assert (asked.door, asked.language, asked.detail[:16]) == ("web", "en", "With “Subscribe”")


async def test_half_a_character_is_no_address(web: Visit) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    body = b"newsletter=stadtblatt&email=%ED%A0%80a%40example.org"
    assert (await web.client.post("/subscribe", content=body, headers=kind)).status_code == 200
    async with web.world.store.read() as connection:
        assert (await connection.execute(select(subscriptions))).all() == []


async def test_the_answer_with_an_address_in_it_is_kept_by_nobody(web: Visit) -> None:
    got = await sign_up(web)
    assert got.headers["cache-control"] == "no-store"
    assert got.headers["x-robots-tag"] == "noindex"


# --------------------------------------------------------------- crowds

FREE = crowd.NETWORK.soft


async def test_after_a_few_from_one_network_each_one_works(web: Visit) -> None:
    answers = [(await sign_up(web, f"r{n}@example.org")).status_code for n in range(FREE + 1)]
    assert answers == [200] * FREE + [429]
    asked = await sign_up(web, frequency="weekly", language="en")
    assert "Please wait 30 seconds and press the button." in asked.text
    kept = fields(asked)
    assert {"email": "anna@example.org", "frequency": "weekly", "language": "en"}.items() <= (
        kept.items()
    )
    assert await web.all_of("anna@example.org") == []
    done = await web.post("/subscribe?lang=en", **{**kept, "nonce": answer(asked)})
    assert (done.status_code, "Please look into your mailbox" in done.text) == (200, True)
    known = await web.known()
    assert (known.frequency, known.subscriber.language) == ("weekly", "en")
    again = await web.post("/subscribe?lang=en", **{**kept, "nonce": answer(asked)})
    assert (again.status_code, again.text) == (200, done.text)  # a button that was pressed twice


async def test_whoever_has_no_script_waits_and_presses_the_button(web: Visit) -> None:
    for n in range(FREE):
        await sign_up(web, f"r{n}@example.org")
    asked = await sign_up(web)
    web.clock.at += 20 * SECOND
    early = await web.post("/subscribe?lang=en", **fields(asked))
    assert (early.status_code, "Please wait 10 seconds" in early.text) == (429, True)
    assert fields(early) == fields(asked)
    web.clock.at += 10 * SECOND
    assert (await web.post("/subscribe?lang=en", **fields(early))).status_code == 200
    assert len(await web.all_of("anna@example.org")) == 1


async def test_what_is_asked_of_a_crowd_tells_nothing_about_an_address(web: Visit) -> None:
    for n in range(FREE):
        await sign_up(web, f"r{n}@example.org")
    await web.admit("anna@example.org")
    await close(web.world, "ben_@example.org")
    pages = {}
    for typed in ("anna@example.org", "ben_@example.org", "new_@example.org", "non_@example,org"):
        got = await web.post("/subscribe", email=typed, newsletter="stadtblatt")
        text = got.text.replace(fields(got)["work"], "?").replace(typed, "?")
        pages[typed] = (got.status_code, text)
    assert len(set(pages.values())) == 1


async def test_too_many_are_told_so_and_when_to_come_back(web: Visit) -> None:
    begun = web.clock.at
    async with web.world.store.write() as connection:
        mark = web.world.signer.mark("network", b"192.0.2.0/24").hex()
        full = crowds.Want(name=f"network/{mark}", count=40, limit=40)
        await crowds.take(connection, [full], now=begun, window=crowd.WINDOW)
    web.clock.at += timedelta(minutes=20)
    for typed in ("anna@example.org", "no address"):
        got = await web.post("/subscribe?lang=en", email=typed, newsletter="stadtblatt")
        assert got.status_code == 429
        assert got.headers["retry-after"] == "2400"
        assert "Too many sign-ups from your network" in got.text
        assert "try again in an hour" in got.text
    web.clock.at = begun + crowd.WINDOW
    assert (await sign_up(web)).status_code == 200


async def test_the_page_that_asks_for_work_runs_its_own_script_and_no_other(web: Visit) -> None:
    for n in range(FREE):
        await sign_up(web, f"r{n}@example.org")
    typed = '"><script>alert(1)</script>'
    got = await web.post("/subscribe", email=typed, newsletter="stadtblatt")
    assert got.status_code == 429
    scripts = re.findall(r"<script>(.*?)</script>", got.text, re.DOTALL)
    assert len(scripts) == 1
    own = b64encode(sha256(scripts[0].encode()).digest()).decode()
    policy = got.headers["content-security-policy"]
    assert re.findall(r"script-src ([^;]*)", policy) == [f"'sha256-{own}'"]
    assert "anna" not in scripts[0]
    assert "alert(1)" not in scripts[0]
    assert (
        re.search(r"eval|Function\(|fetch|XMLHttp|http", scripts[0].replace("over http", ""))
        is None
    )
    html5lib.HTMLParser(strict=True).parse(got.text)
    assert len(got.content) < 30_000
    assert got.headers.get("set-cookie") is None


# --------------------------------------------------------------- junk


def urlencoded(body: bytes) -> tuple[str, bytes]:
    return "application/x-www-form-urlencoded", body


def multipart(value: bytes, kind: str = "") -> tuple[str, bytes]:
    head = b'--x\r\nContent-Disposition: form-data; name="'
    parts = [head + name + b'"\r\n\r\n' + text for name, text in ((b"email", value),)]
    return f"multipart/form-data; boundary=x{kind}", b"\r\n".join(parts) + b"\r\n--x--\r\n"


JUNK = {
    "NUL in the address": urlencoded(b"email=an%00na@example.org"),
    "NUL everywhere": urlencoded(
        b"email=a@b.example&newsletter=stadtblatt&frequency=%00&language=%00&topic=%00&stamp=%00"
        b"&work=%00&nonce=%00"
    ),
    "NUL in the newsletter": urlencoded(b"email=a@b.example&newsletter=%00"),
    "a lone surrogate": urlencoded(b"email=%ED%A0%80@example.org"),
    "another one": multipart(b"+2AA-@example.org", "; charset=utf-7"),
    "a charset that is none": multipart(b"a@example.org", "; charset=undefined"),
    "a charset for names": multipart(b"\xff" * 80, "; charset=idna"),
    "a charset that packs": multipart(b"a@example.org", "; charset=zlib"),
    "fields twice": urlencoded(b"email=a@b.example&email=c@d.example&newsletter=&topic=a&topic=b"),
    "a long address": urlencoded(b"email=" + b"a" * 4000),
    "a long form": urlencoded(b"&".join(b"x%d=" % n + b"a" * 2000 for n in range(50))),
    "many fields": urlencoded(b"&".join(b"topic=%d" % n for n in range(500))),
    "JSON": ("application/json", b'{"email": "a@b.example"}'),
    "no kind": ("", b"email=a@b.example"),
    "a broken kind": ("multipart/form-data; boundary=", b"x"),
    "an empty body": urlencoded(b""),
    "percent signs": urlencoded(b"email=%%%&newsletter=%zz"),
    "half a multipart": ("multipart/form-data; boundary=x", b"--x\r\nContent-Disp"),
}


@pytest.fixture
async def stranger(database_url: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody whose headers are junk too; a fault of ours would be raised at him."""
    async with opened(database_url, tmp_path, Clock()) as world:
        pages = make_web(world)
        pages.state.beat = 0
        headers = {"x-forwarded-for": "\x00\x7f, 1.2.3.4.5", "accept-language": "\x7f;q=NaN"}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=pages),
            base_url="http://news.example",
            headers=headers,
        ) as client:
            yield client


async def test_junk_is_no_fault_of_ours(stranger: httpx.AsyncClient) -> None:
    for name, (kind, body) in JUNK.items():
        got = await stranger.post("/subscribe", content=body, headers={"content-type": kind})
        assert got.status_code in {200, 400, 404, 422, 429}, name
        assert "<h1" in got.text


async def test_links_of_junk_lead_nowhere(stranger: httpx.AsyncClient) -> None:
    for path in ("/%00", "/confirm/%00", "/confirm/%ED%A0%80", f"/confirm/{'A' * 9000}", "/%C3%A9"):
        for method in ("GET", "POST", "HEAD"):
            assert (await stranger.request(method, path)).status_code in {404, 405}, path
    assert (await stranger.get("/?lang=%00")).status_code == 200
