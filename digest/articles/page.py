"""Turns the page of an article into what its feed left out: the text, a picture, a language."""

from __future__ import annotations

import trafilatura  # noqa: F401
