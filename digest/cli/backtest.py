"""`digest backtest`: what another policy would have sent, beside what was sent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from digest.app import open_app
from digest.cli.progress import counting
from digest.cli.run import here, many, out, print_json, run, told
from digest.editions.backtest import Summary
from digest.errors import UsageError
from digest.jobs.backtest import DAYS, Backtest
from digest.jobs.backtest import backtest as try_policy
from digest.model.newsletter import Newsletter, Schedule
from digest.settings import read_newsletters


def add_to(app: typer.Typer) -> None:
    """Add the commands of this family."""
    app.command("backtest")(backtest)


def backtest(
    *,
    days: Annotated[
        int, typer.Option("--days", metavar="N", help=f"How far to look back, up to {DAYS}.")
    ] = 30,
    policy: Annotated[
        Path | None,
        typer.Option("--policy", metavar="FILE", help="Another newsletters.toml to try."),
    ] = None,
    newsletter: Annotated[
        str | None, typer.Option("--newsletter", metavar="SLUG", help="Without it, the first one.")
    ] = None,
    schedule: Annotated[
        str | None, typer.Option("--schedule", metavar="NAME", help="Without it, the default one.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="With titles: = in both, + only here, - only sent.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on standard output.")
    ] = False,
) -> None:
    """Show what a policy would have chosen in the last days, beside what was sent.

    Polls, sends and stores nothing; it replays each slot on what was held at that time.

    Examples: [bold]digest backtest --days 30[/bold] ·
    [bold]digest backtest --policy trial.toml --full[/bold]
    """

    async def journey(stop: asyncio.Event) -> Backtest:  # noqa: ARG001 -- every journey has it
        settings, tried = here(), _read(policy)
        async with open_app(settings) as world:
            which = _newsletter(tried or world.newsletters, newsletter)
            return await try_policy(
                world,
                which,
                _schedule(which, schedule),
                days=days,
                full=full,
                counting=lambda total: counting("Slots", total=total, shown=not as_json),
            )

    found = run(journey)
    if as_json:
        print_json(found.as_json())
    else:
        _print(found)


def _read(policy: Path | None) -> tuple[Newsletter, ...] | None:
    if policy is None:
        return None
    if not policy.is_file():
        raise UsageError(f"--policy {policy}: there is no such file")
    return read_newsletters(policy)


def _newsletter(known: tuple[Newsletter, ...], slug: str | None) -> Newsletter:
    if slug is None:
        return known[0]
    for each in known:
        if each.slug == slug:
            return each
    names = ", ".join(each.slug for each in known)
    raise UsageError(f"--newsletter {slug!r}: there is {names}")


def _schedule(newsletter: Newsletter, name: str | None) -> Schedule:
    found = newsletter.default_schedule if name is None else newsletter.schedule(name)
    if found is None:
        names = ", ".join(each.name for each in newsletter.schedules)
        raise UsageError(f"--schedule {name!r}: {newsletter.slug} has {names}")
    return found


def _print(found: Backtest) -> None:
    zone = ZoneInfo(found.newsletter.timezone)
    head = ("slot", "stories", "minutes", "kept", "new", "gone")
    table = Table(*head)
    titles = any(each.titles for each in found.lines)
    for each in found.lines:
        numbers = (each.stories, each.minutes, each.kept, each.new, each.gone)
        slot = each.at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
        if titles:
            counts = ", ".join(f"{n} {name}" for name, n in zip(head[1:], numbers, strict=True))
            out.print(f"{slot}: {counts}", markup=False)
            for mark, story in each.titles:
                out.print(f"  {mark} {story.title}", markup=False)
        else:
            table.add_row(slot, *map(str, numbers))
    if table.row_count:
        out.print(table, markup=False)
    _print_summary(found)
    for url in found.unread:
        told.print(f"never read, so nothing is held of it: {url}", style="yellow", markup=False)


def _print_summary(found: Backtest) -> None:
    table = Table(f"{found.newsletter.slug} {found.schedule.name}", "trial", "sent")
    sides = (found.trial, found.sent)
    columns = [_tell(each) for each in sides]
    for name in columns[0]:
        table.add_row(name, *(column[name] for column in columns))
    for why in dict.fromkeys(why for each in sides for why in each.never):
        table.add_row(f"  {why}", *(str(each.never.get(why, 0)) for each in sides))
    out.print(table, markup=False)
    out.print(
        f"{many(found.days, 'day')}: {found.kept} in both, {found.new} only in the trial,"
        f" {found.gone} only in what was sent",
        markup=False,
    )


def _tell(side: Summary) -> dict[str, str]:
    return {
        "editions": str(side.editions),
        "stories": str(side.stories),
        "sites": str(side.sources),
        "also the newest": _share(side.newest),
        "mean age": _hours(side.age),
        "never told": str(sum(side.never.values())),
    }


def _share(number: float | None) -> str:
    return "" if number is None else f"{number:.0%}"


def _hours(number: float | None) -> str:
    return "" if number is None else f"{number:.1f} h"
