"""`digest gather` and `digest feed …`: what the feeds bring."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from digest.app import open_app, open_fetcher
from digest.cli.progress import counting
from digest.cli.run import here, out, print_json, run, told
from digest.jobs.check import Checked, check_feeds
from digest.jobs.gather import Poll, gather

_JSON = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this family."""
    app.command("gather")(gather_feeds)
    feed = typer.Typer(help="Look at feeds.", no_args_is_help=True)
    feed.command("check")(check)
    feed.callback()(lambda: None)
    app.add_typer(feed, name="feed")


def gather_feeds(
    *,
    every: Annotated[bool, typer.Option("--all", help="Poll all feeds, due or not.")] = False,
    as_json: _JSON = False,
) -> None:
    """Poll the feeds that are due and keep their new articles.

    Examples: [bold]digest gather[/bold] · [bold]digest gather --all --json[/bold]
    """

    async def journey(stop: asyncio.Event) -> list[Poll]:  # noqa: ARG001 -- every journey has it
        async with open_app(here()) as world:
            feeds = sum(len(each.feeds) for each in world.newsletters)
            with counting("Feeds", total=feeds, shown=not as_json) as one_more:
                return await gather(
                    world, world.newsletters, only_due=not every, told=lambda _: one_more()
                )

    polls = run(journey)
    if as_json:
        print_json({"feeds": [asdict(each) for each in polls]})
    elif polls:
        tell_polls(polls)
    else:
        told.print("No feed is due; --all polls them all the same.")


def tell_polls(polls: list[Poll]) -> None:
    """Say how the polls went, one line each."""
    for each in polls:
        what = each.error or f"{each.status}, {each.new} new"
        told.print(f"{each.url}: {what}", style="red" if each.error else None, markup=False)


def check(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE…", help="Addresses or files.")],
    *,
    as_json: _JSON = False,
) -> None:
    """Read feeds or files as the service would; store nothing.

    Examples: [bold]digest feed check https://example.org/feed[/bold] ·
    [bold]digest feed check --json saved.xml[/bold]
    """

    async def journey(stop: asyncio.Event) -> list[Checked]:  # noqa: ARG001 -- every journey has it
        allow = here().feed_allow_private
        async with open_fetcher(allow_private=allow) as fetcher:
            return await check_feeds(fetcher, sources)

    checked = run(journey)
    if as_json:
        print_json([asdict(each) for each in checked])
    else:
        _tell(checked)
    if all(each.error for each in checked):
        raise typer.Exit(1)


def _tell(checked: list[Checked]) -> None:
    for each in checked:
        if each.error:
            told.print(f"{each.source}: {each.error}", style="red", markup=False)
            continue
        table = Table(title=escape(each.source), show_header=False, title_justify="left", box=None)
        table.add_row("entries", str(each.entries))
        table.add_row("first title", each.first_title or "-")
        table.add_row("first link", each.first_link or "-")
        table.add_row("first date (UTC)", each.first_published_utc or "-")
        table.add_row("first picture", each.first_image or "-")
        out.print(table, markup=False)
