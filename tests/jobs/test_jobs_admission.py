"""Crowds at the door: who is let in, who works for it, and how many mails ten thousand bring."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import IPv4Address, ip_address
from itertools import count
from pathlib import Path

import pytest
from jobs_world import STADTBLATT, Clock, admit, ledger, open_world, sqlite
from sqlalchemy import select, update

from digest.jobs import admission, join
from digest.jobs.admission import Admitted, Answer, Attempt, Gate, Refused, Repeated, WorkWanted
from digest.jobs.status import take_stock
from digest.jobs.world import World
from digest.store.tables import subscribers, subscriptions
from digest.store.troubles import quotas
from digest.subscribers import crowd, work

HOME = "203.0.113.7"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    async with open_world(sqlite(tmp_path), clock) as one:
        yield one


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that a test does in no time."""
    monkeypatch.setattr(work, "BITS", 6)
    monkeypatch.setattr(work, "BRAKE_BITS", 8)


async def come(
    world: World,
    typed: str = "anna@example.org",
    *,
    address: str | None = HOME,
    stamped: bool = True,
    shown: WorkWanted | None = None,
    nonce: str | None = None,
    gate: Gate | None = None,
) -> Answer:
    attempt = Attempt(
        typed=typed,
        newsletter="stadtblatt",
        address=ip_address(address) if address else None,
        stamped=stamped,
        challenge=shown.challenge.text if shown else None,
        nonce=nonce,
    )
    return await admission.admit(world, attempt, gate or Gate())


def solve(answer: Answer) -> str:
    assert isinstance(answer, WorkWanted)
    return next(str(n) for n in count() if answer.challenge.is_solved_by(str(n)))


async def come_and_work(
    world: World, typed: str, *, address: str = HOME, gate: Gate | None = None
) -> Answer:
    """As a machine does that knows our page: it asks, works and comes again."""
    answer = await come(world, typed, address=address, gate=gate)
    if not isinstance(answer, WorkWanted):
        return answer
    number = solve(answer)
    return await come(world, typed, address=address, shown=answer, nonce=number, gate=gate)


def kinds(answers: list[Answer]) -> dict[str, int]:
    names = [type(each).__name__ for each in answers]
    return {name: names.count(name) for name in dict.fromkeys(names)}


FREE = crowd.NETWORK.soft


async def test_a_few_are_free_then_each_one_works(world: World) -> None:
    answers = [await come(world) for _ in range(FREE + 2)]
    assert kinds(answers) == {"Admitted": FREE, "WorkWanted": 2}
    asked = answers[-1]
    assert isinstance(await come(world, shown=asked, nonce=solve(asked)), Admitted)  # type: ignore[arg-type] # it is one
    # another network has nothing to do with it, nor has one that we cannot tell
    assert isinstance(await come(world, address="198.51.100.1"), Admitted)
    assert isinstance(await come(world, address=None), Admitted)
    assert isinstance(await come(world, address="203.0.113.99"), WorkWanted)


async def test_who_comes_through_a_proxy_that_we_were_not_told_of_is_no_neighbour(
    world: World,
) -> None:
    """All visitors of the site look like this one: only the limit of all holds for them."""
    answers = [await come(world, address="127.0.0.1") for _ in range(crowd.NETWORK.hard + 1)]
    assert kinds(answers) == {"Admitted": crowd.NETWORK.hard + 1}


async def test_whoever_did_not_see_our_page_counts_double(world: World) -> None:
    answers = [await come(world, stamped=False) for _ in range(FREE // 2 + 2)]
    assert kinds(answers) == {"Admitted": FREE // 2, "WorkWanted": 2}


async def test_an_hour_later_everybody_is_free_again(world: World, clock: Clock) -> None:
    for _ in range(FREE + 1):
        await come(world)
    clock.forward(minutes=59)
    assert isinstance(await come(world), WorkWanted)
    clock.forward(minutes=1)
    assert isinstance(await come(world), Admitted)


async def test_an_answer_is_good_once_and_for_its_own_address(world: World) -> None:
    for _ in range(FREE):
        await come(world)
    asked = await come(world)
    number = solve(asked)
    assert isinstance(asked, WorkWanted)
    stranger = await come(world, "ben@example.org", shown=asked, nonce=number)
    assert isinstance(stranger, WorkWanted)
    answers = [await come(world, shown=asked, nonce=number) for _ in range(3)]
    assert answers == [Admitted(), Repeated(), Repeated()]


async def test_one_answer_sent_many_times_at_once_lets_in_one(
    database_url: str, clock: Clock
) -> None:
    async with open_world(database_url, clock) as world:
        for _ in range(FREE):
            await come(world)
        asked = await come(world)
        number = solve(asked)
        assert isinstance(asked, WorkWanted)
        sending = (come(world, shown=asked, nonce=number) for _ in range(8))
        assert kinds(await asyncio.gather(*sending)) == {"Admitted": 1, "Repeated": 7}


async def test_whoever_has_no_script_waits_half_a_minute_from_the_first_answer_on(
    world: World, clock: Clock
) -> None:
    for _ in range(FREE):
        await come(world)
    asked = await come(world)
    assert isinstance(asked, WorkWanted)
    clock.forward(seconds=29)
    early = await come(world, shown=asked)
    assert early == WorkWanted(challenge=asked.challenge, wait=timedelta(seconds=1))
    clock.forward(seconds=1)
    assert isinstance(await come(world, shown=asked), Admitted)
    clock.forward(minutes=16)
    late = await come(world, shown=early)
    assert isinstance(late, WorkWanted)
    assert late.challenge != asked.challenge


async def test_few_get_in_by_waiting_alone(world: World, clock: Clock) -> None:
    """To wait for forty at once costs a machine nothing; to work for them does."""
    asked = []
    for n in range(FREE + crowd.NETWORK.hard):
        answer = await come(world, f"r{n}@example.org")
        if isinstance(answer, WorkWanted):
            asked.append((f"r{n}@example.org", answer))
    clock.forward(seconds=31)
    answers = [await come(world, typed, shown=each) for typed, each in asked]
    assert kinds(answers) == {"Admitted": FREE, "Refused": len(asked) - FREE}
    worked = await come_and_work(world, "anna@example.org")
    assert isinstance(worked, Admitted)


async def test_in_a_brake_waiting_takes_longer_too(world: World, clock: Clock) -> None:
    braked = Gate()
    braked.brake.on, braked.brake.looked_at = True, clock.at
    asked = await come(world, gate=braked)
    assert isinstance(asked, WorkWanted)
    assert asked.wait == timedelta(minutes=2)


async def test_one_customer_of_an_ipv6_network_is_one_crowd(world: World) -> None:
    answers = [
        await come(world, address=f"2001:db8:7:{n:x}::1") for n in range(crowd.SITE.soft + 2)
    ]
    assert kinds(answers) == {"Admitted": crowd.SITE.soft, "WorkWanted": 2}
    assert isinstance(await come(world, address="2001:db8:8:1::1"), Admitted)


async def test_beyond_the_hard_limit_nothing_helps_but_patience(world: World, clock: Clock) -> None:
    begun = clock.at
    answers = []
    for n in range(crowd.NETWORK.hard + 3):
        answers.append(await come_and_work(world, f"r{n}@example.org"))
        clock.forward(seconds=10)
    assert kinds(answers) == {"Admitted": crowd.NETWORK.hard, "Refused": 3}
    assert answers[-1] == Refused(until=begun + crowd.WINDOW, network=True)
    # nobody elsewhere notices
    assert isinstance(await come(world, address="2001:db8::1"), Admitted)
    clock.at = begun + crowd.WINDOW
    assert isinstance(await come(world), Admitted)


async def test_what_is_counted_names_nobody(world: World) -> None:
    await come(world)
    async with world.store.read() as connection:
        names = list(await connection.scalars(select(quotas.c.name)))
    assert len(names) == 2
    assert not any("203" in name and "113" in name.partition("203")[2][:6] for name in names)
    assert not any("anna" in name for name in names)


async def test_a_process_that_remembers_answers_as_one_that_does_not(
    world: World, clock: Clock
) -> None:
    gate, answers = Gate(), []
    for n in range(50):
        one = await come_and_work(world, f"a{n}@example.org", gate=gate)
        other = await come_and_work(world, f"b{n}@example.org")
        answers += [one, other]
        clock.forward(seconds=1)
    assert kinds(answers) == {"Admitted": 40, "Refused": 60}
    refused = [each for each in answers if isinstance(each, Refused)]
    assert len(set(refused)) == 1
    clock.at = refused[0].until
    assert isinstance(await come(world, gate=gate), Admitted)


# --------------------------------------------------------------- the brake


async def request(world: World, *names: str) -> None:
    for name in names:
        address = f"{name}@example.org"
        await join.request(world, address=address, newsletter=STADTBLATT, door="cli")


async def confirm(world: World, how_many: int) -> None:
    async with world.store.write() as connection:
        some = select(subscriptions.c.id).order_by(subscriptions.c.id).limit(how_many)
        await connection.execute(
            update(subscriptions)
            .where(subscriptions.c.id.in_(some))
            .values(state="active", confirmed_at=world.clock())
        )


async def test_when_almost_nobody_confirms_everybody_works(
    world: World, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "digest.admission")
    gate = Gate()
    await admit(world, *(f"a{n}" for n in range(20)))  # the operator's word is nobody's answer
    await request(world, *(f"r{n}" for n in range(51)))
    assert isinstance(await come(world, gate=gate), Admitted)  # they are young
    clock.forward(hours=1, minutes=1)
    answer = await come(world, gate=gate)
    assert isinstance(answer, WorkWanted)
    assert answer.challenge.bits == work.BRAKE_BITS
    assert isinstance(await come(world, shown=answer, nonce=solve(answer), gate=gate), Admitted)
    assert (await take_stock(world))["brake"] is True
    async with world.store.write() as connection:
        asked = select(subscribers.c.id).where(subscribers.c.address.like("a%"))
        await connection.execute(
            update(subscriptions)
            .where(subscriptions.c.subscriber_id.in_(asked))
            .values(confirmed_at=world.clock())
        )
    assert isinstance(await come(world, gate=gate), WorkWanted)  # as it was a minute ago
    clock.forward(minutes=1)
    assert isinstance(await come(world, gate=gate), Admitted)
    assert (await take_stock(world))["brake"] is False
    said = [each.getMessage().split()[1] for each in caplog.records]
    assert said == ["brake=on", "brake=off"]


async def test_a_day_later_the_brake_is_off(world: World, clock: Clock) -> None:
    await request(world, *(f"r{n}" for n in range(60)))
    clock.forward(hours=24)
    async with world.store.read() as connection:
        assert not await admission.is_braked(connection, clock())
        assert await admission.is_braked(connection, clock() - timedelta(minutes=1))


# --------------------------------------------------------------- ten thousand


async def sign_up(world: World, typed: str, address: str, gate: Gate, *, works: bool) -> Answer:
    """What the page does with a form, without the page."""
    answer = await come(world, typed, address=address, gate=gate)
    if works and isinstance(answer, WorkWanted):
        answer = await come(
            world, typed, address=address, shown=answer, nonce=solve(answer), gate=gate
        )
    if isinstance(answer, Admitted):
        await join.request(world, address=typed, newsletter=STADTBLATT, door="web")
    return answer


async def confirm_mails(world: World) -> int:
    return [row.notice for row in await ledger(world)].count("confirm")


TEN_THOUSAND = 10_000


def anywhere(n: int) -> str:
    """The n-th network."""
    return str(IPv4Address(0x0B000000 + 256 * n + 7))


async def test_ten_thousand_sign_ups_of_one_address_bring_it_three_mails(
    world: World, clock: Clock
) -> None:
    """Each from a network of its own, 2,000 a day: of these, 200 are let in without any work."""
    gate, answers, mails = Gate(), [], []
    for n in range(TEN_THOUSAND):
        answers.append(await sign_up(world, "anna@example.org", anywhere(n), gate, works=False))
        if n % 2000 == 1999:
            mails.append(await confirm_mails(world))
            clock.forward(days=1)
    assert kinds(answers) == {"Admitted": 1000, "WorkWanted": 9000}
    assert mails == [1, 2, 3, 3, 3]


@pytest.mark.parametrize(
    ("works", "mails"), [(False, crowd.NETWORK.soft), (True, crowd.NETWORK.hard)]
)
async def test_ten_thousand_sign_ups_from_one_network_in_an_hour(
    world: World, *, works: bool, mails: int
) -> None:
    gate = Gate()
    answers = [
        await sign_up(world, f"r{n}@example.org", HOME, gate, works=works)
        for n in range(TEN_THOUSAND)
    ]
    others = "Refused" if works else "WorkWanted"
    assert kinds(answers) == {"Admitted": mails, others: TEN_THOUSAND - mails}
    assert await confirm_mails(world) == mails


async def test_ten_thousand_sign_ups_of_many_addresses_from_many_networks_in_an_hour(
    world: World,
) -> None:
    gate = Gate()
    answers = [
        await sign_up(world, f"r{n}@example.org", anywhere(n), gate, works=False)
        for n in range(TEN_THOUSAND)
    ]
    assert kinds(answers) == {"Admitted": 200, "WorkWanted": 9800}
    assert await confirm_mails(world) == 200


async def test_the_same_with_work_for_each_of_them_are_two_thousand(world: World) -> None:
    """Counted at the door: each of them brings one mail to an address of its own."""
    gate = Gate()
    answers = [
        await come_and_work(world, f"r{n}@example.org", address=anywhere(n), gate=gate)
        for n in range(TEN_THOUSAND)
    ]
    assert kinds(answers) == {"Admitted": 2000, "Refused": 8000}
