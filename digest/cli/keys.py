"""Turns the selectors of `digest init --dkim` into key files, lines for `.env` and DNS records.

It writes nothing itself, and a key file that is here already is read, never replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from digest.cli.run import out, told
from digest.errors import DigestError
from digest.messages.keys import (
    Key,
    check_selector,
    dns_record,
    make_ed25519_key,
    make_rsa_key,
    read_keys,
    record_name,
    split_record,
)

#: a number at the end, so that the next key has a name
SELECTOR = "digest1"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFile:
    """A private key, the file it stands in or will, and that file's text."""

    path: Path
    text: str
    key: Key


def gather(selector: str, *, ed25519: bool) -> tuple[KeyFile, ...]:
    """The keys of these files, made where there is no file yet: RSA, and Ed25519 if asked for.

    Raises SettingsError for a selector or a file that cannot be used, OSError for one that cannot
    be read.
    """
    wanted: list[tuple[str, Callable[[], bytes]]] = [(selector, make_rsa_key)]
    if ed25519:
        wanted.append((f"{selector}-ed25519", make_ed25519_key))
    found = []
    for name, make in wanted:
        check_selector(name)  # it becomes a part of a path
        path = Path(f"dkim-{name}.pem")
        found.append((path, path.read_bytes() if path.exists() else make()))
    keys = read_keys(
        ",".join(name for name, _ in wanted), [(str(path), pem) for path, pem in found]
    )
    return tuple(
        KeyFile(path=path, text=pem.decode("ascii", "replace"), key=key)
        for (path, pem), key in zip(found, keys, strict=True)
    )


def setting_lines(files: Sequence[KeyFile]) -> tuple[str, str]:
    """The two lines of `.env` that make Digest sign with these keys."""
    return (
        f"DIGEST_DKIM_SELECTOR={','.join(each.key.selector for each in files)}",
        f"DIGEST_DKIM_KEY_FILE={','.join(str(each.path) for each in files)}",
    )


def tell_settings(env: Path, files: Sequence[KeyFile]) -> None:
    """Say which lines `.env` lacks; say nothing where it has both."""
    try:
        there = env.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise DigestError(f"{env} cannot be read: {problem}") from problem
    if not set(setting_lines(files)) <= set(there):
        told.print(f"Once the DNS records are published, have these two lines in {env}:")
        for line in setting_lines(files):
            told.print(f"  {line}", markup=False)


def tell_records(files: Sequence[KeyFile], domains: Sequence[str]) -> None:
    """Write the DNS records to standard output, for a form and for a zone file."""
    for domain in domains:
        for each in files:
            name, value = record_name(each.key, domain), dns_record(each.key)
            strings = " ".join(f'"{part}"' for part in split_record(value))
            for line in (
                f"# {domain}: a TXT record's name, then its value, as most forms ask for them",
                name,
                value,
                "# the same for a zone file, in strings of at most 255 octets",
                f"{name}. IN TXT ( {strings} )",
                "",
            ):
                out.print(line, markup=False)
    told.print("Publish the DNS records before the next send; the relay must not sign too.")
