"""`digest subscribe`, `unsubscribe` and `subscribers …`: who reads what, and by what right."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.table import Table

from digest.app import open_app
from digest.cli import consent, export
from digest.cli.run import fail, here, out, print_json, run, told
from digest.editions.calendar import check_timezone
from digest.errors import UsageError
from digest.jobs import join, leave
from digest.jobs.portrait import describe
from digest.jobs.send import deliver
from digest.jobs.world import World
from digest.model.newsletter import OTHER, Newsletter
from digest.model.subscriber import Subscription
from digest.store import subscribers
from digest.store.people import is_erased
from digest.store.queue import Scope
from digest.words import languages

_JSON = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
_NEWSLETTER = Annotated[
    str | None, typer.Option("--newsletter", metavar="SLUG", help="Needed where there are several.")
]
_ADDRESS = Annotated[str, typer.Argument(metavar="ADDRESS")]

#: rows of the store read at once
PAGE = 1000


def add_to(app: typer.Typer) -> None:
    """Add the commands of this family."""
    app.command("subscribe")(subscribe)
    app.command("unsubscribe")(unsubscribe)
    family = typer.Typer(help="Look at subscribers; export and erase.", no_args_is_help=True)
    family.command("list")(list_all)
    consent.add_to(family)
    export.add_to(family)
    app.add_typer(family, name="subscribers")


def subscribe(
    address: _ADDRESS,
    *,
    newsletter: _NEWSLETTER = None,
    confirmed: Annotated[
        bool, typer.Option("--confirmed", help="You hold the proof of consent; nobody is asked.")
    ] = False,
    language: Annotated[str | None, typer.Option(metavar="L", help="de or en.")] = None,
    frequency: Annotated[
        str | None, typer.Option(metavar="F", help="One of the schedules.")
    ] = None,
    topic: Annotated[
        list[str] | None,
        typer.Option(metavar="T", help="Only news of this topic; as often as you like."),
    ] = None,
    timezone: Annotated[str | None, typer.Option(metavar="TZ", help="An IANA name.")] = None,
) -> None:
    """Start a double opt-in: a confirm mail goes out, and nothing else until its button is used.

    Examples: [bold]digest subscribe anna@example.org[/bold] ·
    [bold]digest subscribe anna@example.org --confirmed --frequency weekly[/bold]
    """
    if language is not None and language not in languages():
        fail(f"--language {language!r}: we speak {', '.join(languages())}", code=2)
    if timezone is not None and (wrong := check_timezone(timezone)):
        fail(f"--timezone: {wrong}", code=2)

    async def journey(stop: asyncio.Event) -> str:
        async with open_app(here()) as world:
            which = world.newsletter(newsletter)
            wanted: dict[str, Any] = {
                "address": address,
                "newsletter": which,
                "language": language,
                "frequency": frequency,
                "topics": _topics(which, topic or ()),
                "timezone": timezone,
                "door": "cli",
            }
            if confirmed:
                found = await join.admit(world, **wanted, detail="operator's own proof")
                return f"{found.subscriber.address} reads {found.newsletter} ({found.frequency})"
            asked = await join.request(world, **wanted, detail="digest subscribe")
            return await _say_asked(world, asked, address, stop)

    told.print(run(journey, patient=True), markup=False)


def _topics(newsletter: Newsletter, names: Sequence[str]) -> tuple[str, ...]:
    """The choice that these names make. Raises UsageError for one that is not offered."""
    offered = [*(each.name for each in newsletter.topics), *([OTHER] if newsletter.topics else [])]
    for name in names:
        if name not in offered:
            known = ", ".join(offered) or "none"
            raise UsageError(f"{newsletter.slug} has no topic {name!r}; it has {known}")
    return newsletter.choose(names)


async def _say_asked(world: World, asked: join.Asked, address: str, stop: asyncio.Event) -> str:
    match asked:
        case join.Asked.ASKED:
            tally = await deliver(world, Scope(editions=frozenset()), stop=stop)
            if tally.away:
                return (
                    f"asked {address}; the confirm mail waits, for the relay is away: {tally.away}"
                )
            if not tally.sent:
                return f"asked {address}; the relay did not take the confirm mail, see `status`"
            return f"asked {address}; the confirm mail is on its way"
        case join.Asked.WAITING:
            return f"{address} was asked already; a second confirm mail goes out after 24 hours"
        case join.Asked.ACTIVE:
            return f"{address} reads it already; nothing to do"
        case join.Asked.SUPPRESSED:
            return f"{address} is closed to us; nothing was sent"


def unsubscribe(address: _ADDRESS, *, newsletter: _NEWSLETTER = None) -> None:
    """End a person's subscription to one newsletter, or to all; it takes effect at once.

    Example: [bold]digest unsubscribe anna@example.org[/bold]
    """

    async def journey(stop: asyncio.Event) -> list[Subscription]:  # noqa: ARG001 -- every journey has it
        async with open_app(here()) as world:
            which = world.newsletter(newsletter) if newsletter else None
            return await leave.leave_address(world, address, newsletter=which, door="cli")

    left = run(journey)
    if not left:
        fail(f"{address} has no such subscription")
    for each in left:
        told.print(f"{each.subscriber.address} gets {each.newsletter} no more", markup=False)


def list_all(*, newsletter: _NEWSLETTER = None, as_json: _JSON = False) -> None:
    """List the subscriptions.

    Example: [bold]digest subscribers list --json[/bold]
    """

    async def journey(stop: asyncio.Event) -> list[Subscription]:  # noqa: ARG001 -- every journey has it
        async with open_app(here()) as world:
            slug = world.newsletter(newsletter).slug if newsletter else None
            return await _all(world, slug)

    found = run(journey)
    if as_json:
        print_json([describe(each) for each in found])
        return
    table = Table("address", "newsletter", "state", "frequency", "language", "since")
    for each in found:
        since = each.confirmed_at or each.requested_at
        table.add_row(
            each.subscriber.address,
            each.newsletter,
            each.state.value,
            each.frequency,
            each.subscriber.language,
            f"{since:%Y-%m-%d}",
        )
    out.print(table, markup=False)


async def _all(world: World, slug: str | None) -> list[Subscription]:
    found: list[Subscription] = []
    after = 0
    async with world.store.read() as connection:
        while True:
            page = await subscribers.every(connection, newsletter=slug, after=after, limit=PAGE)
            found += [each for each in page if not is_erased(each.subscriber.address)]
            if len(page) < PAGE:
                return found
            after = page[-1].id
