"""`digest bounces …`: mails that came back; `classify` only says what they are, `process` acts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from digest.cli.feedback import process
from digest.cli.progress import counting
from digest.cli.run import fail, out, print_json
from digest.deliveries.reports import read_report
from digest.deliveries.reports.parcel import MAX_BYTES
from digest.errors import DigestError
from digest.model.report import Report

_JSON = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
_FILES = Annotated[
    list[str], typer.Argument(metavar="FILE…", help="Mails; folders of them; - reads one mail.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this family."""
    bounces = typer.Typer(help="Look at mails that came back.", no_args_is_help=True)
    bounces.command("classify")(classify)
    bounces.command("process")(process)
    bounces.callback()(lambda: None)
    app.add_typer(bounces, name="bounces")


def classify(files: _FILES, *, as_json: _JSON = False) -> None:
    """Say what mails are and whom they are about; needs no settings and stores nothing.

    Examples: [bold]digest bounces classify returned.eml[/bold] ·
    [bold]digest bounces classify --json maildir/new[/bold]
    """
    try:
        names = [name for each in files for name in _walk(each)]
        with counting("Mails", total=len(names), shown=not as_json) as one_more:
            reports = {}
            for name in names:
                reports[_shown(name)] = read_report(_read(name))
                one_more()
    except DigestError as problem:
        fail(str(problem), code=problem.exit_code)
    if as_json:
        print_json({name: _document(report) for name, report in reports.items()})
    else:
        _tell(reports)


def _walk(name: str) -> Iterator[str]:
    """The file itself, or the files in the folder, named as they were asked for."""
    path = Path(name)
    if name != "-" and path.is_dir():
        yield from sorted(str(each) for each in path.rglob("*") if each.is_file())
    else:
        yield name


def _shown(name: str) -> str:
    """A file's name that can be written out, whatever bytes it is made of."""
    return name.encode("utf-8", "backslashreplace").decode()


def _read(name: str) -> bytes:
    """As much of a mail as is looked at. Raises DigestError when it cannot be read."""
    if name == "-":
        return sys.stdin.buffer.read(MAX_BYTES)
    try:
        with Path(name).open("rb") as file:
            return file.read(MAX_BYTES)
    except OSError as problem:
        raise DigestError(f"{name}: {problem.strerror or problem}") from problem


def _people(report: Report) -> list[tuple[str, str | None, str]]:
    """Each recipient with its class, where it has one, and why."""
    if report.failures:
        return [
            (each.address, "hard" if each.cause.hard else "soft", each.cause.value)
            for each in report.failures
        ]
    return [(address, None, "") for address in report.addresses]


def _document(report: Report) -> dict[str, Any]:
    recipients = [{"address": address, "class": kind} for address, kind, _ in _people(report)]
    return {"kind": report.kind.value, "recipients": recipients}


def _tell(reports: dict[str, Report]) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("file", "kind", "recipient", "class", "cause"):
        table.add_column(title)
    for name, report in reports.items():
        first = (escape(name), report.kind.value)
        for address, kind, cause in _people(report) or [("-", None, "")]:
            table.add_row(*first, escape(address), kind or "-", cause or "-")
            first = ("", "")
    out.print(table)
