"""A real IMAP server on loopback: Debian's Dovecot with a folder of its own, killed at will."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from loopback import free_port

USER, PASSWORD = "rück läufer", 'se"cret/%@ü'
#: as they stand in an address
WRITTEN = "r%C3%BCck%20l%C3%A4ufer:se%22cret%2F%25%40%C3%BC"

_names = count(1)


@dataclass
class Dovecot:
    """One server with one mailbox, a Maildir."""

    folder: Path
    port: int
    #: None: what Dovecot offers
    capability: str | None = None
    process: subprocess.Popen[bytes] | None = None

    @property
    def maildir(self) -> Path:
        return self.folder / "mail"

    def url(self, mailbox: str = "INBOX") -> str:
        return f"imap://{WRITTEN}@127.0.0.1:{self.port}/{mailbox}"

    def deliver(self, *mails: bytes) -> None:
        """Put mails into the mailbox, as a mail server does."""
        for mail in mails:
            name = f"{int(time.time())}.{next(_names):06d}.test"  # noqa: TID251 -- a file's name
            (self.maildir / "tmp" / name).write_bytes(mail)
            give(self.maildir / "tmp" / name)
            (self.maildir / "tmp" / name).rename(self.maildir / "new" / name)

    def held(self, name: str = "") -> list[bytes]:
        """The mails in the mailbox, or in a folder beside it."""
        folder = self.maildir / f".{name}" if name else self.maildir
        files = [each for sub in ("new", "cur") for each in (folder / sub).glob("*")]
        return [each.read_bytes() for each in sorted(files, key=lambda file: file.name)]

    def forget_uids(self) -> None:
        """Give the mailbox another UIDVALIDITY."""
        for each in self.maildir.rglob("dovecot*"):
            if each.is_file():
                each.unlink()

    def start(self) -> None:
        (self.folder / "dovecot.conf").write_text(self._config(), encoding="utf-8")
        self.process = subprocess.Popen(  # noqa: S603 -- Debian's own
            [found(), "-F", "-c", str(self.folder / "dovecot.conf")],
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 15
        while not self._answers():
            assert time.monotonic() < until, (self.folder / "log").read_text(encoding="utf-8")
            time.sleep(0.05)

    def kill(self) -> None:
        """End it and all its children at once."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
            self.process = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as line:
                line.settimeout(5)
                return line.recv(4) == b"* OK"
        except OSError:
            return False

    def _config(self) -> str:
        owner = lowly()
        offered = f"imap_capability = {self.capability}" if self.capability else ""
        return f"""\
base_dir = {self.folder}/run
state_dir = {self.folder}/state
log_path = {self.folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_username_chars =
default_internal_user = {owner.pw_name}
default_login_user = {owner.pw_name}
default_internal_group = {grp.getgrgid(owner.pw_gid).gr_name}
first_valid_uid = 1
mail_location = maildir:{self.maildir}
mail_fsync = never
{offered}
passdb {{
  driver = static
  args = password={PASSWORD.replace("%", "%%")}
}}
userdb {{
  driver = static
  args = uid={owner.pw_uid} gid={owner.pw_gid} home={self.folder}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {self.port}
  }}
}}
auth_failure_delay = 0 secs
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


def lowly() -> pwd.struct_passwd:
    """Whoever runs the tests; Dovecot refuses to be root."""
    return pwd.getpwuid(os.getuid()) if os.getuid() else pwd.getpwnam("nobody")


def give(*paths: Path) -> None:
    """Let them belong to the server."""
    if os.getuid() == 0:
        for each in paths:
            os.chown(each, lowly().pw_uid, lowly().pw_gid)


def found() -> str:
    """The program, or a skip that is loud."""
    program = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("no dovecot here: install Debian's dovecot-imapd")
    return program


@contextmanager
def dovecot(*, capability: str | None = None) -> Iterator[Dovecot]:
    """A server of one's own."""
    found()
    # not below pytest's own folder: the path of a socket has 107 letters at most
    folder = Path(tempfile.mkdtemp(prefix="digest-imap-"))
    folder.chmod(0o755)
    server = Dovecot(folder, free_port(), capability)
    for each in ("tmp", "new", "cur"):
        (server.maildir / each).mkdir(parents=True)
        give(server.maildir, server.maildir / each)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)
