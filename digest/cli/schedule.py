"""`digest schedule next`: when a cron expression would run."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from digest.app import utc_now
from digest.cli.run import fail, out, print_json
from digest.editions.calendar import next_times
from digest.errors import DigestError


def add_to(app: typer.Typer) -> None:
    """Add the commands of this family."""
    family = typer.Typer(help="Look at schedules.", no_args_is_help=True)
    family.command("next")(show_next)
    family.callback()(lambda: None)
    app.add_typer(family, name="schedule")


def show_next(
    cron: Annotated[str, typer.Argument(help="Five fields, as in crontab(5).")],
    *,
    timezone: Annotated[str, typer.Option(help="An IANA name.")],
    start: Annotated[str | None, typer.Option(help="ISO time; now if left out.")] = None,
    count: Annotated[int, typer.Option(min=1, max=1000)] = 5,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Say when a schedule comes next, over clock changes too.

    Example: [bold]digest schedule next "0 7 * * *" --timezone Europe/Berlin --count 3[/bold]
    """
    try:
        times = next_times(cron, timezone=timezone, after=_start(start), count=count)
    except DigestError as problem:
        fail(str(problem), code=problem.exit_code)
    except OverflowError:  # in UTC it lies before the year 1 or after 9999
        fail(f"--start {start}: no calendar reaches that far", code=2)
    lines = [each.isoformat() for each in times]
    if as_json:
        print_json(lines)
    else:
        out.print("\n".join(lines), markup=False)


def _start(text: str | None) -> datetime:
    if text is None:
        return utc_now()
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        fail(f"--start {text!r} is no ISO time such as 2026-11-24T07:00:00+01:00", code=2)
