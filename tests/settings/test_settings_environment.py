from pathlib import Path

import pytest
from dotenv import dotenv_values

from digest.errors import SettingsError
from digest.settings import Settings, read_settings, require_secret

PROJECT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"DIGEST_{name.upper()}", raising=False)


def test_the_example_lists_every_setting_with_its_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = dotenv_values(PROJECT / ".env.example")
    assert set(example) == {f"DIGEST_{name.upper()}" for name in Settings.model_fields}
    for name, value in example.items():
        monkeypatch.setenv(name, value or "")
    assert read_settings(tmp_path) == Settings()


def test_every_setting_in_the_example_has_its_reason() -> None:
    blocks = (PROJECT / ".env.example").read_text().strip().split("\n\n")[1:]
    assert [block for block in blocks if not block.startswith("# ")] == []


def test_the_environment_goes_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("DIGEST_SMTP_HOST=file\nDIGEST_SMTP_PORT=2525\nOTHER=1\n")
    monkeypatch.setenv("DIGEST_SMTP_HOST", "environment")
    found = read_settings(tmp_path)
    assert (found.smtp_host, found.smtp_port) == ("environment", 2525)


def test_a_misspelt_setting_in_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DIGEST_SMPT_HOST=x\n")
    with pytest.raises(SettingsError, match="DIGEST_SMPT_HOST: no such setting"):
        read_settings(tmp_path)


def test_a_name_of_somebody_else_in_the_environment_is_only_mentioned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DIGEST_AUTH_REALM", "x")
    assert read_settings(tmp_path) == Settings()
    assert "DIGEST_AUTH_REALM" in caplog.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMTP_RATE", "0"),
        ("SMTP_RATE", "nan"),
        ("SMTP_EXPIRY", "0"),
        ("BOUNCE_DOMAIN", "no domain"),
        ("BOUNCE_DOMAIN", "b+x@bounces.example"),
        ("BOUNCE_DOMAIN", "localhost"),
    ],
)
def test_what_cannot_be_used_for_delivery_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"DIGEST_{name}", value)
    with pytest.raises(SettingsError, match=f"DIGEST_{name}"):
        read_settings(tmp_path)


def test_no_error_shows_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_SMTP_PORT", "x")
    monkeypatch.setenv("DIGEST_BOUNCE_MAILBOX", "imaps://me:hidden@imap.example.org/INBOX")
    with pytest.raises(SettingsError) as caught:
        read_settings(tmp_path)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DIGEST_SMTP_PORT", "many"),
        ("DIGEST_SMTP_PORT", "70000"),
        ("DIGEST_SMTP_SECURITY", "ssl"),
        ("DIGEST_UNCERTAIN", "maybe"),
        ("DIGEST_PUBLIC_URL", "news.example.org"),
        ("DIGEST_FEED_FIRST_WINDOW", "-1"),
        ("DIGEST_SMTP_CONNECTIONS", "0"),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_one_line_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as problem:
        read_settings(tmp_path)
    assert name in str(problem.value)
    assert "\n" not in str(problem.value)


def test_a_secret_is_never_in_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_SECRET_KEY", "short and secret")
    with pytest.raises(SettingsError) as problem:
        require_secret(read_settings(tmp_path))
    assert "short and secret" not in str(problem.value)


@pytest.mark.parametrize(
    ("given", "security", "port"),
    [
        ({}, "none", 25),
        ({"smtp_host": "mail.example.org"}, "starttls", 587),
        ({"smtp_host": "mail.example.org", "smtp_port": 465}, "tls", 465),
        ({"smtp_host": "localhost", "smtp_username": "u"}, "starttls", 587),
        ({"smtp_host": "mail.example.org", "smtp_security": "none"}, "none", 25),
        ({"smtp_port": 2525, "smtp_security": ""}, "none", 2525),
    ],
)
def test_the_line_to_the_relay_is_encrypted_unless_it_stays_on_this_machine(
    given: dict[str, object], security: str, port: int
) -> None:
    settings = Settings.model_validate(given)
    assert (settings.relay_security, settings.relay_port) == (security, port)
