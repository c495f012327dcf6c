"""`digest verify`: whether the books balance, and who stands where."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer
from rich.table import Table

from digest.app import open_app
from digest.cli.run import fail, here, out, print_json, run, told
from digest.errors import UsageError
from digest.jobs.balance import COLUMNS, Balance, balance, name_people
from digest.jobs.exhibit import utc
from digest.store.books import Line

_JSON = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this family."""
    app.command("verify")(verify)


def verify(
    *,
    edition: Annotated[
        int | None, typer.Argument(help="Its number in `status`; without one, all.", min=1)
    ] = None,
    people: Annotated[
        list[str] | None,
        typer.Option(
            "--people", metavar="STATE", help=f"Name them: {', '.join(COLUMNS)} or all; repeatable."
        ),
    ] = None,
    as_json: _JSON = False,
) -> None:
    """Add up the books: every reader of an edition must stand somewhere, once.

    Exit code 1 when they do not balance.

    Examples: [bold]digest verify[/bold] · [bold]digest verify 12 --people deferred[/bold]
    """

    async def journey(stop: asyncio.Event) -> tuple[list[Balance], list[Line]]:  # noqa: ARG001 -- every journey has it
        async with open_app(here()) as world:
            found = await balance(world, edition)
            named = (
                [each async for each in name_people(world, edition, _columns(people))]
                if people and edition is not None
                else []
            )
            return found, named

    if people and edition is None:
        fail("verify --people needs an edition: `digest verify 12 --people deferred`", code=2)
    found, named = run(journey)
    if as_json:
        print_json(_document(found, edition, named if people else None))
    else:
        _print(found, named if people else None)
    wrong = [each.edition for each in found if not each.balanced]
    if wrong:
        fail(
            f"the books of edition {', '.join(map(str, wrong))} do not balance:"
            " keep the database as it is, and report it"
        )


def _columns(people: list[str]) -> list[str]:
    wanted = list(COLUMNS) if "all" in people else people
    for each in wanted:
        if each not in COLUMNS:
            raise UsageError(f"--people {each!r}: there is {', '.join(COLUMNS)} and all")
    return wanted


def _document(
    found: list[Balance], edition: int | None, named: list[Line] | None
) -> dict[str, Any]:
    each_one = [
        {
            "edition": each.edition,
            "newsletter": each.newsletter,
            "number": each.number,
            "candidates": each.candidates,
            **each.columns,
            "possible_copies": each.doubts,
            "balanced": each.balanced,
        }
        for each in found
    ]
    if edition is not None:
        people = {} if named is None else {"people": [_describe(each) for each in named]}
        return each_one[0] | people
    totals = ("candidates", *COLUMNS, "possible_copies")
    return {
        "edition": None,
        **{name: sum(each[name] for each in each_one) for name in totals},
        "balanced": all(each["balanced"] for each in each_one),
        "editions": each_one,
    }


def _describe(line: Line) -> dict[str, Any]:
    return {
        "address": line.address,
        "state": line.state.value,
        "attempts": line.attempts,
        "possible_copies": line.doubts,
        "due_utc": utc(line.due_at),
        "changed_utc": utc(line.updated_at),
        "reply": line.reply,
    }


def _print(found: list[Balance], named: list[Line] | None) -> None:
    if not found:
        told.print("There is no edition yet.")
        return
    table = Table("edition", "candidates", *COLUMNS, "balance")
    for each in found:
        table.add_row(
            str(each.edition),
            str(each.candidates),
            *(str(each.columns[name]) for name in COLUMNS),
            "ok" if each.balanced else "WRONG",
        )
    out.print(table, markup=False)
    doubts = sum(each.doubts for each in found)
    if doubts:
        were = "reply was" if doubts == 1 else "replies were"
        out.print(f"{doubts} {were} never read: so many copies may exist", markup=False)
    if named is not None:
        people = Table("address", "state", "attempts", "since", "reply")
        for line in named:
            people.add_row(
                line.address,
                line.state.value,
                str(line.attempts),
                utc(line.updated_at),
                line.reply or "",
            )
        out.print(people, markup=False)
