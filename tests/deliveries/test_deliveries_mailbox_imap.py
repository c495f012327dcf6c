"""The bounce mailbox over IMAP: a real server, and servers that stall, refuse and lie."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from dovecot import PASSWORD, Dovecot, dovecot

from digest.deliveries.mailbox import Aside, Stuck, imap, open_mailbox
from digest.deliveries.mailbox.address import ImapPlace
from digest.errors import DigestError

CERTIFICATES = Path(__file__).parent / "certificates"


@pytest.fixture(scope="module")
def running() -> Iterator[Dovecot]:
    with dovecot() as one:
        yield one


@pytest.fixture
def server(running: Dovecot) -> Iterator[Dovecot]:
    """A mailbox that is empty at first."""
    yield running
    for each in running.maildir.rglob("*"):
        if each.parent.name in ("new", "cur") and each.is_file():
            each.unlink()


async def drained(url: str, to: str = Aside.PROCESSED) -> list[bytes]:
    """What is in the mailbox, when all of it was moved."""
    found = []
    async with open_mailbox(url) as mailbox:
        for name in await mailbox.names():
            data = await mailbox.read(name)
            assert isinstance(data, bytes)
            found.append(data)
            assert await mailbox.move(name, to) is None
    return found


# ------------------------------------------------------------------------ a real server


async def test_mails_are_read_whole_and_moved_aside(server: Dovecot) -> None:
    mails = [b"Subject: one\r\n\r\nhi", b"", b"\0\xff no mail \r\n at all"]
    server.deliver(*mails)
    assert await drained(server.url()) == [mails[0], b"", mails[2].replace(b"\0", b"\x80")]
    assert (server.held(), server.held("Processed")) == ([], mails)
    server.deliver(b"Subject: two\r\n\r\n")
    await drained(server.url(), Aside.UNKNOWN)
    assert len(server.held("Unknown")) == 1


async def test_only_the_beginning_of_a_long_mail_comes_over_the_line(server: Dovecot) -> None:
    server.deliver(b"Subject: long\r\n\r\n" + b"x" * 20_000_000)
    (data,) = await drained(server.url())
    assert len(data) == 1_048_576
    assert [len(each) for each in server.held("Processed")] == [20_000_017]


async def test_a_mail_that_nobody_has_read_stays_unread(server: Dovecot) -> None:
    server.deliver(b"Subject: private\r\n\r\n")
    await drained(server.url(), Aside.UNKNOWN)
    folder = server.maildir / ".Unknown"
    assert [each.name for each in folder.glob("*/*") if each.name.endswith("S")] == []


async def test_a_mail_that_is_gone_is_no_fault(server: Dovecot) -> None:
    server.deliver(b"Subject: one\r\n\r\n")
    async with open_mailbox(server.url()) as first, open_mailbox(server.url()) as second:
        (name,) = await second.names()
        await first.move(name, Aside.PROCESSED)
        assert await second.read(name) is None
        assert await second.move(name, Aside.PROCESSED) is None
    assert len(server.held("Processed")) == 1


async def test_a_folder_may_have_any_name(server: Dovecot) -> None:
    server.deliver(b"Subject: one\r\n\r\n")
    async with open_mailbox(server.url()) as mailbox:
        (name,) = await mailbox.names()
        assert await mailbox.move(name, 'R"ück & vor') is None
    assert await drained(server.url("R%22%C3%BCck%20&%20vor")) == [b"Subject: one\r\n\r\n"]


@pytest.mark.parametrize(("capability", "left"), [("IMAP4rev1 UIDPLUS", 0), ("IMAP4rev1", 1)])
async def test_where_nothing_can_be_moved_it_is_copied_first(capability: str, left: int) -> None:
    with dovecot(capability=capability) as server:
        server.deliver(b"Subject: one\r\n\r\n")
        assert len(await drained(server.url())) == 1
        assert len(server.held("Processed")) == 1
        # what a bare EXPUNGE would take along is not ours: it stays there, marked, and is passed by
        assert len(server.held()) == left
        assert await drained(server.url()) == []


async def test_a_wrong_password_is_told_and_not_shown(server: Dovecot) -> None:
    url = f"imap://anna:sesame@127.0.0.1:{server.port}/"
    with pytest.raises(DigestError, match=r"127\.0\.0\.1.*AUTHENTICATIONFAILED") as refused:
        await drained(url)
    assert "sesame" not in str(refused.value)
    assert "anna" not in str(refused.value)
    assert refused.value.__cause__ is None


async def test_a_mailbox_that_is_not_there_is_told(server: Dovecot) -> None:
    with pytest.raises(DigestError, match=r"/Nowhere: .*Nowhere") as refused:
        await drained(server.url("Nowhere"))
    assert PASSWORD not in str(refused.value)


async def test_a_killed_server_is_told_and_the_next_run_goes_on(server: Dovecot) -> None:
    server.deliver(b"Subject: one\r\n\r\n", b"Subject: two\r\n\r\n")
    with pytest.raises(DigestError, match="the next run goes on from there"):  # noqa: PT012 -- one story
        async with open_mailbox(server.url()) as mailbox:
            first, second = await mailbox.names()
            await mailbox.move(first, Aside.PROCESSED)
            server.kill()
            await mailbox.read(second)
    with pytest.raises(DigestError, match=r"Connection refused"):
        await drained(server.url())
    server.forget_uids()  # and counts anew when it is back
    server.start()
    assert await drained(server.url()) == [b"Subject: two\r\n\r\n"]
    assert len(server.held("Processed")) == 2


# ------------------------------------------------------------------------ other servers

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def talking(talk: Talk, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """The address of a server that talks like this."""
    talks: set[asyncio.Task[None]] = set()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await talk(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"{'imaps' if tls else 'imap'}://user:sesame@localhost:{port}/"
    finally:
        server.close()
        for each in talks:
            each.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


def answering(**answers: str) -> Talk:
    """A server that knows these words; it answers `OK` to any other."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        while line := (await reader.readline()).decode():
            tag, command = line.split(" ", 1)
            word = re.match(r"(?:UID )?(\w+)", command)
            assert word, line
            answer = answers.get(word[1], "{tag} OK done")
            writer.write(answer.replace("{tag}", tag).encode() + b"\r\n")
            await writer.drain()

    return talk


PLAIN = {
    "CAPABILITY": "* CAPABILITY IMAP4rev1 MOVE\r\n{tag} OK done",
    "SELECT": "* 3 EXISTS\r\n{tag} OK [READ-WRITE] done",
    "SEARCH": "* SEARCH 9 7 8\r\n{tag} OK done",
    "FETCH": "* 1 FETCH (UID 7 BODY[]<0> {2}\r\nhi)\r\n{tag} OK done",
}


async def test_the_oldest_comes_first() -> None:
    async with talking(answering(**PLAIN)) as url, open_mailbox(url) as mailbox:
        assert await mailbox.names() == ["7", "8", "9"]
        assert await mailbox.read("7") == b"hi"
        assert await mailbox.move("7", Aside.PROCESSED) is None


async def test_one_bad_mail_keeps_no_other_from_being_read() -> None:
    bad = {**PLAIN, "FETCH": "{tag} NO damaged", "MOVE": "{tag} NO [TRYCREATE] no such folder"}
    async with talking(answering(**bad)) as url, open_mailbox(url) as mailbox:
        read, moved = await mailbox.read("7"), await mailbox.move("7", Aside.PROCESSED)
        assert await mailbox.names() == ["7", "8", "9"]
    assert isinstance(read, Stuck)
    assert read.reason.endswith(": damaged")
    assert isinstance(moved, Stuck)
    assert moved.reason.endswith(": [TRYCREATE] no such folder")


async def _say_nothing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"*")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"* BYE not today\r\n")


async def _babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example ESMTP\r\n" * 3)


@pytest.mark.parametrize(
    ("talk", "why"),
    [
        (_say_nothing, "does not answer in time"),
        (_drip, "does not answer in time"),
        (_hang_up, "not today"),
        (_babble, "."),
    ],
)
async def test_no_server_keeps_us_waiting(
    talk: Talk, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "BYTE_LIMIT", 0.3)
    monkeypatch.setattr(imap, "LIMIT", 0.6)
    async with talking(talk) as url:
        begun = time.monotonic()
        with pytest.raises(DigestError, match=why) as told:
            await drained(url)
    assert time.monotonic() - begun < 3
    assert "sesame" not in str(told.value)


@pytest.mark.parametrize("word", ["SELECT", "SEARCH"])
async def test_whoever_asks_to_stop_does_not_wait_for_an_answer(word: str) -> None:
    stalled = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        until = answering(**{**PLAIN, word: "* OK still here"})
        task = asyncio.ensure_future(until(reader, writer))
        await asyncio.sleep(0.3)
        stalled.set()
        await task

    async with talking(talk) as url:
        task = asyncio.create_task(drained(url))
        await stalled.wait()
        begun = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - begun < 1


@pytest.fixture
def theirs() -> ssl.SSLContext:
    """A server with a certificate for localhost, by an authority of our own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "good.pem")
    return context


async def test_a_certificate_is_checked(
    theirs: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with talking(answering(**PLAIN), tls=theirs) as url:
        with pytest.raises(DigestError, match="its certificate is refused") as told:
            await drained(url)
        assert "sesame" not in str(told.value)
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "authority.pem"))
        assert await drained(url) == [b"hi"] * 3
    another = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    another.load_cert_chain(CERTIFICATES / "elsewhere.pem")
    async with talking(answering(**PLAIN), tls=another) as url:
        with pytest.raises(DigestError, match=r"its certificate is refused \(Hostname mismatch"):
            await drained(url)


async def test_without_encryption_no_password_leaves_this_machine(
    theirs: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    offered = {**PLAIN, "CAPABILITY": "* CAPABILITY IMAP4rev1 STARTTLS MOVE\r\n{tag} OK done"}

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        while line := (await reader.readline()).decode():
            tag, word = line.split()[:2]
            heard.append(word)
            if word == "STARTTLS":
                writer.write(f"{tag} OK go on\r\n".encode())
                await writer.start_tls(theirs)
                await answering(**PLAIN)(reader, writer)
            answer = (offered if encrypts else PLAIN).get(word, "{tag} OK done")
            writer.write(answer.replace("{tag}", tag).encode() + b"\r\n")

    monkeypatch.setattr(ImapPlace, "is_near", False)
    encrypts = False
    async with talking(listen) as url:
        with pytest.raises(DigestError, match="TLS not supported"):
            await drained(url)
        encrypts = True
        with pytest.raises(DigestError, match="its certificate is refused"):
            await drained(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "authority.pem"))
        assert await drained(url) == [b"hi"] * 3
    # all else was said behind the handshake
    assert set(heard) == {"CAPABILITY", "STARTTLS"}
