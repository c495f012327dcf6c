"""The bounce mailbox: its address, which is never shown, and a Maildir, which loses nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from digest.deliveries.mailbox import Aside, Stuck, open_mailbox, phrases, read_address
from digest.deliveries.mailbox.address import ImapPlace, MaildirPlace
from digest.errors import DigestError, SettingsError


def maildir(folder: Path, *mails: bytes) -> Path:
    for each in ("tmp", "new", "cur"):
        (folder / each).mkdir(parents=True)
    for number, mail in enumerate(mails):
        (folder / "new" / f"17000000{number:02d}.a.host").write_bytes(mail)
    return folder


# -------------------------------------------------------------------------------- address


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("maildir:/var/mail/x", "maildir:/var/mail/x"),
        ("maildir:///var/mail/x", "maildir:/var/mail/x"),
        ("maildir:mail", "maildir:mail"),
        ("imaps://u:p@mail.example", "imaps://mail.example:993/INBOX"),
        ("IMAPS://u:p@mail.example:4993/Back/Now", "imaps://mail.example:4993/Back/Now"),
        ("imap://u:p@[::1]/", "imap://[::1]:143/INBOX"),
        ("imaps://u:p@müll.example/", "imaps://xn--mll-hoa.example:993/INBOX"),
    ],
)
def test_an_address_names_a_place(text: str, shown: str) -> None:
    assert str(read_address(text)) == shown


def test_user_and_password_are_decoded_and_never_shown() -> None:
    place = read_address("imaps://user%40mail.example:pa%2Fss%25word@mail.example/")
    assert isinstance(place, ImapPlace)
    assert (place.username, place.password) == ("user@mail.example", "pa/ss%word")
    for said in (repr(place), str(place), f"{place}"):
        assert "pa/ss" not in said
        assert "user" not in said.replace("username", "")


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "mail",
        "/var/mail/x",
        "maildir:",
        "pop3://user:sesame@mail.example/",
        "imaps://mail.example/",
        "imaps://sesame@mail.example/",
        "imaps://user:@mail.example/",
        "imaps://user:sesame@/",
        "imaps://user:se/same@mail.example/",
        "imaps://user:se#same@mail.example/",
        "imaps://user:se?same@mail.example/",
        "imaps://user:se@same@mail.example:x/",
        "imaps://user:sesame@mail.example:99999/",
        "imaps://user:ses%0d%0aame@mail.example/",
        "imaps://user:sesame@mail.example/IN%00BOX",
        "imaps://user:sesame@[mail.example/",
    ],
)
def test_what_is_no_address_is_refused_without_a_word_of_it(text: str | None) -> None:
    with pytest.raises(SettingsError, match=r"DIGEST_BOUNCE_MAILBOX") as refused:
        read_address(text)
    assert "same" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("host", "near"),
    [("localhost", True), ("127.0.0.2", True), ("::1", True), ("mail.example", False),
     ("10.0.0.1", False), ("127.0.0.1.example", False)],
)  # fmt: skip
def test_only_this_machine_is_near(host: str, *, near: bool) -> None:
    place = ImapPlace(host=host, port=143, tls=False, username="u", password="p")
    assert place.is_near is near


def test_names_and_words_of_imap() -> None:
    assert phrases.quoted('Rück & "läufer"\\') == r'"R&APw-ck &- \"l&AOQ-ufer\"\\"'
    assert phrases.quoted("日本語/x") == '"&ZeVnLIqe-/x"'
    assert phrases.namespace_in('(("INBOX." ".")) NIL NIL') == ("INBOX.", ".")
    assert phrases.namespace_in('(("" "/")) NIL NIL') == ("", "/")
    assert phrases.namespace_in("NIL NIL NIL") == ("", "/")
    assert phrases.body_in([None]) is None
    assert phrases.body_in([b"1 (UID 7 BODY[]<0> NIL)"]) is None
    assert phrases.body_in([b'1 (UID 7 BODY[]<0> "")']) == b""
    assert phrases.body_in([(b"1 (UID 7 BODY[]<0> {2}", b"hi"), b")"]) == b"hi"
    assert phrases.body_in([(b"1 (BODY[]<0> {2}", b"hi"), b" UID 7)"]) == b"hi"
    assert phrases.shown("b'[NO] for sesame'", hide="sesame") == "[NO] for ***"


# -------------------------------------------------------------------------------- Maildir


async def test_mails_are_read_in_their_order_and_moved_aside(tmp_path: Path) -> None:
    folder = maildir(tmp_path / "mail", b"one", b"two")
    (folder / "cur" / "1600000000.b.host:2,RS").write_bytes(b"old")
    (folder / "new" / ".hidden").write_bytes(b"no mail")
    (folder / "tmp" / "1700000009.a.host").write_bytes(b"still comes")
    os.mkfifo(folder / "new" / "1500000000.pipe")
    (folder / "new" / "1500000001.link").symlink_to(folder / "tmp")
    async with open_mailbox(f"maildir:{folder}") as mailbox:
        assert isinstance(read_address(f"maildir:{folder}"), MaildirPlace)
        names = await mailbox.names()
        assert [await mailbox.read(each) for each in names] == [b"old", b"one", b"two"]
        assert await mailbox.move(names[0], Aside.UNKNOWN) is None
        assert await mailbox.move(names[1], Aside.PROCESSED) is None
        assert len(await mailbox.names()) == 1
        assert await mailbox.read(names[1]) is None
        assert await mailbox.move(names[1], Aside.PROCESSED) is None  # gone already
    # what nobody has read stays unread, and the flags of what was read stay too
    assert (folder / ".Processed" / "new" / "1700000000.a.host").read_bytes() == b"one"
    assert (folder / ".Unknown" / "cur" / "1600000000.b.host:2,RS").read_bytes() == b"old"
    assert (folder / ".Unknown" / "maildirfolder").is_file()
    assert (folder / "tmp" / "1700000009.a.host").read_bytes() == b"still comes"


async def test_no_mail_takes_the_place_of_another(tmp_path: Path) -> None:
    folder = maildir(tmp_path / "mail", b"one")
    for text in (b"one", b"two", b"three"):
        (folder / "new" / "1700000000.a.host").write_bytes(text)
        async with open_mailbox(f"maildir:{folder}") as mailbox:
            await mailbox.move("new/1700000000.a.host", Aside.PROCESSED)
    kept = {each.read_bytes() for each in (folder / ".Processed" / "new").iterdir()}
    assert kept == {b"one", b"two", b"three"}


async def test_only_the_beginning_of_a_long_mail_is_read(tmp_path: Path) -> None:
    folder = maildir(tmp_path / "mail", b"x" * 20_000_000)
    async with open_mailbox(f"maildir:{folder}") as mailbox:
        (name,) = await mailbox.names()
        data = await mailbox.read(name)
    assert isinstance(data, bytes)
    assert len(data) == 1_048_576


async def test_what_is_no_maildir_is_said(tmp_path: Path) -> None:
    (tmp_path / "cur").mkdir()
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DigestError, match=f"{folder} is no Maildir"):
            async with open_mailbox(f"maildir:{folder}"):
                pass


async def test_a_mail_that_cannot_be_read_or_moved_is_said(tmp_path: Path) -> None:
    folder = maildir(tmp_path / "mail", b"one")
    (folder / ".Processed").write_bytes(b"in the way")
    (folder / "new" / "1800000000.folder").mkdir()
    async with open_mailbox(f"maildir:{folder}") as mailbox:
        (name,) = await mailbox.names()
        moved = await mailbox.move(name, Aside.PROCESSED)
        read = await mailbox.read("new/1800000000.folder")
        (folder / "new").rename(folder / "old")
        with pytest.raises(DigestError, match=r"mailbox .*: No such file"):
            await mailbox.names()
    assert isinstance(moved, Stuck)
    assert moved.reason.endswith(": Not a directory") or moved.reason.endswith(": File exists")
    assert isinstance(read, Stuck)
    assert read.reason.endswith(": Is a directory")
