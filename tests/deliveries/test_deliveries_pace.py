"""How much slower, and how soon faster again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from digest.deliveries.pace import FIRST, LONGEST, SHORTEST, faster, slower

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def test_the_first_refusal_makes_a_gap_and_each_later_one_doubles_it() -> None:
    gap, at, gaps = 0.0, None, []
    now = NOW
    for _ in range(10):
        gap, at = slower(gap, changed_at=at, now=now), now
        gaps.append(gap)
        now += timedelta(seconds=gap)
    assert gaps[:4] == [FIRST, 2 * FIRST, 4 * FIRST, 8 * FIRST]
    assert gaps[-1] == LONGEST


def test_a_burst_of_refusals_counts_once() -> None:
    soon = NOW + timedelta(seconds=FIRST * 0.9)
    assert slower(FIRST, changed_at=NOW, now=soon) == FIRST
    assert slower(FIRST, changed_at=NOW, now=NOW + timedelta(seconds=FIRST)) == 2 * FIRST


def test_a_small_gap_jumps_back_to_the_first_one() -> None:
    assert slower(0.3, changed_at=NOW, now=NOW + timedelta(seconds=5)) == FIRST


@pytest.mark.parametrize(("gap", "most"), [(FIRST, 10), (LONGEST, 30)])
def test_success_shortens_the_gap_until_there_is_none(gap: float, most: int) -> None:
    steps = 0
    while gap > 0:
        shorter = faster(gap)
        assert shorter < gap
        assert shorter == 0 or shorter >= SHORTEST
        gap, steps = shorter, steps + 1
    assert 5 < steps <= most


def test_the_way_back_is_gentler_than_the_way_down() -> None:
    assert faster(faster(slower(8.0, changed_at=None, now=NOW))) > 8.0
