"""Encoded texts arrive as they were, in lines that nothing on the way has a reason to change."""

from __future__ import annotations

import quopri
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.messages.quoted import encode, encode_passage, encode_value
from digest.messages.sign import relaxed_body

#: what makes lines long, empty, tempting
PIECES = st.sampled_from(
    [".", "\t", " ", "  ", "a", "ä", "=", "\n", "\r\n", "\r", "From ", "x" * 30, "x" * 74, "€", "F"]
)
TEXTS = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=200)
VALUES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=120)


def read(encoded: bytes) -> str:
    return re.sub(r"\r\n|\r", "\n", quopri.decodestring(encoded).decode())


def normal(text: str) -> str:
    return re.sub(r"\r\n|\r", "\n", text.encode("utf-8", "replace").decode())


def check_lines(encoded: bytes) -> None:
    assert encoded.isascii()
    for line in encoded.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
        assert b"  " not in line
        assert b"\t" not in line
        assert not re.search(rb"[\r\n]", line)


@given(TEXTS)
@example("x" * 74 + " ")
@example("y" * 75 + ". " + "." * 80)
@example("." * 200)
@example("From here\nFrom there")
@example("a" * 70 + "  " + "b" * 10)
def test_any_text_arrives_in_lines_that_tempt_nobody(text: str) -> None:
    encoded = encode(text)
    assert read(encoded) == normal(text)
    check_lines(encoded)


@given(st.lists(TEXTS, min_size=1, max_size=5), st.lists(VALUES, min_size=4, max_size=4))
@example(["a", "b"], ["v" * 75, "", "", ""])
@example(["a", "\nb"], ["." + "v" * 90, "", "", ""])
def test_a_passage_is_its_pieces_whatever_the_values(
    literals: list[str], values: list[str]
) -> None:
    passage = [literals[0]]
    for value, literal in zip(values, literals[1:], strict=False):
        passage += [value, literal]
    encoded = b"".join(pieces := encode_passage(passage))
    passage[-1] = passage[-1].rstrip("\r\n")
    assert read(encoded).removesuffix("\n") == normal("".join(passage))
    check_lines(encoded)
    assert relaxed_body(b"-\r\n" + encoded + b"-\r\n") == b"-\r\n" + encoded + b"-\r\n"
    assert pieces[1::2] == [encode_value(value) for value in passage[1::2]]


@pytest.mark.parametrize("length", [1, 74, 75, 76, 77, 150, 400])
def test_a_value_leaves_room_for_the_break_behind_it(length: int) -> None:
    for value in ("v" * length, "=" * length, "." * length, "ä" * length):
        encoded = encode_value(value) + b"=\r\n"
        check_lines(encoded)
        assert read(encoded) == value
