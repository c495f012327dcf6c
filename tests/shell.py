"""Runs the real command in a folder of its own, as an operator does."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from digest.app import open_app
from digest.cli.main import main
from digest.jobs import join
from digest.settings import read_settings

SECRET = "a secret that is long enough for tests"
LIMIT = 60


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def __post_init__(self) -> None:
        """Whatever was asked, it is never our own fault, and never a trace."""
        assert "Traceback" not in self.err, self.err
        assert "our own fault" not in self.err, self.err

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
        return Done(ended.returncode, ended.stdout, ended.stderr)

    def call(self, *arguments: str, **environment: str) -> Done:
        """The same as `run` in this process, which spares the start of another one."""
        out, err, logger = io.StringIO(), io.StringIO(), logging.getLogger()
        kept = logger.handlers[:], logger.level, logging.getLogger("digest").level
        with pytest.MonkeyPatch.context() as patch:
            for name in [each for each in os.environ if each.startswith("DIGEST_")]:
                patch.delenv(name)
            for name, value in {**self.environment, **environment}.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["digest", *arguments])
            patch.chdir(self.folder)
            with (
                redirect_stdout(out),
                redirect_stderr(err),
                pytest.raises(SystemExit) as ended,
            ):
                main()
        logger.handlers[:] = kept[0]
        logger.setLevel(kept[1])
        logging.getLogger("digest").setLevel(kept[2])
        code = ended.value.code
        return Done(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())

    def admit(self, *names: str, frequency: str | None = None) -> None:
        """Make readers of the newsletter, as `subscribe --confirmed` does, but all at once."""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            asyncio.run(_admit(names, frequency))

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


async def _admit(names: tuple[str, ...], frequency: str | None) -> None:
    async with open_app(read_settings()) as world:
        for name in names:
            await join.admit(
                world,
                address=f"{name}@example.org",
                newsletter=world.newsletters[0],
                frequency=frequency,
                door="cli",
                detail="a test",
            )


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
