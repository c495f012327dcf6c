"""Turns strangers' HTML into the few elements that we keep."""

from __future__ import annotations

import nh3  # noqa: F401
