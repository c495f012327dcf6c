"""`digest subscribers export`: one person's data as a document, or everybody for moving out.

It goes page by page, so that a million people need no more memory than a thousand.
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Final

import typer

from digest.app import open_app
from digest.cli.run import fail, here, print_json, run
from digest.errors import DigestError, UsageError
from digest.jobs import forget, portrait
from digest.jobs.world import World
from digest.store import people, subscribers
from digest.subscribers.address import address_key, parse_address

#: rows of the store read at once
PAGE: Final = 1000

COLUMNS: Final = (
    "address",
    "newsletter",
    "state",
    "frequency",
    "topics",
    "language",
    "timezone",
    "requested_utc",
    "confirmed_utc",
    "unsubscribed_utc",
    "suppressed",
)

#: what a spreadsheet takes for the beginning of a formula
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def add_to(family: typer.Typer) -> None:
    """Add the command."""
    family.command("export")(export)


def export(
    address: Annotated[str | None, typer.Argument(metavar="[ADDRESS]", show_default=False)] = None,
    *,
    newsletter: Annotated[
        str | None, typer.Option("--newsletter", metavar="SLUG", help="Only of this one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Hand out all that is held on a person, as JSON; without an address all subscriptions, as CSV.

    In the CSV, a cell that a spreadsheet would take for a formula begins with an apostrophe.

    Examples: [bold]digest subscribers export anna@example.org[/bold] ·
    [bold]digest subscribers export > all.csv[/bold]
    """

    async def journey(stop: asyncio.Event) -> dict[str, object] | None:  # noqa: ARG001 -- every journey has it
        async with open_app(here()) as world:
            if address is not None:
                return await _one(world, address)
            slug = world.newsletter(newsletter).slug if newsletter else None
            await (_as_json if as_json else _as_csv)(_all(world, slug))
            return None

    if address is not None and newsletter is not None:
        fail("export: say an address or --newsletter, not both", code=2)
    document = run(journey)
    if document is not None:
        print_json(document)


async def _one(world: World, address: str) -> dict[str, object]:
    async with world.store.read() as connection:
        found = await people.known(connection, address_key(parse_address(address)))
    if found is None:
        raise DigestError(f"{address} is nobody that we know: nothing is held")
    try:
        return await forget.export_person(world, subscriber_id=found)
    except UsageError as problem:  # erased meanwhile
        raise DigestError(f"{address} is nobody that we know any more") from problem


async def _all(world: World, slug: str | None) -> AsyncIterator[dict[str, Any]]:
    """Every subscription of everybody who was not erased."""
    after = 0
    while True:
        async with world.store.read() as connection:
            page = await subscribers.every(connection, newsletter=slug, after=after, limit=PAGE)
            closed = await people.closed_among(connection, [each.id for each in page])
        for each in page:
            if not people.is_erased(each.subscriber.address):
                yield {**portrait.describe(each), "suppressed": closed.get(each.id)}
        if len(page) < PAGE:
            return
        after = page[-1].id


async def _as_csv(rows: AsyncIterator[dict[str, Any]]) -> None:
    """RFC 4180, with a header."""
    lines = csv.writer(sys.stdout, lineterminator="\r\n")
    _write(lambda: lines.writerow(COLUMNS))
    async for row in rows:
        cells = [_cell(row[name]) for name in COLUMNS]
        _write(lambda cells=cells: lines.writerow(cells))  # type: ignore[misc] # bound early
    _write(sys.stdout.flush)


def _cell(value: object) -> str:
    text = ",".join(value) if isinstance(value, list) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


async def _as_json(rows: AsyncIterator[dict[str, Any]]) -> None:
    before = "[\n"
    async for row in rows:
        text = before + json.dumps(row, ensure_ascii=False)
        _write(lambda text=text: sys.stdout.write(text))  # type: ignore[misc] # bound early
        before = ",\n"
    _write(lambda: sys.stdout.write("[]\n" if before == "[\n" else "\n]\n"))
    _write(sys.stdout.flush)


def _write(act: Callable[[], object]) -> None:
    """Raises DigestError when nobody reads any more, or the disk is full."""
    try:
        act()
    except OSError as problem:
        # what is still in the buffer must not make Python itself complain at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise DigestError(f"the export broke off: {problem.strerror}") from problem
