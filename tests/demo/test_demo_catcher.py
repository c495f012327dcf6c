"""The catcher keeps what arrives, byte for byte, from anybody and from many at once."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import smtplib
import socket
from datetime import UTC, datetime
from pathlib import Path

from digest.demo.catcher import MOST_BYTES, MOST_REMEMBERED, Catcher, Caught

AT = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
MAIL = (
    b"From: a@post.example\r\nSubject: Gr\xc3\xbc\xc3\x9fe\r\n\r\n"
    b".ein Punkt\r\n..zwei\r\n.\r\nLatin: \xe4\xf6\xfc NUL: \x00 LF: a\nb CR: a\rb\r\n\r\nEnde\r\n"
)


def catch(folder: Path) -> Catcher:
    return Catcher(folder, clock=lambda: AT)


def post(port: int, *recipients: str, content: bytes = MAIL) -> None:
    with smtplib.SMTP("127.0.0.1", port, local_hostname="test.example", timeout=10) as line:
        line.ehlo()
        line.mail("bounce+1@post.example")
        for recipient in recipients:
            line.rcpt(recipient)
        # smtplib's own data() would mend line ends; what is sent here is exactly what is meant
        assert line.docmd("DATA")[0] == 354
        line.send(b"\r\n".join(_double(part) for part in content.split(b"\r\n")) + b".\r\n")
        code, reply = line.getreply()
        if code != 250:
            raise smtplib.SMTPDataError(code, reply)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _double(line: bytes) -> bytes:
    return b"." + line if line.startswith(b".") else line


async def test_the_file_holds_the_bytes_as_they_were_sent(tmp_path: Path) -> None:
    async with catch(tmp_path) as catcher:
        await asyncio.to_thread(post, catcher.port, "Anna.Lang+x@leser.example", "b@leser.example")
    assert files(tmp_path) == {"0001-anna.lang+x@leser.example.eml": MAIL}
    assert list(catcher.caught) == [
        Caught(
            path=tmp_path / "0001-anna.lang+x@leser.example.eml",
            mail_from="bounce+1@post.example",
            rcpt_tos=("Anna.Lang+x@leser.example", "b@leser.example"),
            at=AT,
        )
    ]


async def test_it_offers_size_and_8bitmime_and_no_login(tmp_path: Path) -> None:
    def ask(port: int) -> dict[str, str]:
        with smtplib.SMTP("127.0.0.1", port, local_hostname="test.example", timeout=10) as line:
            line.ehlo()
            return line.esmtp_features

    async with catch(tmp_path) as catcher:
        offered = await asyncio.to_thread(ask, catcher.port)
    assert offered["size"] == str(MOST_BYTES)
    assert "8bitmime" in offered
    assert "auth" not in offered
    assert "starttls" not in offered


async def test_many_may_talk_at_once(tmp_path: Path) -> None:
    async with catch(tmp_path) as catcher:
        sends = [
            asyncio.to_thread(
                post, catcher.port, f"r{place}@leser.example", content=b"X: %d\r\n\r\n" % place
            )
            for place in range(24)
        ]
        await asyncio.gather(*sends)
    kept = {name.split("-")[1]: content for name, content in files(tmp_path).items()}
    assert kept == {f"r{place}@leser.example.eml": b"X: %d\r\n\r\n" % place for place in range(24)}
    numbers = sorted(int(name.split("-")[0]) for name in files(tmp_path))
    assert numbers == list(range(1, 25))


async def test_numbers_go_on_where_an_earlier_run_ended(tmp_path: Path) -> None:
    (tmp_path / "0041-old@leser.example.eml").write_bytes(b"old")
    async with catch(tmp_path) as catcher:
        await asyncio.to_thread(post, catcher.port, "new@leser.example")
    assert files(tmp_path) == {
        "0041-old@leser.example.eml": b"old",
        "0042-new@leser.example.eml": MAIL,
    }


async def test_an_address_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    async with catch(tmp_path / "mail") as catcher:
        await asyncio.to_thread(post, catcher.port, '"../../x y"@leser.example')
    assert files(tmp_path / "mail") == {"0001-_.._.._x_y_@leser.example.eml": MAIL}


async def test_too_large_a_mail_is_refused_and_the_next_is_taken(tmp_path: Path) -> None:
    def post_both(port: int) -> int:
        try:
            post(port, "a@leser.example", content=b"0123456789\r\n" * (MOST_BYTES // 12 + 1))
        except smtplib.SMTPDataError as refused:
            post(port, "b@leser.example")
            return refused.smtp_code
        return 0

    async with catch(tmp_path) as catcher:
        assert await asyncio.to_thread(post_both, catcher.port) == 552
    assert files(tmp_path) == {"0001-b@leser.example.eml": MAIL}


async def test_a_mail_that_cannot_be_kept_is_deferred_not_lost(tmp_path: Path) -> None:
    def post_and_see(port: int) -> int:
        try:
            post(port, "a@leser.example")
        except smtplib.SMTPDataError as deferred:
            return deferred.smtp_code
        return 0

    async with catch(tmp_path / "mail") as catcher:
        await asyncio.to_thread(shutil.rmtree, tmp_path / "mail")
        assert await asyncio.to_thread(post_and_see, catcher.port) == 451
    assert list(catcher.caught) == []


async def test_closing_does_not_wait_for_those_who_stay_connected(tmp_path: Path) -> None:
    async with asyncio.timeout(5):
        async with catch(tmp_path) as catcher:
            idle = await asyncio.to_thread(socket.create_connection, ("127.0.0.1", catcher.port), 5)
            assert (await asyncio.to_thread(idle.recv, 200)).startswith(b"220 ")
    with idle, contextlib.suppress(ConnectionResetError):  # hanging up may look like either
        assert await asyncio.to_thread(idle.recv, 200) == b""


async def test_it_remembers_a_bounded_number(tmp_path: Path) -> None:
    catcher = catch(tmp_path)
    assert catcher.caught.maxlen == MOST_REMEMBERED == 1000
