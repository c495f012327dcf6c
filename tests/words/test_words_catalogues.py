"""Every word that a reader sees is there in every language."""

from __future__ import annotations

import gettext
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from digest.words import LOCALES, languages, say_rhythm, translations

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from babel.messages.catalog import Catalog

ROOT = LOCALES.parent.parent.parent
_PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]")


def catalogue(language: str) -> Catalog:
    with (LOCALES / language / "LC_MESSAGES" / "digest.po").open("rb") as file:
        return read_po(file, locale=language)


@pytest.fixture(scope="module")
def used() -> set[str]:
    """What code and templates say, as Babel finds it."""
    read: Callable[..., Any] = parse_mapping_cfg
    methods, options = read(io.StringIO((ROOT / "babel.cfg").read_text("utf-8")))
    found = extract_from_dir(str(ROOT), methods, options)
    return {forms(message)[0] for _, _, message, _, _ in found}


def forms(said: str | Sequence[str] | None) -> tuple[str, ...]:
    """A message as all its forms: singular and plural, or the only one."""
    return (said,) if isinstance(said, str) else tuple(said or ())


def test_german_has_every_message(used: set[str]) -> None:
    german = {forms(message.id)[0]: forms(message.string) for message in catalogue("de")}
    assert [key for key in used if not all(german.get(key, ("",)))] == []


def test_the_extraction_sees_templates_and_code(used: set[str]) -> None:
    assert {"At a glance", "Please confirm: %(title)s", "[Test] %(subject)s", "weekly"} <= used


@pytest.mark.parametrize("language", ["de", "en"])
def test_no_catalogue_holds_what_nobody_says(language: str, used: set[str]) -> None:
    assert {forms(message.id)[0] for message in catalogue(language) if message.id} == used


def test_a_translation_keeps_its_placeholders() -> None:
    for message in catalogue("de"):
        if message.id:
            # the last form: a singular may say "ein" for the number
            said, meant = forms(message.string)[-1], forms(message.id)[-1]
            assert sorted(_PLACEHOLDER.findall(said)) == sorted(_PLACEHOLDER.findall(meant))


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_compiled_words_are_those_of_the_catalogue(language: str) -> None:
    fresh = io.BytesIO()
    write_mo(fresh, catalogue(language))
    fresh.seek(0)
    expected, found = gettext.GNUTranslations(fresh), translations(language)
    for message in catalogue(language):
        if message.id:
            key = forms(message.id)[0]
            assert found.gettext(key) == expected.gettext(key)
            assert found.ngettext(key, key, 2) == expected.ngettext(key, key, 2)


def test_both_languages_are_there() -> None:
    assert languages() == ("de", "en")
    assert all(Path(LOCALES / language).is_dir() for language in languages())


@pytest.mark.parametrize(
    ("language", "said"),
    [("de", "Impressum"), ("de-AT", "Impressum"), ("de_CH", "Impressum"), ("DE", "Impressum"),
     ("en", "Imprint"), ("xx", "Imprint"), ("", "Imprint"), ("../de", "Imprint")],
)  # fmt: skip
def test_the_nearest_language_speaks(language: str, said: str) -> None:
    assert translations(language).gettext("Imprint") == said


def test_known_rhythms_are_translated_and_others_left_alone() -> None:
    assert say_rhythm("daily", "de") == "täglich"
    assert say_rhythm("daily", "en") == "daily"
    assert say_rhythm("Jeden Vollmond", "de") == "Jeden Vollmond"
