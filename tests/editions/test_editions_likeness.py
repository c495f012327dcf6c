"""Texts about one thing are alike, in one language and across two."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.editions.likeness import (
    FOLLOW_THRESHOLD,
    Rarity,
    Text,
    learn,
    likeness,
    resembles,
    vector,
    why,
)

BENCH = Path(__file__).parents[2] / "bench"

BRIDGE = Text(
    title="Stadt sperrt die Weidenbrücke für zwei Jahre",
    body="Risse im Stahl der Weidenbrücke zwingen die Stadt zum Neubau für 14 Millionen Euro.",
    language="de",
)
BRIDGE_TOO = Text(
    title="Weidenbrücke wird neu gebaut",
    body="Wegen der Risse im Stahl baut die Stadt für 14 Millionen Euro neu.",
    language="de",
)
BRIDGE_ABROAD = Text(
    title="City closes the Weiden bridge for two years",
    body="Cracks in the steel force a new construction for 14 million euros.",
    language="en",
)
BEES = Text(
    title="Imker zählen mehr Bienen als im Vorjahr",
    body="Ein mildes Frühjahr half den Völkern, meldet der Verband.",
    language="de",
)
ALL = (BRIDGE, BRIDGE_TOO, BRIDGE_ABROAD, BEES)


def alike(a: Text, b: Text, rarity: Rarity) -> float:
    return likeness(vector(a, rarity), vector(b, rarity))


@pytest.mark.parametrize("rarity", [learn(()), learn((BEES,)), learn(ALL), learn(ALL * 50)])
def test_the_same_event_is_more_alike_than_another_whatever_the_background(rarity: Rarity) -> None:
    assert alike(BRIDGE, BRIDGE, rarity) == pytest.approx(1)
    assert alike(BRIDGE, BRIDGE_TOO, rarity) > 0.25
    assert alike(BRIDGE, BRIDGE_ABROAD, rarity) > 0.1
    assert alike(BRIDGE, BEES, rarity) < 0.05


def test_a_word_that_stands_everywhere_says_little() -> None:
    rarity = learn(Text(title="Imker meldet", body=f"Nummer {n}", language="de") for n in range(99))
    weights = vector(Text(title="Imker brennt", language="de"), rarity).weights
    assert weights["imk"] < weights["brent"] / 4


def test_a_title_counts_more_than_a_body() -> None:
    rarity = learn(())
    seed = vector(Text(title="Weidenbrücke"), rarity)
    titled = Text(title="Weidenbrücke offen", body="Rathaus Bienen")
    told = Text(title="Rathaus Bienen", body="Weidenbrücke offen")
    assert likeness(seed, vector(titled, rarity)) > likeness(seed, vector(told, rarity))


def test_a_compound_meets_its_parts() -> None:
    rarity = learn((Text(title="Ein Pumpwerk bei der Mühle", language="de"),))
    one = Text(title="Mühlenpumpwerk", language="de")
    two = Text(title="Pumpwerk der Mühle", language="de")
    assert alike(one, two, rarity) > 0.3


def test_why_names_the_words_as_they_are_written() -> None:
    rarity = learn(ALL)
    german, english = vector(BRIDGE, rarity), vector(BRIDGE_ABROAD, rarity)
    assert "Weidenbrücke" in why(vector(BRIDGE_TOO, rarity), german)
    assert set(why(german, english, 9)) >= {"bridge", "City", "steel"}
    assert why(german, vector(BEES, rarity)) == ()
    assert len(why(german, german, 2)) == 2


@given(st.text(max_size=80), st.text(max_size=80))
def test_likeness_is_the_same_both_ways_and_within_bounds(one: str, two: str) -> None:
    rarity = learn(ALL)
    a, b = vector(Text(title=one), rarity), vector(Text(title=two, body=one), rarity)
    assert likeness(a, b) == likeness(b, a)
    assert 0 <= likeness(a, b) <= 1
    assert 0 <= resembles(a, b, rarity) <= 1


def test_nothing_resembles_an_empty_text() -> None:
    rarity = learn(())
    empty = vector(Text(title=""), rarity)
    assert likeness(empty, empty) == 0
    assert resembles(empty, vector(BRIDGE, rarity), rarity) == 0
    assert resembles(vector(BRIDGE, rarity), empty, rarity) == 0


def test_a_follower_is_told_of_the_same_thing_in_either_language_and_of_nothing_else() -> None:
    rarity = learn(ALL)
    seed = vector(BRIDGE, rarity)
    for other, told in ((BRIDGE_TOO, True), (BRIDGE_ABROAD, True), (BEES, False)):
        assert (resembles(seed, vector(other, rarity), rarity) >= FOLLOW_THRESHOLD) is told


def bench(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
