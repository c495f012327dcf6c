"""Turns the first bytes of a picture into its size."""

from __future__ import annotations

import PIL  # noqa: F401
