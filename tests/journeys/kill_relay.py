"""Turns what is said to an SMTP server on loopback into a record of who got what; never forgets.

It tells whoever listens of each moment of a message, before anything else happens, so that a
process can be ended at exactly that moment. What a client poured before it died is still read, and
a message whose final dot came is kept, as a real server does it.
"""

from __future__ import annotations

import hashlib
import re
import socket
import socketserver
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

#: every moment of a message that a server can see, in order
MOMENTS = (
    *("greeting", "EHLO", "MAIL", "RCPT", "DATA", "body"),
    *("dot come", "dot kept", "dot answered", "RSET", "QUIT"),
)


class HangUp(Exception):
    """Raised by who listens: the server cuts the connection, and forgets what it read."""


@dataclass(frozen=True)
class Taken:
    """A message that the server answers for."""

    edition: str
    to: str
    message_id: str
    #: a hash of all its bytes
    bytes: str


@dataclass
class Recorder:
    """A mail server that keeps a record; set any of it at any time."""

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    #: seconds between keeping a message and saying so: here a kill makes a copy
    delay: float = 0
    #: so many messages are answered at once, before the delay begins
    prompt: int = 0
    #: what RCPT TO is answered, by address
    at_rcpt: dict[str, str] = field(default_factory=dict)
    #: called with a moment, and with the how-manieth of its kind it is
    on_moment: Callable[[str, int], None] = lambda _moment, _number: None
    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def calm(self) -> None:
        """Call nobody any more."""
        self.on_moment = lambda _moment, _number: None

    def forget(self) -> None:
        """Begin a new record, and call nobody any more."""
        self.calm()
        with self.lock:
            self.taken, self.counts = [], Counter()

    def moment(self, name: str) -> None:
        with self.lock:
            self.counts[name] += 1
            number = self.counts[name]
        self.on_moment(name, number)

    def keep(self, mail: Taken) -> None:
        with self.lock:
            self.taken.append(mail)

    @property
    def people(self) -> Counter[tuple[str, str]]:
        """How often each person got each edition."""
        with self.lock:
            return Counter((mail.edition, mail.to) for mail in self.taken)

    @property
    def copies(self) -> int:
        return len(self.taken) - len(self.people)

    @property
    def ids_per_person(self) -> int:
        """The most Message-IDs, or different bytes, that a person has of one edition."""
        forms: dict[tuple[str, str], set[tuple[str, str]]] = {}
        for mail in self.taken:
            forms.setdefault((mail.edition, mail.to), set()).add((mail.message_id, mail.bytes))
        assert len({mail.message_id for mail in self.taken}) >= len(forms), "people share an id"
        return max(map(len, forms.values()), default=0)

    def wait_for(self, name: str, number: int, *, seconds: float = 20) -> None:
        """Wait until this moment came so many times."""
        until = time.monotonic() + seconds
        while self.counts[name] < number:
            assert time.monotonic() < until, f"{self.counts[name]} of {number} times {name}"
            time.sleep(0.005)


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64
    recorder: Recorder

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet: clients are killed here."""


class _Talk(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self.recorder = cast("_Listener", self.server).recorder
        self.to = ""
        self.recorder.moment("greeting")
        self.say("220 relay.example ESMTP")
        while line := self.rfile.readline():
            if not self.obey(line.decode("ascii", "replace").strip()):
                return

    def say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")

    def obey(self, line: str) -> bool:
        verb = line.partition(" ")[0].upper()
        if verb in MOMENTS:
            self.recorder.moment(verb)
        match verb:
            case "EHLO":
                self.say("250-relay.example\r\n250 SIZE 0")
            case "MAIL" | "RSET":
                self.say("250 2.0.0 ok")
            case "RCPT":
                self.to = line.partition("<")[2].partition(">")[0]
                self.say(self.recorder.at_rcpt.get(self.to, "250 2.1.5 ok"))
            case "DATA":
                self.say("354 go on")
                return self.take()
            case "QUIT":
                self.say("221 2.0.0 bye")
                return False
            case _:
                self.say("502 5.5.1 no")
        return True

    def take(self) -> bool:
        """Read a message to its final dot; False when the client went away before it."""
        lines: list[bytes] = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line.endswith(b"\n"):
                return False
            lines.append(line)
            if len(lines) == 1:
                self.recorder.moment("body")
        self.recorder.moment("dot come")
        if self.to not in self.recorder.at_rcpt:
            self.recorder.keep(_read(self.to, b"".join(lines)))
        self.recorder.moment("dot kept")
        if len(self.recorder.taken) > self.recorder.prompt:
            time.sleep(self.recorder.delay)
        self.say("250 2.0.0 taken")
        self.recorder.moment("dot answered")
        return True


def _read(to: str, data: bytes) -> Taken:
    def value(name: bytes) -> str:
        found = re.search(rb"(?mi)^" + name + rb": *(\S+)", data)
        assert found, data[:2000]
        return found[1].decode()

    return Taken(
        edition=value(b"Feedback-ID").partition(":")[0],
        to=to,
        message_id=value(b"Message-ID"),
        bytes=hashlib.sha256(data).hexdigest(),
    )


@contextmanager
def recording(recorder: Recorder) -> Iterator[Recorder]:
    """Let this server listen on loopback, at any free port."""
    server = _Listener(("127.0.0.1", 0), _Talk)
    server.recorder = recorder
    recorder.port = server.socket.getsockname()[1]
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
