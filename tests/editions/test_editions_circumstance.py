"""What any report may need says little of what it is about."""

from __future__ import annotations

from digest.editions.circumstance import circumstances
from digest.editions.likeness import Text, learn, resembles, vector

SEED = Text(
    title="Stadt verschiebt am Montag den Bau der Schwimmhalle um zwei Jahre",
    body="Im Sommer fehlen drei Millionen Euro.",
    language="de",
)
CIRCUMSTANCES = Text(
    title="Stadt verschiebt am Montag das Fest um zwei Jahre",
    body="Drei Millionen Euro fehlen.",
    language="de",
)
MATTER = Text(
    title="Schwimmhalle: Der Bau beginnt später", body="Der Rat stimmt ab.", language="de"
)


def test_days_amounts_and_verbs_are_named_in_both_languages_by_one_key() -> None:
    rarity = learn(())
    for german, english in (("Monat", "month"), ("Woche", "week"), ("Million", "million")):
        here = vector(Text(title=german, language="de"), rarity)
        there = vector(Text(title=english, language="en"), rarity)
        assert set(here.weights) == set(there.weights) <= circumstances()


def test_one_thing_in_common_outweighs_many_circumstances() -> None:
    rarity = learn((SEED, CIRCUMSTANCES, MATTER))
    seed, circumstantial, about = (vector(x, rarity) for x in (SEED, CIRCUMSTANCES, MATTER))
    assert resembles(seed, about, rarity) > 2 * resembles(seed, circumstantial, rarity)
