"""Hands questions to a program of ours in a process of its own, which may be ended at any time.

Whatever reads what strangers wrote is run so: one that runs for ever, asks for all the memory or
falls over takes nothing else with it. It knows no secret.
"""

from __future__ import annotations

import os
import resource
import selectors
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import IO

#: the most memory that such a process may ask for, octets
MEMORY = 1 << 30
#: one that nobody needs ends by itself, after so many seconds
IDLE_SECONDS = 300.0

_LENGTH = struct.Struct(">Q")
_READY = b"ready"


class Overdue(Exception):
    """A process did not answer in time."""


class Aside:
    """A process that answers questions, one after the other."""

    def __init__(self, program: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603 -- our own program
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # our modules and nothing else: no secret of the environment is in reach of a document
            env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUTF8": "1"},
        )
        assert self._process.stdin is not None  # noqa: S101 -- both are pipes
        assert self._process.stdout is not None  # noqa: S101
        self._to: IO[bytes] = self._process.stdin
        self._from: IO[bytes] = self._process.stdout

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def ask(self, question: bytes, *, seconds: float) -> bytes:
        """The answer to a question. Raises Overdue, or OSError from one that is gone."""
        _send(self._to, question)
        return self.hear(seconds)

    def hear(self, seconds: float) -> bytes:
        """What it says; at first, that it is ready. Raises Overdue, EOFError where it is gone."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._from, selectors.EVENT_READ)
            if not selector.select(seconds):
                raise Overdue
        return _receive(self._from)

    def end(self) -> None:
        """End the process, whatever it is at."""
        self._process.kill()
        self._process.wait()
        with suppress(OSError):
            self._to.close()
        self._from.close()


def serve(answer: Callable[[bytes], bytes]) -> None:
    """Be such a process: answer what comes in until nothing does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who asked us
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    asked, said = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    _send(said, _READY)
    with selectors.DefaultSelector() as selector, suppress(EOFError, BrokenPipeError):
        selector.register(asked, selectors.EVENT_READ)
        while selector.select(IDLE_SECONDS):
            _send(said, answer(_receive(asked)))


def _send(stream: IO[bytes], message: bytes) -> None:
    stream.write(_LENGTH.pack(len(message)))
    stream.write(message)
    stream.flush()


def _receive(stream: IO[bytes]) -> bytes:
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    return _exactly(stream, length)


def _exactly(stream: IO[bytes], size: int) -> bytes:
    message = stream.read(size)
    if len(message) < size:
        raise EOFError
    return message
