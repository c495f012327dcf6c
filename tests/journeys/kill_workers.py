"""Turns wishes into running `digest` processes, and holds them as `subprocess.Popen` does."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LIMIT = 60


@dataclass
class Process:
    """A process that the launcher began."""

    pid: int
    errors: Path
    _ended: threading.Event = field(default_factory=threading.Event)
    _code: int | None = None

    def send(self, number: signal.Signals) -> None:
        if not self._ended.is_set():
            os.kill(self.pid, number)

    def kill(self) -> int:
        """Kill it, and wait until it is dead: 1, or 0 when it had ended before."""
        self.send(signal.SIGKILL)
        return int(self.wait() == -signal.SIGKILL)

    def ended(self) -> bool:
        return self._ended.is_set()

    def wait(self, seconds: float = LIMIT) -> int:
        """How it ended: its exit code, or minus the signal. Never with a trace."""
        assert self._ended.wait(seconds), f"{self.pid} still runs: {self.said()}"
        assert self._code is not None
        assert "Traceback" not in self.said(), self.said()
        assert "our own fault" not in self.said(), self.said()
        return self._code

    def end(self, code: int) -> None:
        self._code = code
        self._ended.set()

    def said(self) -> str:
        """Its standard error."""
        return self.errors.read_text(encoding="utf-8") if self.errors.exists() else ""

    def wait_until_says(self, words: str, *, seconds: float = LIMIT) -> None:
        until = time.monotonic() + seconds
        while words not in self.said():
            assert not self.ended(), self.said()
            assert time.monotonic() < until, f"no {words!r} in: {self.said()}"
            time.sleep(0.01)

    def wait_until_stopped(self, *, seconds: float = LIMIT) -> None:
        """Wait until SIGSTOP took effect."""
        until = time.monotonic() + seconds
        while Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            assert time.monotonic() < until, self.said()
            time.sleep(0.005)


class Launcher:
    """The other end of `kill_launcher.py`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._program = subprocess.Popen(  # noqa: S603 -- our own program
            [sys.executable, str(Path(__file__).with_name("kill_launcher.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._begun: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._known: dict[int, Process] = {}
        self._lock = threading.Lock()
        self._count = 0
        self._ear = threading.Thread(target=self._listen)
        self._ear.start()

    def start(self, folder: Path, *arguments: str, **wish: Any) -> Process:
        """Start `digest` with these arguments in a folder; for wishes see `kill_launcher`."""
        assert self._program.stdin is not None
        with self._lock:
            self._count += 1
            errors = self._folder / f"{self._count}.err"
            line = {"folder": str(folder), "arguments": arguments, "errors": str(errors), **wish}
            self._program.stdin.write(json.dumps(line).encode() + b"\n")
            self._program.stdin.flush()
            pid = self._begun.get(timeout=LIMIT)
            self._known[pid].errors = errors
            return self._known[pid]

    def _listen(self) -> None:
        assert self._program.stdout is not None
        for line in self._program.stdout:
            what, pid, *code = line.decode().split()
            if what == "began":
                self._known[int(pid)] = Process(int(pid), self._folder / "unknown")
                self._begun.put(int(pid))
            else:
                self._known[int(pid)].end(int(code[0]))

    def close(self) -> None:
        assert self._program.stdin is not None
        self._program.stdin.close()
        self._program.wait(LIMIT)
        self._ear.join(LIMIT)
        assert self._program.stdout is not None
        self._program.stdout.close()


@contextmanager
def launching(folder: Path) -> Iterator[Launcher]:
    """A launcher; what it still runs at the end is killed."""
    launcher = Launcher(folder)
    try:
        yield launcher
    finally:
        launcher.close()
