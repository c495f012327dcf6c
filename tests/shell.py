"""Runs the real command in a folder of its own, as an operator does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECRET = "a secret that is long enough for tests"
LIMIT = 60


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on standard output; fails where there is anything else."""
        return json.loads(self.out)

    @property
    def complaint(self) -> str:
        """The one line on standard error; fails where there are more, or a traceback."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


@dataclass(frozen=True)
class Desk:
    """A folder with `.env` and `newsletters.toml`, and the command."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def set_up(self, *feeds: str, **settings: object) -> None:
        """Write both files: one newsletter of these feeds, settings without their prefix."""
        ours = {
            "secret_key": SECRET,
            "smtp_host": "127.0.0.1",
            "smtp_connections": 4,
            "feed_allow_private": "true",
            **settings,
        }
        lines = [f"DIGEST_{name.upper()}={value}" for name, value in ours.items()]
        (self.folder / ".env").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (self.folder / "newsletters.toml").write_text(newsletters(*feeds), encoding="utf-8")

    def run(self, *arguments: str, cwd: Path | None = None, **environment: str) -> Done:
        """Run the command to its end."""
        ended = subprocess.run(  # noqa: S603 -- our own program
            [sys.executable, "-m", "digest", *arguments],
            cwd=cwd or self.folder,
            env=self._environment(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=LIMIT,
            check=False,
        )
        assert "Traceback" not in ended.stderr, ended.stderr
        return Done(ended.returncode, ended.stdout, ended.stderr)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start the command; whoever calls ends it."""
        return subprocess.Popen(  # noqa: S603 -- our own program
            [sys.executable, "-m", "digest", *arguments],
            cwd=self.folder,
            env=self._environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def _environment(self, more: dict[str, str]) -> dict[str, str]:
        bare = {name: value for name, value in os.environ.items() if not name.startswith("DIGEST_")}
        return {**bare, **self.environment, **more}


def newsletters(*feeds: str, more: str = "") -> str:
    """A newsletters.toml with one newsletter in two rhythms."""
    urls = ", ".join(json.dumps(each) for each in feeds)
    return f"""\
[[newsletter]]
slug = "stadtblatt"
title = "Stadtblatt am Morgen"
sender = "Stadtblatt <post@stadtblatt.example>"
language = "de"
timezone = "Europe/Berlin"
address = "Stadtblatt, Am Markt 1, 12345 Beispielstadt"
feeds = [{urls}]
{more}
[newsletter.schedules]
daily = "0 7 * * *"
weekly = "0 7 * * mon"
"""
