"""`digest init --dkim` makes keys that sign, prints records that verify, and overwrites nothing."""

from __future__ import annotations

import os
import re
import stat
from datetime import UTC, datetime
from pathlib import Path

import dkim
import pytest
from shell import Desk, newsletters

from digest.messages.keys import make_ed25519_key, read_key
from digest.messages.sign import sign

MAIL = b"From: Stadtblatt <post@stadtblatt.example>\r\nSubject: Morgen\r\n\r\nGuten Morgen.\r\n"
AT = datetime(2024, 3, 1, 6, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def records(printed: str) -> dict[str, str]:
    """The records of the copyable lines: a name, and under it a value."""
    return dict(re.findall(r"(?m)^(\S+\._domainkey\.\S+)\n(v=DKIM1; .*)$", printed))


def zone_lines(printed: str) -> dict[str, list[str]]:
    """The records of the lines for a zone file, as their strings."""
    found = re.findall(r'(?m)^(\S+)\. IN TXT \( ((?:"[^"]*" )+)\)$', printed)
    return {name: re.findall(r'"([^"]*)"', strings) for name, strings in found}


def setting(env: Path, name: str) -> str:
    (line,) = (each for each in env.read_text().splitlines() if each.startswith(f"{name}="))
    return line.partition("=")[2]


def test_a_fresh_folder_gets_a_key_its_settings_and_its_record(desk: Desk, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        done = desk.call("init", "--dkim", "--sender=Stadtblatt <post@Stadtblatt.example>")
    finally:
        os.umask(before)
    assert done.code == 0, done.err
    key = tmp_path / "dkim-digest1.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert setting(tmp_path / ".env", "DIGEST_DKIM_SELECTOR") == "digest1"
    assert setting(tmp_path / ".env", "DIGEST_DKIM_KEY_FILE") == "dkim-digest1.pem"
    ((name, value),) = records(done.out).items()
    assert name == "digest1._domainkey.stadtblatt.example"
    strings = zone_lines(done.out)[name]
    assert "".join(strings) == value
    assert [len(each) for each in strings] == [255, len(value) - 255]
    assert "PRIVATE" not in done.out + done.err
    # what was printed verifies what the file signs
    made = read_key("digest1", key.read_bytes(), key.name)
    mail = sign(MAIL, [made], domain="stadtblatt.example", at=AT)
    published = {f"{name}.".encode(): value.encode()}
    assert dkim.verify(mail, dnsfunc=lambda asked, timeout=5: published[asked])  # noqa: ARG005


def test_without_dkim_there_is_no_key_and_no_word_of_it(desk: Desk, tmp_path: Path) -> None:
    done = desk.call("init")
    assert (done.code, done.out) == (0, "")
    assert sorted(each.name for each in tmp_path.iterdir()) == [".env", "newsletters.toml"]
    assert "DKIM" not in (tmp_path / ".env").read_text() + done.err


def test_what_is_here_is_kept_and_its_records_are_printed_for_each_domain(
    desk: Desk, tmp_path: Path
) -> None:
    env, toml = tmp_path / ".env", tmp_path / "newsletters.toml"
    env.write_text("DIGEST_SMTP_HOST=relay.example\n")
    one = newsletters("https://stadtblatt.example/feed")
    same = one.replace('slug = "stadtblatt"', 'slug = "abend"')
    other = one.replace('slug = "stadtblatt"', 'slug = "kurier"').replace(
        "post@stadtblatt.example", "post@kurier.example"
    )
    toml.write_text(one + same + other)
    kept = env.read_bytes(), toml.read_bytes()
    first = desk.call("init", "--dkim")
    assert first.code == 0, first.err
    names = ["digest1._domainkey.stadtblatt.example", "digest1._domainkey.kurier.example"]
    assert list(records(first.out)) == names
    key = (tmp_path / "dkim-digest1.pem").read_bytes()
    second = desk.call("init", "--dkim")
    assert (second.code, second.out) == (0, first.out)
    assert (tmp_path / "dkim-digest1.pem").read_bytes() == key
    assert (env.read_bytes(), toml.read_bytes()) == kept
    wanted = ["DIGEST_DKIM_SELECTOR=digest1", "DIGEST_DKIM_KEY_FILE=dkim-digest1.pem"]
    for done in (first, second):
        assert [line.strip() for line in done.err.splitlines() if "DIGEST_DKIM" in line] == wanted
    # nothing to add once they are there
    env.write_text("\n".join(["DIGEST_SMTP_HOST=relay.example", *wanted, ""]))
    assert "DIGEST_DKIM" not in desk.call("init", "--dkim").err


def test_a_second_key_is_ed25519_and_a_new_selector_a_new_key(desk: Desk, tmp_path: Path) -> None:
    done = desk.call("init", "--dkim-ed25519", "--sender=S <post@stadtblatt.example>")
    assert done.code == 0, done.err
    assert list(records(done.out)) == [
        "digest1._domainkey.stadtblatt.example",
        "digest1-ed25519._domainkey.stadtblatt.example",
    ]
    kinds = [value.split("; ")[1] for value in records(done.out).values()]
    assert kinds == ["k=rsa", "k=ed25519"]
    env = tmp_path / ".env"
    assert setting(env, "DIGEST_DKIM_SELECTOR") == "digest1,digest1-ed25519"
    files = setting(env, "DIGEST_DKIM_KEY_FILE").split(",")
    assert [(tmp_path / each).exists() for each in files] == [True, True]
    later = desk.call("init", "--dkim-selector=digest2")
    assert later.code == 0, later.err
    ((name, value),) = records(later.out).items()
    assert name == "digest2._domainkey.stadtblatt.example"
    assert value not in records(done.out).values()
    assert "DIGEST_DKIM_SELECTOR=digest2" in later.err
    assert (tmp_path / "dkim-digest1.pem").exists()


@pytest.mark.parametrize("selector", ["../elsewhere", "", "a b", "ä"])
def test_a_selector_that_cannot_be_makes_nothing(desk: Desk, tmp_path: Path, selector: str) -> None:
    done = desk.call("init", f"--dkim-selector={selector}")
    assert (done.code, done.out) == (2, "")
    assert "selector" in done.complaint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"nothing of a key", "no private key"), (make_ed25519_key(), "no RSA key")],
)
def test_a_key_file_that_cannot_be_used_is_named_and_left_alone(
    desk: Desk, tmp_path: Path, content: bytes, reason: str
) -> None:
    key = tmp_path / "dkim-digest1.pem"
    key.write_bytes(content)
    done = desk.call("init", "--dkim")
    assert (done.code, done.out) == (2, "")
    assert reason in done.complaint
    assert [each.name for each in tmp_path.iterdir()] == [key.name]
    assert key.read_bytes() == content


def test_newsletters_that_cannot_be_read_stop_it_before_a_key_is_made(
    desk: Desk, tmp_path: Path
) -> None:
    (tmp_path / "newsletters.toml").write_text("[[newsletter]]\nslug = 4\n")
    done = desk.call("init", "--dkim")
    assert (done.code, done.out) == (2, "")
    assert "newsletters.toml" in done.complaint
    assert [each.name for each in tmp_path.iterdir()] == ["newsletters.toml"]
