"""`digest init`: writes `.env`, `newsletters.toml` and DKIM keys, and overwrites nothing."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from digest.cli import keys
from digest.cli.keys import SELECTOR, KeyFile
from digest.cli.run import fail, told
from digest.errors import DigestError, UsageError
from digest.model.newsletter import Newsletter
from digest.settings import read_newsletters

#: what stands in for a feed that was not named; `init` says that it must be replaced
EXAMPLE_FEED = "https://www.example.org/feed"

_SIGNING = """\
# Signs each mail with DKIM; the relay must not sign too. Publish the DNS records before the first
# mail: `digest init --dkim` prints them again."""

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
    dkim: Annotated[bool, typer.Option("--dkim", help="Make a DKIM key too.")] = False,
    dkim_selector: Annotated[
        str | None, typer.Option(metavar="S", help=f"The key's name in DNS, {SELECTOR} by default.")
    ] = None,
    dkim_ed25519: Annotated[
        bool, typer.Option("--dkim-ed25519", help="A second, short key beside the RSA one.")
    ] = False,
) -> None:
    """Write .env (with a fresh secret key) and newsletters.toml into this folder.

    Example: [bold]digest init --feed https://example.org/feed --title "Morgenpost"
    --sender "Morgenpost <post@example.org>" --dkim[/bold]

    --dkim makes a key in dkim-digest1.pem, and prints its DNS records each time.
    To change keys, once or twice a year: [bold]digest init --dkim-selector digest2[/bold],
    publish the records, a day later put the two lines it prints into .env and
    restart, a week later take the old records out of DNS.
    """
    text = _newsletters(
        feeds=feed or [EXAMPLE_FEED],
        title=title,
        sender=sender,
        language=language,
        timezone=timezone,
        schedule=schedule,
    )
    if dkim_selector is None and (dkim or dkim_ed25519):
        dkim_selector = SELECTOR
    try:
        _set_up(text, dkim_selector, ed25519=dkim_ed25519, fed=bool(feed))
    except DigestError as problem:
        fail(str(problem), code=2)
    except OSError as problem:
        fail(f"{problem.filename}: {problem.strerror}")


def _set_up(text: str, selector: str | None, *, ed25519: bool, fed: bool) -> None:
    """Write the files that are not here, and say what there is to do; a selector asks for keys."""
    env, toml = Path(".env"), Path("newsletters.toml")
    newsletters = _check(toml, text)
    if selector is not None and not newsletters:
        newsletters = read_newsletters(toml)  # whose records are wanted
    files = keys.gather(selector, ed25519=ed25519) if selector is not None else ()
    made = {
        path
        for path, content, mode in (
            *((each.path, each.text, 0o600) for each in files),
            (env, _environment(files), 0o600),
            (toml, text, 0o644),
        )
        if _write_new(path, content, mode=mode)
    }
    for path in (*(each.path for each in files), env, toml):
        told.print(f"{path}: {'written' if path in made else 'is here already, left as it is'}")
    if files:
        keys.tell_settings(env, files)
        keys.tell_records(files, list(dict.fromkeys(each.sender.domain for each in newsletters)))
    if not fed and toml in made:
        told.print(f"Now replace {EXAMPLE_FEED} in {toml} by your feed.")
    told.print("Then: `digest preview`, `digest subscribe ADDRESS`, `digest send`, `digest serve`.")


def _check(toml: Path, text: str) -> tuple[Newsletter, ...]:
    """Refuse what `newsletters.toml` would be refused for, before anything is written.

    Returns what will stand in it, or nothing where it is here already.
    """
    if toml.exists():
        return ()
    trial = toml.with_suffix(f".{os.getpid()}.tmp")
    try:
        trial.write_text(text, encoding="utf-8")
        return read_newsletters(trial)
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


def _environment(files: Sequence[KeyFile]) -> str:
    signing = "\n".join(("", _SIGNING, *keys.setting_lines(files), "")) if files else ""
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
{signing}"""


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

# [newsletter.topics.robotics]   # what a reader may choose from the news; all else is "other"
# title = "Robotics"
# categories = ["Robotics"]      # of the articles, whatever their case
# words = ["robot*"]             # whole words and phrases in titles and excerpts
# sections = []                  # of the feeds above
"""


def _slug(title: str) -> str:
    plain = title.lower().translate(_UMLAUTS)
    words = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in plain)
    return "-".join(words.split())[:40].strip("-") or "news"
