"""Turns newsletters.toml into one with more feeds, and loses no comment of it."""

from __future__ import annotations

import tomlkit  # noqa: F401
