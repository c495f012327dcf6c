"""`digest feed held`, `release` and `drop`: what came in a flood, and the operator's word on it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from digest.app import open_app
from digest.cli.run import here, many, out, print_json, run, told
from digest.jobs import flood
from digest.jobs.exhibit import utc
from digest.store.floods import Flood, Outcome

_JSON = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
_URL = Annotated[str, typer.Argument(metavar="URL", help="The feed's address.")]


def add_to(feed: typer.Typer) -> None:
    """Add the commands of this family to `digest feed`."""
    feed.command("held")(held)
    feed.command("release")(release)
    feed.command("drop")(drop)


def held(*, as_json: _JSON = False) -> None:
    """List feeds that brought far more new articles than usual: those are held until you speak.

    A site that moved may call all that it ever published new. `release` lets the articles be told
    in the next editions, `drop` lets them never be told.

    Examples: [bold]digest feed held[/bold] · [bold]digest feed held --json[/bold]
    """

    async def journey(stop: asyncio.Event) -> list[Flood]:  # noqa: ARG001 -- every journey has it
        async with open_app(here()) as world:
            return await flood.held(world)

    floods = run(journey)
    if as_json:
        print_json([_described(each) for each in floods])
        return
    for each in floods:
        usual = f"{max(each.usual, 1):.0f}"
        since = f"{each.began_at:%Y-%m-%d %H:%M} UTC"
        out.print(each.url, markup=False)
        out.print(
            f"  {many(each.articles, 'article')} since {since}, where {usual} are usual",
            markup=False,
        )
        for title in each.titles:
            out.print(f"  - {title}", markup=False)
        if len(each.titles) < each.articles:
            out.print(f"  - and {each.articles - len(each.titles)} more", markup=False)
        out.print(f"  digest feed release {each.url}", markup=False)
        out.print(f"  digest feed drop {each.url}", markup=False)
    if not floods:
        told.print("Nothing is held.")


def _described(each: Flood) -> dict[str, Any]:
    return {
        "url": each.url,
        "since_utc": utc(each.began_at),
        "articles": each.articles,
        "usual": round(each.usual, 1),
        "titles": list(each.titles),
    }


def release(url: _URL) -> None:
    """Let what is held of a feed be told: it is news after all.

    Example: [bold]digest feed release https://example.org/feed[/bold]
    """
    count = _end(url, "released")
    told.print(f"{url}: {many(count, 'article')} may be told now", markup=False)


def drop(url: _URL) -> None:
    """Never tell what is held of a feed: it was published before.

    Example: [bold]digest feed drop https://example.org/feed[/bold]
    """
    count = _end(url, "dropped")
    told.print(f"{url}: {many(count, 'article')} will never be told", markup=False)


def _end(url: str, outcome: Outcome) -> int:
    async def journey(stop: asyncio.Event) -> int:  # noqa: ARG001 -- every journey has it
        async with open_app(here()) as world:
            return await flood.end(world, url, outcome)

    return run(journey)
