"""Leaving on the web: by mail programs, by people, with and without a database."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import html5lib
import pytest
from sqlalchemy import func, select
from web_visit import HARBOUR, STADTBLATT, Visit, visit

from digest.errors import StoreError
from digest.jobs import forget, leave
from digest.jobs.spool import apply
from digest.model.newsletter import Schedule
from digest.model.subscriber import Subscription, SubscriptionState
from digest.service import open_door, serving
from digest.store import subscribers
from digest.store.spool import Spool, goodbyes
from digest.store.tables import deliveries, suppressions

CURL = shutil.which("curl")
ONE_CLICK = "List-Unsubscribe=One-Click"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Visit]:
    async with visit(tmp_path) as opened:
        yield opened


@contextmanager
def away(web: Visit) -> Iterator[None]:
    """The database is not there, as the store says it."""

    def refuse(*_: object) -> NoReturn:
        raise StoreError("the database cannot be used: connection refused")

    with pytest.MonkeyPatch.context() as patch:
        for name in ("read", "write"):
            patch.setattr(type(web.world.store), name, refuse)
        yield


def forms(html: str) -> list[tuple[str | None, dict[str, str], str]]:
    """Where each form posts to, what it sends, and the words of its button, in order."""
    page = html5lib.parse(html, namespaceHTMLElements=False)
    found = []
    for each in page.iter("form"):
        assert each.get("method") == "post"
        fields = {i.get("name", ""): i.get("value", "") for i in each.iter("input")}
        (button,) = each.iter("button")
        found.append((each.get("action"), fields, "".join(button.itertext())))
    return found


def spooled(web: Visit) -> int:
    return len(goodbyes(Spool(web.world.spool).read())[0])


async def closed(web: Visit) -> int:
    async with web.world.store.read() as connection:
        query = select(func.count()).select_from(suppressions)
        return int((await connection.execute(query)).scalar_one())


# --------------------------------------------------------------- RFC 8058, by real curl


@asynccontextmanager
async def served(web: Visit) -> AsyncIterator[str]:
    """The pages behind a real server; its address."""
    door = open_door("127.0.0.1", 0)
    async with serving(web.web, door):
        yield f"http://127.0.0.1:{door.getsockname()[1]}"


async def curl(*arguments: str) -> tuple[int, str]:
    """The status of what curl gets, and all of its headers."""
    if CURL is None:
        pytest.skip("no curl here: apt install curl")
    process = await asyncio.create_subprocess_exec(
        *(CURL, "-sS", "-o", "-", "-D", "-", "--max-time", "20", *arguments),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    head = out.decode().partition("\r\n\r\n")[0]
    return int(head.split()[1]), head.lower()


@pytest.mark.parametrize(
    "how",
    [
        ("-F", ONE_CLICK),
        ("-d", ONE_CLICK),
        ("-X", "POST"),
        ("-d", ""),
        ("-d", "anything=else"),
        ("-d", "%ff%00=%", "-H", "Content-Type: application/x-www-form-urlencoded"),
        ("-d", "no boundary", "-H", "Content-Type: multipart/form-data"),
        ("-d", "--x torn", "-H", "Content-Type: multipart/form-data; boundary=x"),
        ("-d", "{}", "-H", "Content-Type: application/json"),
        ("-F", f"x={'y' * 9000}"),
    ],
    ids=lambda how: " ".join(how)[:40],
)
async def test_one_click_is_200_twice_without_redirect_and_cookie(
    web: Visit, how: tuple[str, ...]
) -> None:
    path = web.unsubscribe_path(await web.admit())
    async with served(web) as home:
        for _ in range(2):
            status, head = await curl(*how, home + path)
            assert status == 200, head
            assert "location:" not in head
            assert "set-cookie:" not in head
            assert "cache-control: no-store" in head
            assert "x-robots-tag: noindex" in head
            assert "referrer-policy: no-referrer" in head
    assert (await web.known()).state is SubscriptionState.UNSUBSCRIBED
    assert [event.kind for event in await web.record()] == ["operator", "unsubscribed"]


async def test_one_click_is_200_twice_while_the_database_is_away(web: Visit) -> None:
    path = web.unsubscribe_path(await web.admit())
    async with served(web) as home:
        with away(web):
            for how in ("-F", "-d"):
                status, head = await curl(how, ONE_CLICK, home + path)
                assert status == 200, head
                assert "location:" not in head
                assert "cache-control: no-store" in head
        assert await apply(web.world) == 2
    assert (await web.known()).state is SubscriptionState.UNSUBSCRIBED
    assert (await web.record())[-1].door == "mail"


async def test_a_body_that_never_comes_is_not_waited_for(
    web: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link alone is enough; whoever hangs up in the middle has left as well."""
    monkeypatch.setattr("digest.web.leave._BODY", 0.2)
    paths = [web.unsubscribe_path(await web.admit(f"{who}@example.org")) for who in ("a", "b")]
    async with served(web) as home:
        port = int(home.rpartition(":")[2])
        for path, patient in zip(paths, (True, False), strict=True):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            kind = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 999\r\n"
            writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\n{kind}\r\nList-Un".encode())
            await writer.drain()
            if patient:
                assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            writer.close()
            await writer.wait_closed()
        async with asyncio.timeout(5):
            for who in ("a", "b"):
                while (await web.known(f"{who}@example.org")).state != "unsubscribed":  # noqa: ASYNC110 -- a database tells nobody
                    await asyncio.sleep(0.02)


# --------------------------------------------------------------- without the database


async def test_without_the_database_there_is_a_button_and_no_name(web: Visit) -> None:
    path = web.unsubscribe_path(await web.admit())
    with away(web):
        answer = await web.get(path + "?lang=en")
    assert answer.status_code == 200
    assert forms(answer.text) == [(None, {}, "Unsubscribe")]
    assert "anna@" not in answer.text
    assert "Stadtblatt" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert spooled(web) == 0


async def test_without_the_database_the_button_is_noted_and_holds_from_then_on(web: Visit) -> None:
    path = web.unsubscribe_path(await web.admit())
    pressed = web.clock.at
    with away(web):
        for _ in range(2):
            answer = await web.client.post(path + "?lang=en")
            assert answer.status_code == 200
            assert "takes effect as soon as it does" in answer.text
            assert "anna@" not in answer.text
    web.clock.at += timedelta(hours=2)
    assert await apply(web.world) == 2
    assert (await web.known()).unsubscribed_at == pressed
    assert [(event.kind, event.at, event.door) for event in (await web.record())[1:]] == [
        ("unsubscribed", pressed, "web")
    ]


async def test_without_the_database_a_wrong_link_is_still_wrong(web: Visit) -> None:
    active = await web.admit()
    token = web.preferences_path(active).rpartition("/")[2]
    with away(web):
        for wrong in (token, "x", "%00%ff"):
            assert (await web.get(f"/unsubscribe/{wrong}")).status_code == 404
            assert (await web.post(f"/unsubscribe/{wrong}")).status_code == 404
    assert spooled(web) == 0


async def test_a_database_that_hangs_is_not_waited_for(
    web: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = web.unsubscribe_path(await web.admit())
    monkeypatch.setattr(leave, "PATIENCE", 0.2)

    @asynccontextmanager
    async def hang(*_: object) -> AsyncIterator[None]:
        await asyncio.Event().wait()
        yield

    with monkeypatch.context() as patch:
        for name in ("read", "write"):
            patch.setattr(type(web.world.store), name, hang)
        async with asyncio.timeout(3):
            assert (await web.get(path)).status_code == 200
            assert (await web.post(path)).status_code == 200
    assert spooled(web) == 1


async def test_where_nothing_can_be_noted_nothing_is_claimed(web: Visit) -> None:
    path = web.unsubscribe_path(await web.admit())
    web.web.state.world = replace(web.world, spool=Path("/dev/full"))
    with away(web):
        answer = await web.client.post(path + "?lang=en")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"
    assert answer.headers["cache-control"] == "no-store"
    assert "you have not left yet" in answer.text
    assert (await web.known()).state is SubscriptionState.ACTIVE


# --------------------------------------------------------------- less instead of nothing


async def test_the_first_button_leaves_and_the_others_offer_less(web: Visit) -> None:
    active = await web.admit()
    page = (await web.get(web.unsubscribe_path(active) + "?lang=en")).text
    settings = web.preferences_path(active) + "?lang=en"
    assert forms(page) == [
        (None, {}, "Unsubscribe"),
        (settings, {"do": "frequency", "frequency": "weekly"}, "Switch to weekly"),
        (settings, {"do": "pause", "weeks": "4"}, "Pause for 4 weeks"),
    ]
    assert page.count('class="second"') == 2
    assert page.index("<button>") < page.index('class="second"')


async def test_the_goodbye_offers_less_for_a_day(web: Visit) -> None:
    active = await web.admit()
    path, settings = web.unsubscribe_path(active), web.preferences_path(active)
    await web.post(path)
    expected = [
        (settings, {"do": "return", "frequency": "weekly"}),
        (settings, {"do": "return", "weeks": "4"}),
    ]
    assert [each[:2] for each in forms((await web.get(path)).text)] == expected
    web.clock.at += timedelta(hours=24)
    page = (await web.get(path)).text
    assert forms(page) == []
    assert f'href="/{STADTBLATT.slug}"' in page


async def test_one_click_answers_with_the_same_page(web: Visit) -> None:
    one, two = await web.admit(), await web.admit("bert@example.org")
    button = await web.post(web.unsubscribe_path(one))
    click = await web.post(web.unsubscribe_path(two), **{"List-Unsubscribe": "One-Click"})
    bare = [
        re.sub(r"/preferences/[\w-]+|\w+@example.org", "…", each.text) for each in (button, click)
    ]
    assert bare[0] == bare[1]


@pytest.mark.parametrize(
    ("rhythms", "mine", "offered"),
    [
        ({"daily": "0 7 * * *", "weekly": "0 7 * * mon"}, "weekly", None),
        ({"daily": "0 7 * * *", "weekly": "0 7 * * mon"}, "given-up", "weekly"),
        ({"weekly": "0 7 * * mon", "daily": "0 7 * * *"}, "given-up", None),
        ({"daily": "0 7 * * *"}, "daily", None),
        ({"weekly": "0 7 * * mon", "monthly": "0 7 1 * *"}, "weekly", "monthly"),
    ],
)
async def test_only_a_rarer_rhythm_is_offered(
    web: Visit, rhythms: dict[str, str], mine: str, offered: str | None
) -> None:
    active = await web.admit()
    async with web.world.store.write() as connection:
        await subscribers.change(connection, active, frequency=mine, now=web.clock.at)
    web.offer(
        replace(
            STADTBLATT,
            schedules=tuple(Schedule(name=name, cron=cron) for name, cron in rhythms.items()),
        )
    )
    page = (await web.get(web.unsubscribe_path(active))).text
    assert [fields.get("frequency") for _, fields, _ in forms(page)[1:]] == (
        [offered, None] if offered else [None]
    )


async def test_who_leaves_a_newsletter_that_was_given_up_is_offered_nothing(web: Visit) -> None:
    active = await web.admit()
    web.offer(HARBOUR)
    assert len(forms((await web.get(web.unsubscribe_path(active))).text)) == 1
    assert forms((await web.post(web.unsubscribe_path(active))).text) == []


async def test_nobody_gets_a_goodbye_mail(web: Visit) -> None:
    await web.post(web.unsubscribe_path(await web.admit()))
    async with web.world.store.read() as connection:
        query = select(func.count()).select_from(deliveries)
        assert (await connection.execute(query)).scalar_one() == 0


# --------------------------------------------------------------- never confirmed


async def test_a_request_is_withdrawn_or_the_address_closed(web: Visit) -> None:
    page = (await web.get(web.unsubscribe_path(await web.ask()) + "?lang=en")).text
    assert forms(page) == [
        (None, {}, "Withdraw the request"),
        (None, {"never": "1"}, "Never write to this address again"),
    ]
    assert "Nobody has confirmed that" in page


async def test_never_again_ends_the_request_and_closes_the_address(web: Visit) -> None:
    path = web.unsubscribe_path(await web.ask()) + "?lang=en"
    for _ in range(2):
        answer = await web.post(path, never="1")
        assert answer.status_code == 200
        assert "is closed to us" in answer.text
        assert forms(answer.text) == []
    assert (await web.known()).state is SubscriptionState.UNSUBSCRIBED
    assert await closed(web) == 1
    assert await same_answer_as_ever(web)


async def same_answer_as_ever(web: Visit) -> bool:
    """Asking again for the closed address looks like asking for any other, and sends nothing."""
    before = await web.known()
    answer = await web.post("/subscribe", newsletter=STADTBLATT.slug, email="anna@example.org")
    return answer.status_code == 200 and await web.known() == before


async def test_a_withdrawn_request_may_still_be_closed(web: Visit) -> None:
    path = web.unsubscribe_path(await web.ask()) + "?lang=en"
    page = (await web.post(path)).text
    assert "The request is withdrawn" in page
    assert [fields for _, fields, _ in forms(page)] == [{"never": "1"}]
    await web.post(path, never="1")
    assert await closed(web) == 1


async def test_a_reader_cannot_be_closed_by_whoever_has_his_link(web: Visit) -> None:
    """An edition is passed on, and its link with it."""
    path = web.unsubscribe_path(await web.admit())
    for _ in range(2):
        assert "Sie haben abbestellt" in (await web.post(path, never="1")).text
    assert await closed(web) == 0


async def test_never_again_is_noted_without_the_database(web: Visit) -> None:
    path = web.unsubscribe_path(await web.ask())
    with away(web):
        assert (await web.post(path, never="1")).status_code == 200
    await apply(web.world)
    assert await closed(web) == 1


async def test_who_was_erased_is_told_so_and_named_by_nothing(web: Visit) -> None:
    active = await web.admit()
    await forget.erase_person(web.world, subscriber_id=active.subscriber.id, door="web")
    path = web.unsubscribe_path(active) + "?lang=en"
    for answer in (await web.get(path), await web.post(path), await web.post(path, never="1")):
        assert answer.status_code == 200
        assert "Your data are erased" in answer.text
        assert "erased:" not in answer.text
        assert forms(answer.text) == []


# --------------------------------------------------------------- whatever it shows


async def every_page(web: Visit) -> AsyncIterator[str]:
    """Each page that leaving has, in both languages."""
    for language in ("de", "en"):
        pending = await web.ask(f"p-{language}@example.org")
        active = await web.admit(f"a-{language}@example.org")
        for each in (pending, active):
            path = f"{web.unsubscribe_path(each)}?lang={language}"
            with away(web):
                yield (await web.get(path)).text
            yield (await web.get(path)).text
            yield (await web.post(path)).text
            yield (await web.get(path)).text
        never = await web.ask(f"n-{language}@example.org")
        yield (await web.post(f"{web.unsubscribe_path(never)}?lang={language}", never="1")).text


async def test_every_page_is_small_has_one_heading_and_nothing_from_elsewhere(web: Visit) -> None:
    pages = [each async for each in every_page(web)]
    assert len(pages) == 18
    for text in pages:
        assert len(text.encode()) < 30_000
        assert text.count("<h1>") == 1
        assert "style=" not in text
        assert "<script" not in text
        assert not re.findall(r'(?:src|action)="https?:', text)


async def test_looking_changes_nothing_whatever_the_state(web: Visit) -> None:
    people: list[Subscription] = [await web.ask(), await web.admit("b@example.org")]
    gone = await web.admit("c@example.org")
    await web.post(web.unsubscribe_path(gone))
    people.append(await web.known("c@example.org"))
    for each in people:
        path = web.unsubscribe_path(each)
        for query in ("", "?never=1", "?do=return&weeks=4"):
            for method in ("GET", "HEAD"):
                answer = await web.client.request(method, path + query)
                assert answer.status_code == 200
                with away(web):
                    await web.client.request(method, path + query)
    for each in people:
        assert await web.known(each.subscriber.address) == each
    assert (spooled(web), await closed(web)) == (0, 0)
