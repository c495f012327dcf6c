"""A picture that we made of a stranger's, and why there is none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrawn:
    """A picture as we serve it: a JPEG with nothing in it but what is seen. Sizes in pixels."""

    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPicture:
    """There is none to serve; `reason` is one line for the operator."""

    reason: str
