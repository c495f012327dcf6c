from __future__ import annotations

import asyncio
import logging
from ipaddress import ip_address

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from digest.web import visitor
from digest.web.visitor import Turns, address_of, end_on_the_beat

PROXY = "198.51.100.9"


def request(peer: str | None = PROXY, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", line.encode("latin-1")) for line in forwarded]
    client = (peer, 4711) if peer else None
    return Request({"type": "http", "headers": headers, "client": client})


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, [], PROXY),
        (0, ["203.0.113.7"], PROXY),
        (1, ["203.0.113.7"], "203.0.113.7"),
        (1, ["10.0.0.1, 203.0.113.7"], "203.0.113.7"),
        (1, ["10.0.0.1", "203.0.113.7"], "203.0.113.7"),
        (2, ["9.9.9.9, 203.0.113.7, 10.0.0.1"], "203.0.113.7"),
        (2, ["9.9.9.9", "203.0.113.7", "10.0.0.1"], "203.0.113.7"),
        (2, ["203.0.113.7"], PROXY),  # one of ours was gone round
        (1, [], PROXY),
        (1, ["203.0.113.7:51234"], "203.0.113.7"),
        (1, ["[2001:db8::7]:51234"], "2001:db8::7"),
        (1, ["[2001:db8::7]"], "2001:db8::7"),
        (1, ["2001:db8::7"], "2001:db8::7"),
    ],
)
def test_only_our_own_proxies_are_believed(
    proxies: int, forwarded: list[str], expected: str
) -> None:
    assert address_of(request(PROXY, *forwarded), proxies=proxies) == ip_address(expected)


@pytest.mark.parametrize(
    "garbage", ["", ",", "unknown", "999.1.1.1", "1.2.3", "0x7f000001", "\xff", "a" * 9000, "[::1"]
)
def test_what_is_no_address_is_the_proxy(garbage: str) -> None:
    assert address_of(request(PROXY, garbage), proxies=1) == ip_address(PROXY)


@pytest.mark.parametrize("peer", [None, "testclient", "/run/digest.sock"])
def test_where_nobody_can_tell_nobody_does(peer: str | None) -> None:
    assert address_of(request(peer), proxies=0) is None
    assert address_of(request(peer, "203.0.113.7"), proxies=1) == ip_address("203.0.113.7")


def test_a_proxy_that_nobody_told_us_about_is_mentioned_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(visitor, "_told", False)
    caplog.set_level(logging.WARNING, "digest.web")
    for _ in range(3):
        assert address_of(request("127.0.0.1", "203.0.113.7"), proxies=0) == ip_address("127.0.0.1")
    assert [each.getMessage().partition(":")[0] for each in caplog.records] == [
        "visitors come through a proxy and are all counted as one network"
    ]


async def test_a_few_are_at_work_at_once_some_wait_and_the_rest_hear_so() -> None:
    turns, at_work, most, answers, headers = Turns(2, 3), 0, 0, [], []

    async def come() -> None:
        nonlocal at_work, most
        try:
            async with turns.turn():
                at_work += 1
                most = max(most, at_work)
                await asyncio.sleep(0.01)
                at_work -= 1
                answers.append(200)
        except HTTPException as full:
            answers.append(full.status_code)
            headers.append(dict(full.headers or {}))

    await asyncio.gather(*(come() for _ in range(9)))
    assert most == 2
    assert sorted(answers) == [200] * 5 + [503] * 4
    assert headers == [{"Retry-After": "30"}] * 4
    answers.clear()
    await asyncio.gather(*(come() for _ in range(5)))
    assert answers == [200] * 5


@pytest.mark.parametrize(("work", "beats"), [(0.0, 1), (0.03, 1), (0.06, 2), (0.11, 3)])
async def test_an_answer_ends_on_the_beat(work: float, beats: int) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.sleep(work)
    spent = loop.time() - began
    await end_on_the_beat(began, 0.05)
    assert loop.time() - began >= 0.05 * max(beats, spent // 0.05 + 1) - 0.001
