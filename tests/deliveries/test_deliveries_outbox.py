import errno
import hashlib
import os
from pathlib import Path

import pytest

from digest.deliveries.outbox import OutboxTransport, file_name
from digest.deliveries.transport import Transport
from digest.errors import LeaseLost, RelayAway
from digest.model.delivery import Bounced, Deferred, Sent, Uncertain
from digest.model.message import Message


def message(*, identity: str = "<1@example.org>", rcpt_to: str = "anna@example.org") -> Message:
    data = f"Message-ID: {identity}\r\nTo: {rcpt_to}\r\n\r\n.\r\n..x\r\n".encode()
    return Message(mail_from="bounce@example.org", rcpt_to=rcpt_to, data=data)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


async def test_the_file_holds_the_very_bytes(tmp_path: Path) -> None:
    outbox: Transport = OutboxTransport(tmp_path / "new" / "outbox")
    outcome = await outbox.send(message(), yes)
    await outbox.close()
    [path] = (tmp_path / "new" / "outbox").iterdir()
    assert isinstance(outcome, Sent)
    assert (outcome.reply.code, outcome.reply.text) == (250, f"written to {path}")
    assert path.read_bytes() == message().data
    assert path.suffix == ".eml"


async def test_the_same_message_again_is_the_same_file(tmp_path: Path) -> None:
    outbox = OutboxTransport(tmp_path)
    for each in (message(), message(), message(rcpt_to="b@example.org"), message(identity="<2@x>")):
        await outbox.send(each, yes)
    assert len(names(tmp_path)) == 3


def test_a_message_without_identity_is_told_by_its_bytes() -> None:
    plain = Message(mail_from="", rcpt_to="a@x.org", data=b"A: b\r\n\r\nMessage-ID: <1@x>\r\n")
    digest = hashlib.sha256(plain.data + b"\0a@x.org").hexdigest()[:32]
    assert file_name(plain) == f"{digest}.eml"


def test_a_folded_message_id_is_found() -> None:
    folded = Message(mail_from="", rcpt_to="a@x.org", data=b"message-id:\r\n <1@x>\r\nB: c\r\n\r\n")
    straight = Message(mail_from="", rcpt_to="a@x.org", data=b"Message-ID: <1@x>\r\n\r\nother\r\n")
    assert file_name(folded) == file_name(straight)


async def test_without_the_lease_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(LeaseLost):
        await OutboxTransport(tmp_path).send(message(), no)
    assert names(tmp_path) == []


async def test_intend_is_asked_before_the_file_appears(tmp_path: Path) -> None:
    seen: list[str] = []

    async def intend() -> bool:
        seen.extend(names(tmp_path))
        return True

    await OutboxTransport(tmp_path).send(message(), intend)
    assert [Path(name).suffix for name in seen] == [".tmp"]


async def test_what_intend_raises_goes_through_and_nothing_is_written(tmp_path: Path) -> None:
    async def intend() -> bool:
        raise OSError("no database")

    with pytest.raises(OSError, match="no database"):
        await OutboxTransport(tmp_path).send(message(), intend)
    assert names(tmp_path) == []


async def test_a_folder_that_is_none_is_a_relay_that_is_away(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file")
    with pytest.raises(RelayAway, match="outbox"):
        await OutboxTransport(tmp_path / "outbox").send(message(), yes)


async def test_a_name_that_is_taken_by_a_folder_defers(tmp_path: Path) -> None:
    (tmp_path / file_name(message())).mkdir()
    outcome = await OutboxTransport(tmp_path).send(message(), yes)
    assert isinstance(outcome, Deferred)
    assert (outcome.reply.code, outcome.reply.enhanced) == (451, "4.3.0")
    assert names(tmp_path) == [file_name(message())]


def failing_sync(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Let the disk fail at that call of fsync, as a broken one would."""
    calls = iter(range(1, 10))

    def fsync(_handle: int) -> None:
        if next(calls) == at:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fsync)


async def test_bytes_that_the_disk_refused_are_never_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_sync(monkeypatch, at=1)
    with pytest.raises(RelayAway, match="Input/output error"):
        await OutboxTransport(tmp_path).send(message(), yes)
    assert names(tmp_path) == []


async def test_a_name_that_the_disk_may_lose_is_uncertain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_sync(monkeypatch, at=2)
    outcome = await OutboxTransport(tmp_path).send(message(), yes)
    assert isinstance(outcome, Uncertain)
    assert names(tmp_path) == [file_name(message())]


async def test_what_smtp_would_not_carry_is_not_written(tmp_path: Path) -> None:
    outcome = await OutboxTransport(tmp_path).send(message(rcpt_to="ä@example.org"), yes)
    assert isinstance(outcome, Bounced)
    assert names(tmp_path) == []
    with pytest.raises(ValueError, match="CRLF"):
        await OutboxTransport(tmp_path).send(
            Message(mail_from="", rcpt_to="a@x.org", data=b"a\n"), yes
        )
