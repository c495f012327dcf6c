"""The only reader of the environment: `DIGEST_…` and `.env` become `Settings`.

Nothing here has an effect; what cannot be used is refused with one line that names it.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from digest.errors import AddressRefused, SettingsError
from digest.subscribers.address import parse_address

PREFIX = "DIGEST_"

#: shorter keys can be guessed; `digest init` writes 43 characters (256 bits)
SECRET_MINIMUM = 32

log = logging.getLogger("digest.settings")

_DOMAIN = re.compile(
    r"(?=.{1,190}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
    re.IGNORECASE,
)

_LOOPBACK = ("localhost", "127.0.0.1", "::1", "[::1]")


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


Optional = Annotated[str | None, BeforeValidator(_none_if_empty)]


class Settings(BaseSettings):
    """What the operator sets for this installation; each one is described in `.env.example`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    database_url: str = "sqlite:///digest.db"
    secret_key: str = ""
    public_url: str = "http://127.0.0.1:8000"
    smtp_host: str = "localhost"
    smtp_port: Annotated[int | None, BeforeValidator(_none_if_empty)] = Field(None, ge=1, le=65535)
    smtp_username: Optional = None
    smtp_password: Optional = None
    smtp_security: Annotated[
        Literal["tls", "starttls", "none"] | None, BeforeValidator(_none_if_empty)
    ] = None
    smtp_connections: int = Field(4, ge=1, le=100)
    smtp_rate: Annotated[float | None, BeforeValidator(_none_if_empty)] = Field(
        None, ge=0.001, le=100_000, allow_inf_nan=False
    )
    smtp_expiry: int = Field(48, ge=1, le=24 * 14)
    dkim_selector: Optional = None
    dkim_key_file: Optional = None
    bounce_domain: Optional = None
    bounce_mailbox: Optional = None
    hook_ses_topic: Optional = None
    hook_postmark: Optional = None
    hook_mailgun: Optional = None
    hook_sendgrid: Optional = None
    hook_brevo: Optional = None
    journal: Annotated[Path | None, BeforeValidator(_none_if_empty)] = Path("digest.journal")
    spool: Path = Path("digest.spool")
    proxies: int = Field(0, ge=0, le=10)
    consent_network: bool = False
    uncertain: Literal["resend", "hold"] = "resend"
    outbox: Optional = None
    operator: Optional = None
    feed_allow_private: bool = False
    feed_first_window: Literal["all"] | Annotated[int, Field(ge=0)] = 24
    newsletters_file: Path = Path("newsletters.toml")
    templates_dir: Path = Path("templates")
    log_format: Literal["text", "json"] = "text"

    @field_validator("public_url")
    @classmethod
    def _absolute(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise ValueError("write the address that readers see, such as https://news.example.org")
        return value.rstrip("/")

    @field_validator("operator")
    @classmethod
    def _mail_address(cls, value: str | None) -> str | None:
        try:
            return parse_address(value) if value is not None else None
        except AddressRefused as problem:
            raise ValueError(f"{problem}; write an address such as you@example.org") from problem

    @field_validator("bounce_domain")
    @classmethod
    def _domain(cls, value: str | None) -> str | None:
        if value is not None and _DOMAIN.fullmatch(value) is None:
            raise ValueError("write a mail domain in ASCII, such as bounces.example.org")
        return value.lower() if value else None

    @property
    def relay_security(self) -> Literal["tls", "starttls", "none"]:
        """How to speak to the relay; encrypted unless it is this machine or you say otherwise."""
        if self.smtp_security is not None:
            return self.smtp_security
        if self.smtp_port == 465:  # noqa: PLR2004 -- RFC 8314 section 7.3: submissions
            return "tls"
        return "none" if self.smtp_host in _LOOPBACK and not self.smtp_username else "starttls"

    @property
    def relay_port(self) -> int:
        """The relay's port: 465 with tls, 587 with starttls, 25 without encryption."""
        return self.smtp_port or {"tls": 465, "starttls": 587, "none": 25}[self.relay_security]

    @property
    def first_window(self) -> timedelta | None:
        """How far a first poll reaches back; None for all."""
        hours = self.feed_first_window
        return None if hours == "all" else timedelta(hours=hours)


def read_settings(folder: Path = Path()) -> Settings:
    """The settings of the environment and, where that is silent, of `.env` in `folder`.

    Raises SettingsError for a value that cannot be used and for a name in `.env` that we do not
    know: a setting that is misspelt would otherwise be silently without effect.
    """
    path = folder / ".env"
    written, given = _env_file(path), dict(os.environ)
    _refuse_unknown(written, given)
    try:
        return Settings(_env_file=path)
    except ValidationError as problem:
        raise SettingsError(_first_problem(problem)) from problem


def _refuse_unknown(written: Mapping[str, str | None], given: Mapping[str, str | None]) -> None:
    """Raise for a name in `.env` that we do not know; in the environment it may be another's."""
    names = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(_ours(written) - names)
    if unknown:
        raise SettingsError(f"{unknown[0]}: no such setting; .env.example lists all of them")
    for name in sorted(_ours(given) - names):
        log.warning("%s in the environment is no setting of ours", name)


def require_secret(settings: Settings) -> str:
    """The secret key. Raises SettingsError when it is missing or short."""
    if len(settings.secret_key) < SECRET_MINIMUM:
        state = "is missing" if not settings.secret_key else "is too short"
        raise SettingsError(
            f"DIGEST_SECRET_KEY {state}: signed links need at least {SECRET_MINIMUM} characters; "
            "`digest init` writes a fresh one into .env"
        )
    return settings.secret_key


def _env_file(path: Path) -> Mapping[str, str | None]:
    try:
        return dotenv_values(path) if path.is_file() else {}
    except (OSError, UnicodeDecodeError) as problem:
        raise SettingsError(f"{path} cannot be read: {problem}") from problem


def _ours(names: Iterable[str]) -> set[str]:
    upper = {name.upper() for name in names}
    return {
        name for name in upper if name.startswith(PREFIX) and not name.startswith(PREFIX + "TEST_")
    }


def _first_problem(problem: ValidationError) -> str:
    first: Mapping[str, Any] = problem.errors()[0]
    if first["loc"][0] == "feed_first_window":
        return f"{PREFIX}FEED_FIRST_WINDOW {first['input']!r}: write a number of hours, or all"
    name = PREFIX + str(first["loc"][0]).upper()
    secret = any(each in name for each in ("PASSWORD", "SECRET", "HOOK", "MAILBOX"))
    shown = "" if secret else f" {first['input']!r}"
    return f"{name}{shown}: {first['msg'].removeprefix('Value error, ')}"
