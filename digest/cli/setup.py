"""`digest init`: writes `.env` and `newsletters.toml`, and overwrites nothing."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from digest.cli.run import fail, told
from digest.errors import DigestError, UsageError
from digest.settings import read_newsletters

#: what stands in for a feed that was not named; `init` says that it must be replaced
EXAMPLE_FEED = "https://www.example.org/feed"

_UMLAUTS = {ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue", ord("ß"): "ss"}


def add_to(app: typer.Typer) -> None:
    """Add the commands of this family."""
    app.command("init")(init)


def init(
    *,
    feed: Annotated[
        list[str] | None, typer.Option(metavar="URL", help="As often as needed.")
    ] = None,
    title: Annotated[str, typer.Option(metavar="T")] = "Die besten KI-News",
    sender: Annotated[str, typer.Option(metavar='"Name <addr>"')] = "Redaktion <news@example.org>",
    language: Annotated[str, typer.Option(metavar="L", help="de or en.")] = "de",
    timezone: Annotated[str, typer.Option(metavar="TZ")] = "Europe/Berlin",
    schedule: Annotated[str, typer.Option(metavar="CRON", help="In the zone above.")] = "0 7 * * *",
) -> None:
    """Write .env (with a fresh secret key) and newsletters.toml into this folder.

    Example: [bold]digest init --feed https://example.org/feed --title "Morgenpost"
    --sender "Morgenpost <post@example.org>"[/bold]
    """
    toml = Path("newsletters.toml")
    text = _newsletters(
        feeds=feed or [EXAMPLE_FEED],
        title=title,
        sender=sender,
        language=language,
        timezone=timezone,
        schedule=schedule,
    )
    try:
        _check(toml, text)
        made = [
            name
            for name, done in (
                (".env", _write_new(Path(".env"), _environment(), mode=0o600)),
                (str(toml), _write_new(toml, text, mode=0o644)),
            )
            if done
        ]
    except DigestError as problem:
        fail(str(problem), code=2)
    except OSError as problem:
        fail(f"{problem.filename}: {problem.strerror}")
    for name in (".env", str(toml)):
        told.print(f"{name}: {'written' if name in made else 'is here already, left as it is'}")
    if not feed and str(toml) in made:
        told.print(f"Now replace {EXAMPLE_FEED} in {toml} by your feed.")
    told.print("Then: `digest preview`, `digest subscribe ADDRESS`, `digest send`, `digest serve`.")


def _check(toml: Path, text: str) -> None:
    """Refuse what `newsletters.toml` would be refused for, before anything is written."""
    if toml.exists():
        return
    trial = toml.with_suffix(f".{os.getpid()}.tmp")
    try:
        trial.write_text(text, encoding="utf-8")
        read_newsletters(trial)
    except UnicodeEncodeError as problem:  # the terminal's bytes were no UTF-8
        raise UsageError("init: write the title, sender and feeds in UTF-8") from problem
    except DigestError as problem:
        raise type(problem)(str(problem).replace(str(trial), "init")) from problem
    finally:
        trial.unlink(missing_ok=True)


def _write_new(path: Path, text: str, *, mode: int) -> bool:
    """Write a file that is not there; False when it is."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return True


def _environment() -> str:
    return f"""\
# Secrets and this machine's own settings; .env.example in the project lists all of them.
# The key signs the links in your mails. Keep it: with another one old links no longer work.
DIGEST_SECRET_KEY={secrets.token_urlsafe(32)}

# Where readers find the pages that `digest serve` serves. Mail programs ask for https.
DIGEST_PUBLIC_URL=http://127.0.0.1:8000

# The relay that takes your mail.
DIGEST_SMTP_HOST=localhost
# DIGEST_SMTP_PORT=587
# DIGEST_SMTP_SECURITY=starttls
# DIGEST_SMTP_USERNAME=
# DIGEST_SMTP_PASSWORD=
"""


def _newsletters(
    *, feeds: list[str], title: str, sender: str, language: str, timezone: str, schedule: str
) -> str:
    def quote(text: str) -> str:
        # a JSON string is a TOML basic string
        return json.dumps(text, ensure_ascii=False)

    return f"""\
[[newsletter]]
slug = {quote(_slug(title))}
title = {quote(title)}
sender = {quote(sender)}
language = {quote(language)}
timezone = {quote(timezone)}
theme = "plain"
# name and postal address: the law asks for them in each mail
address = "Beispiel GmbH, Musterstr. 1, 10115 Berlin"
feeds = [{", ".join(quote(each) for each in feeds)}]
# how many articles one edition may hold
limit = 50

[newsletter.schedules]         # what a reader may choose from; the first is the default
daily = {quote(schedule)}
"""


def _slug(title: str) -> str:
    plain = title.lower().translate(_UMLAUTS)
    words = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in plain)
    return "-".join(words.split())[:40].strip("-") or "news"
