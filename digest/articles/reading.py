"""Turns a text into how many words it has, also where words are not parted by spaces."""

from __future__ import annotations

import re

# Han, kana, Bopomofo: read at about 500 characters a minute where others read 200 words.
_IDEOGRAPHS = re.compile(
    "[\u3005-\u3007\u3041-\u3096\u30a1-\u30fa\u3105-\u312f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9d\U00020000-\U0003ffff]"
)
_A_WORD = 2.5
# Thai, Lao, Burmese, Khmer: no spaces between words of about five characters.
_RUNS = re.compile("[\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ede\u1000-\u109f\u1780-\u17dd]+")
_A_RUN_WORD = 5


def count_words(text: str) -> int:
    """How many words of a language with spaces take as long to read as `text`."""
    ideographs = len(_IDEOGRAPHS.findall(text))
    if ideographs:
        text = _IDEOGRAPHS.sub(" ", text)
    words = ideographs / _A_WORD
    runs = sum(map(len, _RUNS.findall(text)))
    if runs:
        text = _RUNS.sub(" ", text)
        words += runs / _A_RUN_WORD
    spaced = sum(any(map(str.isalnum, word)) for word in text.split())
    return round(words) + spaced
