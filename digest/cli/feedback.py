"""`digest bounces process`: what came back is applied."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from digest.app import open_app
from digest.cli.progress import counting
from digest.cli.run import here, many, print_json, run, told
from digest.deliveries.mailbox import read_address
from digest.jobs.mailbox import Processed, process_mailbox


def process(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; change and move nothing.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on standard output.")
    ] = False,
) -> None:
    """Read the bounce mailbox (DIGEST_BOUNCE_MAILBOX), apply what is in it and move it aside.

    Examples: [bold]digest bounces process[/bold] · [bold]digest bounces process --dry-run[/bold]
    """

    async def journey(stop: asyncio.Event) -> Processed:
        settings = here()
        read_address(settings.bounce_mailbox)  # before a database is made for nothing
        async with open_app(settings) as world:
            return await process_mailbox(
                world,
                stop=stop,
                dry_run=dry_run,
                counting=lambda total: counting("Mails", total=total, shown=not as_json),
            )

    done = run(journey, patient=True)
    if as_json:
        print_json(asdict(done))
    else:
        _tell(done, dry_run=dry_run)


def _tell(done: Processed, *, dry_run: bool) -> None:
    if not (done.read or done.errors):
        told.print("The bounce mailbox is empty.")
        return
    counts = {name: number for name, number in asdict(done).items() if number and name != "read"}
    listed = ", ".join(f"{number} {name}" for name, number in counts.items())
    told.print(f"{many(done.read, 'mail')} read: {listed}.", markup=False)
    if dry_run:
        told.print("Nothing was changed or moved.")
