"""`digest pause`, `resume` and `abandon`: the operator's word on what is not delivered."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from digest.app import open_app
from digest.cli.run import here, many, run, told
from digest.jobs import hold

_NAME = Annotated[str, typer.Argument(metavar="EDITION|DOMAIN", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this family."""
    app.command("pause")(pause)
    app.command("resume")(resume)
    app.command("abandon")(abandon)


def pause(
    name: _NAME,
    *,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Shown in `status`.")
    ] = "paused by hand",
) -> None:
    """Deliver nothing more of an edition, or to a domain, until it is resumed.

    Examples: [bold]digest pause 12 --reason "wrong subject"[/bold] ·
    [bold]digest pause gmx.example[/bold]
    """

    async def journey(stop: asyncio.Event) -> None:  # noqa: ARG001 -- every journey has it
        async with open_app(here()) as world:
            await hold.pause(world, name, reason=reason)

    run(journey)
    told.print(f"{_called(name)} is paused; `digest resume {name}` goes on", markup=False)


def resume(name: _NAME) -> None:
    """Go on with what was paused; `digest status` says what is.

    Examples: [bold]digest resume 12[/bold] · [bold]digest resume gmx.example[/bold]
    """

    async def journey(stop: asyncio.Event) -> tuple[str, ...]:  # noqa: ARG001 -- every journey has it
        async with open_app(here()) as world:
            return await hold.resume(world, name)

    gone_on = run(journey)
    for each in gone_on:
        told.print(f"{_called(each)} goes on", markup=False)
    if not gone_on:
        told.print(f"{_called(name)} was not paused", markup=False)


def _called(name: str) -> str:
    return f"edition {name}" if name.isdecimal() else name


def abandon(
    edition: Annotated[int, typer.Argument(metavar="EDITION", min=1, show_default=False)],
) -> None:
    """Do not deliver what is left of an edition: its open deliveries expire.

    Example: [bold]digest abandon 12[/bold]
    """

    async def journey(stop: asyncio.Event) -> int:  # noqa: ARG001 -- every journey has it
        async with open_app(here()) as world:
            return await hold.abandon(world, edition)

    gone = run(journey)
    told.print(f"edition {edition}: {many(gone, 'mail')} given up", markup=False)
