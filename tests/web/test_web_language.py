from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.web.language import choose_language


@pytest.mark.parametrize(
    ("asked", "accepted", "chosen"),
    [
        (None, "", "de"),
        (None, "en", "en"),
        (None, "en-US,en;q=0.9,de;q=0.8", "en"),
        (None, "fr-FR,fr;q=0.9,en;q=0.3,de;q=0.5", "de"),
        (None, "de;q=0.5,en;q=0.5", "de"),
        (None, "en;q=0.5,de;q=0.5", "en"),
        (None, "en;q=0", "de"),
        (None, "en;q=nonsense", "de"),
        (None, "en;q=inf,de;q=0.1", "de"),
        (None, "*", "de"),
        (None, "," * 999 + "en", "de"),
        ("en", "de", "en"),
        ("EN_gb", "de", "en"),
        ("tlh", "en", "en"),
        ("", "en", "en"),
    ],
)
def test_the_language_is_the_one_asked_for_else_the_best_accepted_else_the_newsletters(
    asked: str | None, accepted: str, chosen: str
) -> None:
    assert choose_language(asked, accepted, otherwise="de") == chosen


@given(st.text(max_size=80), st.text(alphabet="den-;q=.0159,* ", max_size=60))
def test_whatever_a_browser_sends_a_language_that_we_speak_comes_out(
    asked: str, accepted: str
) -> None:
    assert choose_language(asked, accepted, otherwise="de") in {"de", "en"}
