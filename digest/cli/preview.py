"""`digest preview`: the edition that would go out now."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from digest.app import open_app
from digest.cli.feeds import tell_polls
from digest.cli.run import here, out, print_json, run, told
from digest.errors import DigestError, UsageError
from digest.jobs.exhibit import describe, lay_out
from digest.jobs.gather import Poll
from digest.jobs.press import name_of
from digest.jobs.rehearse import as_edition, rehearse, show
from digest.jobs.world import World
from digest.model.newsletter import Newsletter
from digest.model.subscriber import Subscription
from digest.store import subscribers
from digest.subscribers.address import address_key, parse_address

_JSON = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
_NEWSLETTER = Annotated[
    str | None, typer.Option("--newsletter", metavar="SLUG", help="Needed where there are several.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this family."""
    app.command("preview")(preview)


def preview(
    *,
    newsletter: _NEWSLETTER = None,
    to: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write edition.html, .txt, .json.")
    ] = None,
    reader: Annotated[
        str | None, typer.Option("--as", metavar="ADDRESS", help="As this reader gets it.")
    ] = None,
    as_json: _JSON = False,
) -> None:
    """Show the edition that would go out now; sends and stores nothing.

    Examples: [bold]digest preview[/bold] ·
    [bold]digest preview --out out --as anna@example.org[/bold]
    """
    found = run(lambda _: _look_ahead(newsletter, reader, to))
    tell_polls(found.failed)
    if as_json:
        print_json(found.facts)
    elif found.facts is None:
        told.print("Nothing new: no edition would go out.")
    elif to is not None:
        told.print(f"Wrote {to}/edition.html, edition.txt and edition.json", markup=False)
    else:
        out.print(found.text, markup=False)


@dataclass(frozen=True, slots=True)
class _Preview:
    failed: list[Poll]
    #: None when there is nothing new
    facts: dict[str, object] | None = None
    text: str = ""


async def _look_ahead(newsletter: str | None, reader: str | None, to: Path | None) -> _Preview:
    async with open_app(here()) as world:
        which = world.newsletter(newsletter)
        person = await _reader(world, which, reader) if reader else None
        schedule = which.default_schedule
        if person is not None:
            schedule = which.schedule(person.frequency) or schedule
        rehearsal = await rehearse(world, which, schedule, name=_selection(which, person))
        failed = [poll for poll in rehearsal.polls if poll.error]
        found = rehearsal.prepared
        if found is None:
            return _Preview(failed)
        shown = show(world, as_edition(found, which, schedule), which, person)
        facts = describe(
            which,
            found.draft,
            schedule=schedule.name,
            number=found.chosen.number,
            made_at=found.chosen.made_at,
        )
        if to is not None:
            try:
                lay_out(to, shown, facts)
            except OSError as problem:
                raise DigestError(f"--out {to}: {problem.strerror}") from problem
        return _Preview(failed, facts, shown.text)


def _selection(newsletter: Newsletter, person: Subscription | None) -> str:
    """The name of what this reader gets."""
    return name_of(newsletter, person.topics, person.subscriber.language) if person else ""


async def _reader(world: World, newsletter: Newsletter, address: str) -> Subscription:
    async with world.store.read() as connection:
        found = await subscribers.by_address(connection, address_key(parse_address(address)))
    for each in found:
        if each.newsletter == newsletter.slug:
            return each
    raise UsageError(f"--as {address}: has no subscription to {newsletter.slug}")
