"""Turns a list of phrases, one a line, into one pattern that finds any of them."""

from __future__ import annotations

import re


def any_of(phrases: str, **words: str) -> re.Pattern[str]:
    """A pattern that matches each line of `phrases`, whatever its case.

    A line is a regular expression without nested repetition, so that a search takes time linear in
    the text. `<name>` stands for the words of that name, one a line too; `#` begins a comment, and
    `~` at an end stands for a space there.
    """
    for name, choices in words.items():
        phrases = phrases.replace(f"<{name}>", f"(?:{'|'.join(_lines(choices))})")
    return re.compile("|".join(_lines(phrases)), re.IGNORECASE)


def _lines(text: str) -> list[str]:
    lines = (line.strip() for line in text.split("\n"))
    return [re.sub(r"^~|~$", " ", line) for line in lines if line and not line.startswith("# ")]
