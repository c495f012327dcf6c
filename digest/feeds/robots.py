"""Turns a site's robots.txt into leave or refusal (RFC 9309)."""

from __future__ import annotations

import protego  # noqa: F401
