"""Turns a provider's category and what the receiving server said into one cause.

The category counts where it names a cause itself ("mailbox full"). Where it says only that a bounce
is final, what the server said counts, because providers call a refused sender a hard bounce too.
"""

from __future__ import annotations

import re
from typing import Final

from digest.deliveries.reports.causes import cause_of, find_status
from digest.model.report import Cause

_CODE: Final = re.compile(r"[45][0-9]{2}")
#: what says nothing of its own about a mailbox, so that a provider's "for good" decides
_UNSPOKEN: Final = (Cause.REFUSED, Cause.PROTOCOL)


def judge(*, code: object = None, status: str = "", text: str = "") -> Cause:
    """What the receiving server said, without any category.

    `code` is the reply code as a number or a text, `status` the enhanced one; both may be anything.
    """
    plain = isinstance(code, int | str) and _CODE.fullmatch(str(code))
    return cause_of(int(plain[0]) if plain else None, find_status(status), text)


def judge_final(*, code: object = None, status: str = "", text: str = "") -> Cause:
    """What is meant by a bounce that the provider calls final for this address."""
    said = judge(code=code, status=status, text=text)
    return Cause.GONE if said in _UNSPOKEN else said


def judge_passing(*, code: object = None, status: str = "", text: str = "") -> Cause:
    """What is meant by a failure that the provider calls temporary: never anything hard."""
    said = judge(code=code, status=status, text=text)
    return Cause.PASSING if said.hard or said in _UNSPOKEN else said


def sharpen(category: Cause, *, code: object = None, status: str = "", text: str = "") -> Cause:
    """The provider's category, or among the hard ones what the server said more exactly."""
    said = judge(code=code, status=status, text=text)
    return said if category.hard and said.hard else category


def status_in(status: str, text: str) -> str | None:
    """The enhanced status code as given or, where it is missing or x.0.0, as the text has it."""
    given = find_status(status)
    return find_status(text) or given if given is None or given.endswith(".0.0") else given
