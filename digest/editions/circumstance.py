"""Names the words that any report may need, whatever its matter: days, amounts, what one does.

A table made by hand, German and English. That two reports share them says little of what either is
about; a follower is not told of the one because of them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from digest.editions.keys import Text, keys_of, take_apart

_ENGLISH: Final = """
    put make find found cut raise delay expect stay say tell use want start begin end stop remain
    open close give get take bring show plan rise fall lose win need become year month week day hour
    minute monday tuesday wednesday thursday friday saturday sunday spring summer autumn winter half
    third quarter fifth million billion thousand hundred percent dollar euro cent number time people
    person home city town country state group reason part thing way one two three four five six
    seven eight nine ten eleven twelve work new
"""
_GERMAN: Final = """
    Jahr Jahre Monat Woche Tag Stunde Minute Montag Dienstag Mittwoch Donnerstag Freitag Samstag
    Sonntag Frühling Frühjahr Sommer Herbst Winter Zeit Zahl Hälfte Drittel Viertel Fünftel Million
    Milliarde Tausend Hundert Prozent Euro Dollar Cent Grund Teil Ende Anfang Mensch Leute Stadt
    Land Bund Haus Hause Arbeit Zwei Drei Vier Fünf Sechs Sieben Acht Neun Zehn Elf Zwölf
"""


@lru_cache(maxsize=1)
def circumstances() -> frozenset[str]:
    """The keys of these words, as `keys_of` gives them."""
    found = set[str]()
    for language, words in (("en", _ENGLISH), ("de", _GERMAN)):
        named = take_apart(Text(title="", body=" ".join(words.split()), language=language))
        found |= {key for key, _, _ in keys_of(named.body, language, frozenset())}
    return frozenset(found)
