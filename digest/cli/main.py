"""Puts the commands together; `--directory` may stand before or after the command."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from digest import __version__
from digest.cli import (
    backtest,
    books,
    bounces,
    editor,
    embed,
    explain,
    feeds,
    pauses,
    preview,
    proofs,
    schedule,
    send,
    service,
    setup,
    status,
    subscribers,
    theme,
)
from digest.cli.run import enter, fail, start_logging
from digest.errors import DigestError

app = typer.Typer(
    name="digest",
    help="Turn a site's feeds into an email that people are glad to open.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for family in (
    setup,
    service,
    preview,
    theme,
    explain,
    backtest,
    editor,
    proofs,
    send,
    status,
    pauses,
    books,
    feeds,
    subscribers,
    embed,
    schedule,
    bounces,
):
    family.add_to(app)


def _say_version(wanted: bool) -> None:  # noqa: FBT001 -- typer's signature
    if wanted:
        typer.echo(f"digest {__version__}")
        raise typer.Exit


@app.callback()
def begin(
    *,
    directory: Annotated[  # noqa: ARG001 -- taken out of the arguments by `main`, wherever it stands
        Path | None,
        typer.Option(
            "--directory", "-C", help="Work in this folder (holds .env, newsletters.toml)."
        ),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every outcome.")] = False,
    version: Annotated[  # noqa: ARG001 -- its callback answers
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="Say the version and exit."
        ),
    ] = False,
) -> None:
    """Turn a site's feeds into an email that people are glad to open."""
    start_logging(logging.DEBUG if verbose else logging.WARNING)


def main() -> None:
    """Run the command line."""
    try:
        arguments, folder = take_directory(sys.argv[1:])
        if folder is not None:
            enter(folder)
    except DigestError as problem:
        fail(str(problem), code=problem.exit_code)
    app(args=arguments, prog_name="digest")


def take_directory(arguments: list[str]) -> tuple[list[str], Path | None]:
    """The arguments without `--directory DIR`, and DIR; what follows `--` is left alone."""
    rest: list[str] = []
    folder: Path | None = None
    waiting = iter(arguments)
    for each in waiting:
        if each == "--":
            return [*rest, each, *waiting], folder
        if each in ("--directory", "-C"):
            value = next(waiting, None)
            if value is None:
                return arguments, None
            folder = Path(value)
        elif each.startswith("--directory="):
            folder = Path(each.partition("=")[2])
        else:
            rest.append(each)
    return rest, folder
