"""`digest explain`: why an article is in or out of an edition."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from digest.app import open_app
from digest.cli.run import here, out, print_json, run
from digest.jobs.explain import MEANINGS, Explained, Reason
from digest.jobs.explain import explain as find_reasons

#: how a story is told that lost something
_CUT = {
    "full": "told at length, but not as the lead",
    "brief": "told in brief and not at length",
    "line": "told by its title alone",
}


def add_to(app: typer.Typer) -> None:
    """Add the commands of this family."""
    app.command("explain")(explain)


def explain(
    *,
    article: Annotated[
        str, typer.Argument(metavar="ARTICLE", help="Its address, or its id in edition.json.")
    ],
    edition: Annotated[
        int | None, typer.Option("--edition", metavar="E", help="Of this edition only.", min=1)
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on standard output.")
    ] = False,
) -> None:
    """Say why an article is in or out of an edition, number by number.

    Of the editions that were made, and of those that would be made now. Polls and stores nothing.

    Examples: [bold]digest explain https://example.org/story[/bold] ·
    [bold]digest explain 42 --edition 7 --json[/bold]
    """

    async def journey(stop: asyncio.Event) -> Explained:  # noqa: ARG001 -- every journey has it
        async with open_app(here()) as world:
            return await find_reasons(world, article, edition)

    found = run(journey)
    if as_json:
        print_json(found.as_json())
        return
    known = found.article.article
    out.print(f"{known.title}\n{known.url}", markup=False, highlight=False)
    for each in found.reasons:
        out.print(_say(each), markup=False, highlight=False)


def _say(reason: Reason) -> str:
    of = f"edition {reason.edition}" if reason.edition is not None else "the next edition"
    where = " ".join(part for part in (reason.newsletter, reason.schedule) if part)
    if reason.position is not None:
        verdict = f"in, at place {reason.position}"
        verdict += f" of “{reason.section}”" if reason.section else ""
    else:
        verdict = f"out: {MEANINGS.get(reason.reason or '', reason.reason)}"
    lines = [f"\n{where + ': ' if where else ''}{of}: {verdict}"]
    if reason.cut is not None:
        lines.append(f"  cut: {_CUT[reason.cut[1]]}, so that mail programs show the whole mail")
    if reason.instead is not None:
        lines.append(f"  see: {reason.instead[0]} {reason.instead[1]}")
    lines += [
        f"  topic {topic}: {name!r} in its {where} ({weight:+g})"
        for topic, where, name, weight in reason.signs
    ]
    lines += [f"  {name:<10} {number:+.3f}" for name, number in reason.score.items()]
    return "\n".join(lines)
