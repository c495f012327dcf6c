"""Turns newsletters.toml into one with more feeds, and loses no comment of it.

What would not read back as the same newsletters with the new feeds behind the old ones is refused,
and the file is replaced whole or not at all.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array

from digest.errors import SettingsError
from digest.model.newsletter import FeedSource, Newsletter
from digest.settings.publications import read_newsletters

#: a list of more than that stands one below the other
_IN_ONE_LINE = 3

#: strings first, in which the sign begins none (TOML 1.0); the file has been read, so they end
_COMMENT = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|(#[^\n]*)',
    re.DOTALL,
)

_BY_HAND = "write the feeds into it by hand"


def add_feeds(path: Path, slug: str, added: Sequence[FeedSource], *, dry_run: bool = False) -> None:
    """Write these feeds behind those of newsletter `slug` in the file at `path`.

    Comments, order, owner and mode of the file stay. With `dry_run` everything is tried and nothing
    changed. Raises SettingsError, and changes nothing,
    where the file cannot be read or written, or would not say what it should.
    """
    path = path.resolve()  # a link stays one
    before = read_newsletters(path)
    try:
        content = path.read_bytes()
        text = _with_feeds(content.decode("utf-8"), slug, added)
    except (OSError, TOMLKitError, TypeError, KeyError, ValueError) as problem:
        raise SettingsError(f"{path} cannot be edited ({_why(problem)}); {_BY_HAND}") from problem
    try:
        trial = _write_beside(path, text.encode("utf-8"))
        try:
            _check(path, trial, _expected(before, slug, added))
            _check_comments(path, content.decode(), text)
            if path.read_bytes() != content:
                raise SettingsError(f"{path} was changed meanwhile; try again")
            if not dry_run:
                trial.replace(path)
        finally:
            trial.unlink(missing_ok=True)
        _sync(path.parent)
    except OSError as problem:
        raise SettingsError(f"{path} cannot be written: {problem.strerror}") from problem


def _with_feeds(text: str, slug: str, added: Sequence[FeedSource]) -> str:
    document = tomlkit.parse(text)
    tables: Any = document["newsletter"]
    table = next(each for each in tables if each["slug"] == slug)
    feeds: Any = table["feeds"]
    if isinstance(feeds, AoT):  # each under a line of its own: [[newsletter.feeds]]
        for each in added:
            feeds.append(_filled(tomlkit.table(), each))
        return tomlkit.dumps(document)
    if not isinstance(feeds, Array):
        raise TypeError("feeds is no list")
    one_line = "\n" not in feeds.as_string()
    for each in added:
        feeds.append(_filled(tomlkit.inline_table(), each) if _is_more(each) else each.url)
    if one_line and len(feeds) > _IN_ONE_LINE:
        feeds.multiline(multiline=True)
    return tomlkit.dumps(document)


def _is_more(feed: FeedSource) -> bool:
    return feed != FeedSource(url=feed.url)


def _filled(table: Any, feed: FeedSource) -> Any:
    table["url"] = feed.url
    if feed.section:
        table["section"] = feed.section
    if feed.full_text:
        table["full_text"] = True
    if not feed.robots:
        table["robots"] = False
    return table


def _expected(
    before: Sequence[Newsletter], slug: str, added: Sequence[FeedSource]
) -> tuple[Newsletter, ...]:
    return tuple(
        replace(each, feeds=(*each.feeds, *added)) if each.slug == slug else each for each in before
    )


def _check(path: Path, trial: Path, expected: tuple[Newsletter, ...]) -> None:
    """Raise SettingsError unless the new file says exactly what is expected."""
    try:
        found = read_newsletters(trial)
    except SettingsError as problem:
        said = str(problem).removeprefix(f"{trial}: ")
        raise SettingsError(
            f"{path}: with these feeds in it, it could not be read any more ({said});"
            f" nothing was changed; {_BY_HAND}"
        ) from problem
    if found != expected:
        raise SettingsError(f"{path} cannot be edited without changing more of it; {_BY_HAND}")


def _check_comments(path: Path, before: str, after: str) -> None:
    """Raise SettingsError unless all comments are there, in their order."""
    old, new = (
        [each[1].strip() for each in _COMMENT.finditer(text) if each[1]] for text in (before, after)
    )
    if old != new:
        raise SettingsError(f"{path} cannot be edited without losing comments; {_BY_HAND}")


def _write_beside(path: Path, content: bytes) -> Path:
    """A file in the same folder with this content, safe on disk, as its owner keeps the other."""
    known = path.stat()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), known.st_mode & 0o7777)
            with suppress(PermissionError):  # root works in a folder of another user
                os.fchown(file.fileno(), known.st_uid, known.st_gid)
            os.fsync(file.fileno())
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _why(problem: Exception) -> str:
    return " ".join(str(problem).split())[:200] or type(problem).__name__
