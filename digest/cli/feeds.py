"""`digest gather` and `digest feed …`: what the feeds bring."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from digest.app import open_app, open_fetcher, utc_now
from digest.cli import floods, opml
from digest.cli.progress import counting
from digest.cli.run import fail, here, out, print_json, run, told
from digest.jobs.alerts import tell_operator
from digest.jobs.check import Checked, check_feeds
from digest.jobs.find import Offered, find_feeds
from digest.jobs.gather import Poll, gather
from digest.model.feed import FeedFailure

_JSON = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this family."""
    app.command("gather")(gather_feeds)
    feed = typer.Typer(
        help="Look at feeds: check, find, import, export; decide on what is held.",
        no_args_is_help=True,
    )
    feed.command("check")(check)
    feed.command("find")(find)
    opml.add_to(feed)
    floods.add_to(feed)
    feed.callback()(lambda: None)
    app.add_typer(feed, name="feed")


def gather_feeds(
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Poll all feeds, due or not, gone or not.")
    ] = False,
    as_json: _JSON = False,
) -> None:
    """Poll the feeds that are due and keep their new articles.

    Tells the operator (DIGEST_OPERATOR) of feeds that got into trouble or out of it.

    Examples: [bold]digest gather[/bold] · [bold]digest gather --all --json[/bold]
    """

    async def journey(stop: asyncio.Event) -> list[Poll]:  # noqa: ARG001 -- every journey has it
        async with open_app(here()) as world:
            feeds = sum(len(each.feeds) for each in world.newsletters)
            with counting("Feeds", total=feeds, shown=not as_json) as one_more:
                polls = await gather(
                    world,
                    world.newsletters,
                    only_due=not every,
                    retired=every,
                    told=lambda _: one_more(),
                )
            # where no service runs, nobody else would
            await tell_operator(world)
            return polls

    polls = run(journey)
    if as_json:
        print_json({"feeds": [_document(each) for each in polls]})
    elif polls:
        tell_polls(polls)
    else:
        told.print("No feed is due; --all polls them all the same.")


def _document(poll: Poll) -> dict[str, object]:
    """A poll for scripts; what is held is named where there is any, for mostly there is none."""
    document = asdict(poll)
    return document if poll.held else {key: document[key] for key in document if key != "held"}


def tell_polls(polls: list[Poll]) -> None:
    """Say how the polls went, one line each."""
    for each in polls:
        held = f", {each.held} held (see `digest feed held`)" if each.held else ""
        what = each.error or f"{each.status}, {each.new} new{held}"
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


def find(
    url: Annotated[str, typer.Argument(metavar="URL", help="Any page of the site.")],
    *,
    as_json: _JSON = False,
) -> None:
    """Find the feeds that a site offers: read its page, ask the places where feeds usually are.

    Each one is fetched and read. What readers write (comments) stands last.

    Examples: [bold]digest feed find https://example.org[/bold] ·
    [bold]digest feed find --json example.org[/bold]
    """

    async def journey(stop: asyncio.Event) -> tuple[Offered, ...] | FeedFailure:  # noqa: ARG001 -- every journey has it
        allow = here().feed_allow_private
        async with open_fetcher(allow_private=allow) as fetcher:
            return await find_feeds(fetcher, url, now=utc_now())

    found = run(journey)
    if isinstance(found, FeedFailure):
        fail(f"{url}: {found.reason}")
    if as_json:
        print_json([asdict(each) for each in found])
    else:
        _tell_found(found)
    if all(each.error for each in found):
        fail(f"{url}: no feed was found; its pages name none, and the usual places hold none")


def _tell_found(found: Sequence[Offered]) -> None:
    for each in found:
        if each.error:
            told.print(f"{each.url}: {each.error}", style="red", markup=False)
            continue
        what = [each.kind or "", "1 entry" if each.entries == 1 else f"{each.entries} entries"]
        what += [f"newest {each.newest_utc}"] if each.newest_utc else []
        what += [each.language] if each.language else []
        what += ["comments"] if each.comments else []
        out.print(each.url, markup=False)
        out.print(f"  {each.title or 'without a title'} ({', '.join(what)})", markup=False)
        for other in each.also:
            out.print(f"  the same: {other}", markup=False)
