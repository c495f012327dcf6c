"""`digest theme`: list the themes, copy one to start from, and check them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from digest.app import open_renderer
from digest.cli.run import fail, here, out, print_json, told
from digest.errors import DigestError, UsageError
from digest.messages.render import Renderer
from digest.messages.theme_check import check_theme
from digest.model.finding import Finding, has_errors
from digest.model.newsletter import Newsletter
from digest.settings import read_newsletters

_JSON = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_FILES = ("subject.txt", "body.txt", "body.html", "style.css", "look.toml")
_COLOURS = {"error": "red", "warning": "yellow", "ok": "green"}


def add_to(app: typer.Typer) -> None:
    """Add the commands of this family."""
    family = typer.Typer(help="Look at themes, make one, check it.", no_args_is_help=True)
    family.command("list")(show_list)
    family.command("new")(copy_one)
    family.command("check")(check)
    app.add_typer(family, name="theme")


def show_list(*, as_json: _JSON = False) -> None:
    """Say which themes there are, where, and who uses them.

    Example: [bold]digest theme list[/bold]
    """
    renderer, newsletters = _read()
    rows = [
        {
            "theme": name,
            "folder": str(folder),
            "ours": renderer.places.is_ours(name),
            "newsletters": [each.slug for each in newsletters if each.theme == name],
        }
        for name, folder in renderer.places.themes().items()
    ]
    if as_json:
        print_json(rows)
        return
    table = Table("theme", "newsletters", "folder")
    for row in rows:
        used = row["newsletters"]
        names = ", ".join(used) if isinstance(used, list) else ""
        table.add_row(str(row["theme"]), names, str(row["folder"]))
    out.print(table)


def copy_one(
    name: Annotated[str, typer.Argument(help="What it is to be called: a-z, 0-9, - and _.")],
    *,
    source: Annotated[
        str, typer.Option("--from", metavar="THEME", help="The theme to start from.")
    ] = "plain",
) -> None:
    """Copy a theme into a folder beside newsletters.toml, to be changed there.

    Example: [bold]digest theme new harbour --from cards[/bold]
    """
    try:
        folder = _copy(name, source)
    except DigestError as problem:
        fail(str(problem), code=problem.exit_code)
    except OSError as problem:
        fail(f"{problem.filename}: {problem.strerror}")
    told.print(
        f'Wrote {folder}. Next: theme = "{name}" in newsletters.toml,'
        " then `digest preview --out out` to look at it and `digest theme check`",
        markup=False,
    )


def _copy(name: str, source: str) -> Path:
    """The new folder. Raises UsageError, OSError."""
    settings = here()
    renderer = open_renderer(settings)
    themes = renderer.places.themes()
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r}: call a theme by a-z, 0-9, - and _, such as harbour")
    if source not in themes:
        raise UsageError(f"--from {source}: there is no such theme; there are {', '.join(themes)}")
    folder = settings.newsletters_file.resolve().parent / name
    if name in themes or folder.exists():
        raise UsageError(f"{name}: there is one already at {themes.get(name, folder)}: say another")
    folder.mkdir()
    for part in _FILES:
        found = renderer.places.find(f"editions/{source}/{part}")
        if found is not None:
            shutil.copyfile(found, folder / part)
    return folder


def check(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Those in use if left out.")
    ] = None,
    *,
    as_json: _JSON = False,
) -> None:
    """Find what is wrong with themes; exit code 1 where one may not be sent.

    Example: [bold]digest theme check harbour[/bold]
    """
    try:
        found = _check(names or [])
    except DigestError as problem:
        fail(str(problem), code=problem.exit_code)
    if as_json:
        print_json({name: [each.as_json() for each in said] for name, said in found.items()})
    else:
        for name, said in found.items():
            _tell(name, said)
    if any(has_errors(said) for said in found.values()):
        raise typer.Exit(1)


def _check(names: Sequence[str]) -> dict[str, tuple[Finding, ...]]:
    """The findings about each theme. Raises DigestError."""
    renderer, newsletters = _read()
    themes = renderer.places.themes()
    users = {each.theme: each for each in reversed(newsletters)}
    for name in names:
        if name not in themes:
            raise UsageError(f"{name}: there is no such theme; there are {', '.join(themes)}")
    found = {}
    for name in names or sorted(users):
        shown = users.get(name) or replace(newsletters[0], theme=name)
        renderer.check_theme(shown)
        found[name] = check_theme(renderer, shown)
    return found


def _tell(name: str, said: tuple[Finding, ...]) -> None:
    if not said:
        out.print(f"{name}: nothing was found", style="green", markup=False)
    for each in said:
        out.print(
            f"{name}: {each.level}: {each.where + ': ' if each.where else ''}{each.what}",
            style=_COLOURS[each.level],
            markup=False,
        )
        if each.do:
            out.print(f"  {each.do}", markup=False)


def _read() -> tuple[Renderer, tuple[Newsletter, ...]]:
    """What writes, and for whom; ends with one line where that cannot be read."""
    try:
        settings = here()
        return open_renderer(settings), read_newsletters(settings.newsletters_file)
    except DigestError as problem:
        fail(str(problem), code=problem.exit_code)
