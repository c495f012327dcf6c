"""`digest subscribers show`, `export`, `erase`, `reopen`: what is held on a person, and its end."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from digest.app import open_app
from digest.cli.run import fail, here, many, out, print_json, run, told
from digest.jobs import forget, portrait
from digest.store import people, suppressions
from digest.store.erasing import Erased
from digest.subscribers.address import address_key, parse_address

_JSON = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
_ADDRESS = Annotated[str, typer.Argument(metavar="ADDRESS")]
_BECAUSE = Annotated[
    str, typer.Option("--because", metavar="TEXT", help="Who asked for it, when and how; is kept.")
]

#: columns of the narrowest terminal that is promised
WIDTH = 80

#: how far what belongs to an event stands in, and how wide its names are
_INDENT, _NAMES = 4, 12


def add_to(family: typer.Typer) -> None:
    """Add the commands about one person."""
    family.command("show")(show)
    family.command("erase")(erase)
    family.command("reopen")(reopen)


def show(address: _ADDRESS, *, as_json: _JSON = False) -> None:
    """Show one person's subscriptions, and the record of consent as evidence.

    Each event stands with its time, its door, the words that were shown, the mail that was sent,
    and its hash, which covers all events before it (docs/decisions/0016 says how to check it).

    Example: [bold]digest subscribers show anna@example.org[/bold]
    """

    async def journey(stop: asyncio.Event) -> tuple[dict[str, Any] | None, str | None]:  # noqa: ARG001 -- every journey has it
        async with open_app(here()) as world, world.store.read() as connection:
            key = address_key(parse_address(address))
            found = await people.known(connection, key)
            if found is not None:
                return await portrait.draw(connection, world, found, whole=False), None
            known_as = world.signer.suppression_hash(key)
            return None, await suppressions.suppression(connection, known_as)

    found, closed = run(journey)
    if found is None:
        why = f"; it is closed to us: {closed}" if closed else ""
        fail(f"{address} is nobody that we know{why}")
    if as_json:
        print_json(found)
        return
    if found["suppressed"]:
        told.print(
            f"{address} is closed to us: {found['suppressed']}", style="yellow", markup=False
        )
    for line in evidence(found):
        out.print(line, markup=False, emoji=False)


def evidence(person: dict[str, Any]) -> Iterator[str]:
    """What is held on a person as lines that fit a narrow terminal, and a sheet of paper.

    A line is longer only where a hash or an id is: nothing of these is ever broken.
    """
    for each in person["subscriptions"]:
        yield f"{person['address']} · {each['newsletter']}"
        for name, value in each.items():
            if name not in ("address", "newsletter", "consent") and not name.startswith("record"):
                yield from _pair(name, value, indent=2, width=18)
        for number, event in enumerate(each["consent"], start=1):
            yield ""
            yield f"  {number}. {event['at_utc']}  {event['kind']} by {event['door']}"
            yield from _facts(event)
        yield ""
        broken = each["record_broken_at"]
        yield "record: unbroken" if broken is None else f"record: BROKEN at event {broken}"
        yield ""


def _facts(event: dict[str, Any]) -> Iterator[str]:
    shown = event["text_version"] is not None
    facts = {
        "language": event["language"],
        "network": event["network"],
        "words" if shown else "detail": event["detail"] or None,
        "version": event["text_version"] and f"{event['text_version']} (SHA-256 of the words)",
        "Message-ID": event["message_id"],
        "SHA-256": event["message_hash"],
        "at": event["at"],
        "hash": event["hash"] or None,
    }
    for name, value in facts.items():
        if value is not None:
            yield from _pair(name, value, indent=_INDENT, width=_NAMES)


def _pair(name: str, value: object, *, indent: int, width: int) -> Iterator[str]:
    """A name and what it is, over as many lines as it takes."""
    text = ", ".join(value) if isinstance(value, list) else "-" if value is None else str(value)
    yield from textwrap.wrap(
        text or "-",
        width=WIDTH - 1,
        initial_indent=" " * indent + name.ljust(width),
        subsequent_indent=" " * (indent + width),
        break_long_words=False,
        break_on_hyphens=False,
    )


def erase(address: _ADDRESS, *, as_json: _JSON = False) -> None:
    """Forget a person, and keep the promise not to write: only a hash of the address stays.

    It asks nothing and cannot be taken back. A second time it says that it was done.

    Example: [bold]digest subscribers erase anna@example.org[/bold]
    """

    async def journey(stop: asyncio.Event) -> Erased | None:  # noqa: ARG001 -- every journey has it
        async with open_app(here()) as world:
            return await forget.erase_address(world, address, door="cli")

    done = run(journey)
    if as_json:
        counts = done or Erased(subscriptions=0, deliveries=0, consent_events=0, bounces=0)
        print_json(
            {
                "address": address,
                "erased": True,
                "already": done is None,
                "subscriptions": counts.subscriptions,
                "deliveries": counts.deliveries,
                "consent_events": counts.consent_events,
                "bounces": counts.bounces,
                "suppressed": suppressions.ERASED,
            }
        )
    elif done is None:
        told.print(f"{address} was forgotten before, and is closed to us", markup=False)
    else:
        told.print(
            f"{address} is forgotten: {many(done.subscriptions, 'subscription')} ended,"
            f" {many(done.deliveries, 'message')} in the books without a name,"
            f" {many(done.consent_events, 'line')} of the record and"
            f" {many(done.bounces, 'bounce')} deleted. The address stays closed to us;"
            " backups and logs are yours to clear.",
            markup=False,
        )


def reopen(address: _ADDRESS, *, because: _BECAUSE) -> None:
    """Open an address that is closed to us, because its owner asked for that.

    Whoever left, complained or was erased must still sign up again. The reason is kept in the
    record of whoever is known by the address, and logged.

    Example: [bold]digest subscribers reopen anna@example.org --because "mail of 3 May"[/bold]
    """
    if not because.strip():
        fail("--because: say who asked for it, when and how", code=2)

    async def journey(stop: asyncio.Event) -> str | None:  # noqa: ARG001 -- every journey has it
        async with open_app(here()) as world:
            return await forget.reopen_address(world, address, because=because, door="cli")

    was = run(journey)
    if was is None:
        fail(f"{address} is not closed to us: there is nothing to reopen")
    told.print(f"{address} is open to us again; it was closed: {was}", markup=False)
