"""`digest proof`: the drafts that wait for their editors, and where each can be judged."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from digest.app import open_app
from digest.cli.run import here, out, print_json, run, told
from digest.jobs.docket import Waiting, waiting


def add_to(app: typer.Typer) -> None:
    """Add the commands of this family."""
    app.command("proof")(show_proofs)


def show_proofs(
    *,
    newsletter: Annotated[
        str | None, typer.Option("--newsletter", metavar="SLUG", help="Only of this one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Show the drafts that wait for their editors, when each goes out, and the link to it.

    Whoever has such a link speaks for the editors.

    Example: [bold]digest proof --newsletter ki-news[/bold]
    """

    async def journey(stop: asyncio.Event) -> list[Waiting]:  # noqa: ARG001 -- every journey has it
        async with open_app(here()) as world:
            return await waiting(world, newsletter)

    found = run(journey)
    if as_json:
        print_json([each.as_json() for each in found])
        return
    for each in found:
        out.print(
            f"{each.newsletter} {each.schedule} {each.slot_at:%Y-%m-%d %H:%M} UTC: {each.state}, "
            f"{_goes(each)}, {'mailed' if each.told else 'not mailed yet'}\n  {each.link}",
            markup=False,
        )
    if not found:
        told.print("no draft waits for an editor", markup=False)


def _goes(each: Waiting) -> str:
    if each.goes_at is None:
        return "waits for an editor"
    return f"goes out at {each.goes_at:%H:%M} UTC"
