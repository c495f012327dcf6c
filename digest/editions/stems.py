"""Turns a text into the stems of its words, German or English, and finds a phrase in it.

It knows words, never what they mean. The only place that knows the stemmer.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final

import snowballstemmer  # type: ignore[import-untyped]

#: what of a text, in characters, and of a word is read; nobody writes more that says more
_LONGEST_TEXT: Final = 100_000
_LONGEST_WORD: Final = 60
#: up to so many capitals are an abbreviation and are compared as they stand: "IT" is not "it"
_ABBREVIATION: Final = 3
#: so many more stop words of one language than of the other outweigh a feed's language tag
_PLAIN: Final = 4
#: so many words are enough to guess a language
_GUESSED: Final = 200

_NUMBER: Final = r"\d+(?:[.,]\d+)+"
_WORD: Final = r"[^\W_]+(?:['’][^\W_]+)*"  # noqa: RUF001 -- the apostrophe that people write
_PART: Final = re.compile(f"{_NUMBER}|{_WORD}")
#: words joined by hyphens of any kind are one compound
_COMPOUND: Final = re.compile(f"(?:{_NUMBER}|{_WORD})(?:[-‐‑](?:{_NUMBER}|{_WORD}))*")  # noqa: RUF001
_POSSESSIVE: Final = re.compile("['’]s?$")  # noqa: RUF001
_ALGORITHMS: Final = {"de": "german", "en": "english"}
_SPELLED: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe"})

_GERMAN_WORDS: Final = """
    aber alle allem allen aller alles als also am an ander andere anderen anderem anderer anderes
    anders auch auf aus ausser bei beim bereits bin bis bisher bist da dabei dadurch dafuer dagegen
    daher damit dann daran darauf daraus darf darin darueber das dass dazu dein deine dem demnach
    den denen denn der deren des deshalb dessen dich die dies diese diesem diesen dieser dieses
    doch dort du durch duerfen ein eine einem einen einer eines einige einigen einmal er erst es
    etwa etwas euch euer fuer ganz gar gegen gegenueber gibt habe haben hat hatte hatten hier hin
    hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer ihres im immer in indem ins ist ja je jede
    jedem jeden jeder jedes jedoch jetzt kann kein keine keinem keinen keiner koennen koennte
    koennten laut man manche mehr mein mich mir mit mittlerweile moechte muessen muss musste nach
    nachdem neben nicht nichts noch nun nur ob obwohl oder ohne rund schon sehr sei seien sein
    seine seinem seinen seiner seines seit seitdem selbst sich sie sind so sogar solche soll sollen
    sollte sollten sondern sonst sowie statt trotz ueber um und uns unser unsere unter viel viele
    vielen vom von vor waehrend war waere waren warum was wegen weil weiter weitere weiteren welche
    welchem welchen welcher welches wenn wer werde werden wie wieder will wir wird wo wollen worden
    wurde wurden wuerde wuerden zu zum zur zwar zwischen zunaechst
"""
_ENGLISH_WORDS: Final = """
    a about above after again against all almost along already also although always am among an and
    another any are aren't around as at be became because been before being below between both but
    by can can't cannot could did didn't do does doesn't doing don't down during each either else
    even ever every few for from further get gets had has hasn't have haven't having he her here
    hers him himself his how however i if in instead into is isn't it it's its itself just let like
    made make makes many may me might more most much must my neither no nor not now of off on once
    one only onto or other others our out over own per rather said same say says she should since
    so some still such than that the their them then there these they this those though through to
    too toward towards under until up upon us very via was wasn't we were weren't what when where
    whether which while who whom whose why will with within without won't would wouldn't yet you
    your
"""
_GERMAN: Final = frozenset(_GERMAN_WORDS.split())
_ENGLISH: Final = frozenset(_ENGLISH_WORDS.split())
_STOP: Final = _GERMAN | _ENGLISH


@dataclass(frozen=True, slots=True, kw_only=True)
class Stemmed:
    """A text as words: `words` as they stand, `stems` one for each of them, both in order.

    The parts of a hyphenated compound are words of their own; `compounds` says from where to where
    (as places in `words`) each one reaches. `language` is "de", "en" or None for neither.
    """

    words: tuple[str, ...]
    stems: tuple[str, ...]
    compounds: tuple[tuple[int, int], ...] = ()
    language: str | None = None
    #: the text ends with an asterisk: as a phrase, its last word may go on
    open_end: bool = False


def read(text: str, language: str | None) -> Stemmed:
    """The words and stems of a text; of its first 100,000 characters, if it is longer.

    `language` is a tag such as "de-AT". Where it is None, or plainly wrong, the stop words decide;
    words of another language are compared as they are written.
    """
    return split(text, language_of(text, language))


def split(text: str, language: str | None) -> Stemmed:
    """As `read`, where the language, "de", "en" or None for neither, is settled already."""
    text = unicodedata.normalize("NFC", text[:_LONGEST_TEXT])
    words: list[str] = []
    compounds: list[tuple[int, int]] = []
    for found in _COMPOUND.finditer(text):
        start = len(words)
        words += (_bare(part) for part in _PART.findall(found[0]))
        if len(words) > start + 1:
            compounds.append((start, len(words)))
    return Stemmed(
        words=tuple(words),
        stems=tuple(stem(each, language) for each in words),
        compounds=tuple(compounds),
        language=language,
        open_end=text.rstrip().endswith("*"),
    )


def holds(text: Stemmed, phrase: Stemmed, *, prefix: bool = False) -> bool:
    """Whether the words of the phrase stand in the text, whole and one after the other.

    The phrase is stemmed as the text is; in a text of unknown language both stemmers may find it.
    With `prefix`, or where the phrase was written with a trailing asterisk, its last word may go on
    in the text. A phrase without words stands nowhere.
    """
    if not phrase.words:
        return False
    if prefix or phrase.open_end:
        return _holds_open(text, phrase)
    languages = (text.language,) if text.language else ("de", "en")
    return any(_holds_in(text, phrase, language) for language in languages)


def stems(text: str, language: str | None) -> tuple[str, ...]:
    """The stems of all words in order; a hyphenated compound gives its whole, then its parts."""
    return tuple(found for _, found in _all(read(text, language)))


def content_stems(text: str, language: str | None) -> tuple[str, ...]:
    """The stems without those of stop words, German and English."""
    return tuple(found for word, found in _all(read(text, language)) if not is_stop_word(word))


def guess_language(text: str) -> str | None:
    """The language of a text by its stop words: "de", "en", or None where they do not say."""
    lead = _german_lead(text[:_LONGEST_TEXT])
    return "de" if lead > 0 else "en" if lead < 0 else None


def language_of(text: str, language: str | None) -> str | None:
    """The language that a text is stemmed in: "de", "en", or None where it is neither.

    `language` is what its feed says, a tag such as "de-AT" or None; stop words outweigh it where
    they are many, for there are many German feeds that say "en".
    """
    lead = _german_lead(text[:_LONGEST_TEXT])
    guess = "de" if lead > 0 else "en" if lead < 0 else None
    if language is None:
        return guess
    told = language.casefold().replace("_", "-").partition("-")[0]
    if told in _ALGORITHMS:
        return guess if abs(lead) >= _PLAIN else told
    return None


def is_stop_word(word: str) -> bool:
    """Whether a word, as it stands in a text, says nothing about what the text is about."""
    return fold(word) in _STOP and (len(word) == 1 or not is_abbreviation(word))


def is_abbreviation(word: str) -> bool:
    """Up to three capitals and nothing else: KI, EU, IT."""
    return len(word) <= _ABBREVIATION and word.isalpha() and word.isupper()


@lru_cache(maxsize=65_536)
def fold(word: str) -> str:
    """A word without case and accents, umlauts spelled out, numbers as English writes them."""
    if word[0].isdigit() and ("," in word or "." in word):
        return _number(word)
    spelled = word[:_LONGEST_WORD].casefold().replace("’", "'").translate(_SPELLED)  # noqa: RUF001
    if spelled.isascii():
        return spelled
    apart = unicodedata.normalize("NFKD", spelled)
    return unicodedata.normalize("NFC", "".join(c for c in apart if not unicodedata.combining(c)))


@lru_cache(maxsize=65_536)
def stem(word: str, language: str | None) -> str:
    """The stem of one word; of an abbreviation and of a language we do not know, the word."""
    if is_abbreviation(word):
        return word
    folded = fold(word)
    algorithm = _ALGORITHMS.get(language or "")
    if algorithm is None or any(map(str.isdigit, folded)):
        return folded
    # a stemmer keeps what it works on in itself: one for each word, so that threads may share us
    return str(snowballstemmer.stemmer(algorithm).stemWord(folded))


def _bare(word: str) -> str:
    """The word without a possessive; the plural of an abbreviation (LLMs) without its s."""
    word = _POSSESSIVE.sub("", word[:_LONGEST_WORD])
    if word[-1:] == "s" and len(word) > 2 and is_abbreviation(word[:-1]):  # noqa: PLR2004 -- not "As"
        return word[:-1]
    return word


def _number(word: str) -> str:
    """3,5 as 3.5, and 1.200 as 1200: three digits after a separator are thousands."""
    parts = re.split("[.,]", word[:_LONGEST_WORD])
    if all(len(part) == 3 for part in parts[1:]) and parts[0] != "0":  # noqa: PLR2004 -- thousands
        return "".join(parts)
    if len(parts) > 2 and len(parts[-1]) != 3 and all(len(part) == 3 for part in parts[1:-1]):  # noqa: PLR2004 -- 1.200,50
        return "".join(parts[:-1]) + "." + parts[-1]
    return ".".join(parts)


def _german_lead(text: str) -> int:
    """How many more German stop words than English ones stand in the first words of a text."""
    found = islice(_PART.finditer(text), _GUESSED)
    words = [
        each[0].casefold().translate(_SPELLED) for each in found if len(each[0]) < _LONGEST_WORD
    ]
    return sum((each in _GERMAN) - (each in _ENGLISH) for each in words)


def _all(text: Stemmed) -> list[tuple[str, str]]:
    """Each word with its stem, the wholes of compounds before their parts."""
    pairs = list(zip(text.words, text.stems, strict=True))
    for start, end in reversed(text.compounds):
        whole = "".join(text.words[start:end])
        pairs.insert(start, (whole, stem(whole, text.language)))
    return pairs


def _holds_in(text: Stemmed, phrase: Stemmed, language: str) -> bool:
    sought = tuple(stem(each, language) for each in phrase.words)
    held = text.stems
    if language != text.language:
        held = tuple(stem(each, language) for each in text.words)
    first, size = sought[0], len(sought)
    if first in held and any(
        held[at : at + size] == sought for at, found in enumerate(held) if found == first
    ):
        return True
    # "E-Mail" and "Email" are one word
    joined = {stem("".join(text.words[start:end]), language) for start, end in text.compounds}
    if size == 1:
        return first in joined
    if phrase.compounds != ((0, size),):
        return False
    whole = stem("".join(phrase.words), language)
    return whole in held or whole in joined


def _holds_open(text: Stemmed, phrase: Stemmed) -> bool:
    """As `holds`, where the last word is only the beginning of one."""
    *before, last = phrase.words
    begin = last if is_abbreviation(last) else fold(last)
    places = range(len(before), len(text.words))
    for at in places:
        word = text.words[at]
        if not (word if is_abbreviation(last) else fold(word)).startswith(begin):
            continue
        lead = text.words[at - len(before) : at]
        for language in (text.language,) if text.language else ("de", "en"):
            if [stem(each, language) for each in lead] == [stem(each, language) for each in before]:
                return True
    return False
