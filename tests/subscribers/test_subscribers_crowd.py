from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest

from digest.subscribers.crowd import (
    Ask,
    Limits,
    Verdict,
    is_braked,
    judge,
    may_ask,
    networks_of,
    shorten,
)

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
FEW = Limits(soft=5, hard=40)
MANY = Limits(soft=200, hard=2000)


@pytest.mark.parametrize(
    ("network", "everybody", "weight", "braked", "verdict"),
    [
        (0, 0, 1, False, Verdict.FREE),
        (4, 0, 1, False, Verdict.FREE),
        (5, 0, 1, False, Verdict.WORK),
        (3, 0, 2, False, Verdict.FREE),
        (4, 0, 2, False, Verdict.WORK),
        (0, 199, 1, False, Verdict.FREE),
        (0, 199, 2, False, Verdict.WORK),
        (0, 0, 1, True, Verdict.WORK),
        (39, 0, 1, True, Verdict.WORK),
        (40, 0, 1, False, Verdict.FULL),
        (0, 2000, 1, True, Verdict.FULL),
    ],
)
def test_few_are_free_many_work_and_crowds_wait(
    *, network: int, everybody: int, weight: int, braked: bool, verdict: Verdict
) -> None:
    counts = [(network, FEW), (everybody, MANY)]
    assert judge(counts, weight=weight, braked=braked) is verdict


def mailed(newsletter: str, mails: int = 1, **ago: float) -> Ask:
    return Ask(newsletter=newsletter, mails=mails, last_at=NOW - timedelta(**ago))


@pytest.mark.parametrize(
    ("asks", "may"),
    [
        ([], True),
        ([mailed("a", hours=23)], False),
        ([mailed("a", hours=24)], True),
        ([mailed("a", mails=2, days=300)], True),
        ([mailed("a", mails=3, days=300)], False),
        ([mailed("b", mails=3, hours=1), mailed("c", hours=1)], True),
        ([mailed("b", hours=1), mailed("c", hours=1), mailed("d", hours=23)], False),
        ([mailed("b", hours=1), mailed("c", hours=1), mailed("d", hours=24)], True),
    ],
)
def test_an_address_is_asked_once_a_day_three_times_in_all_and_thrice_a_day_by_everybody(
    asks: list[Ask], *, may: bool
) -> None:
    assert may_ask(asks, newsletter="a", now=NOW) is may


@pytest.mark.parametrize(
    ("unconfirmed", "confirmed", "braked"),
    [(50, 0, False), (51, 0, True), (51, 10, True), (51, 11, False), (500, 100, False)],
)
def test_the_brake_wants_many_and_almost_none_confirmed(
    *, unconfirmed: int, confirmed: int, braked: bool
) -> None:
    assert is_braked(unconfirmed=unconfirmed, confirmed=confirmed) is braked


@pytest.mark.parametrize(
    ("address", "counted", "kept"),
    [
        ("203.0.113.77", "203.0.113.0/24", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("::1", "::/64", "::/48"),
    ],
)
def test_a_network_is_what_one_household_or_firm_has(address: str, counted: str, kept: str) -> None:
    found = ip_address(address)
    assert (networks_of(found)[0], shorten(found)) == (counted, kept)
    assert networks_of(found) == tuple(dict.fromkeys((counted, kept)))
