"""`digest status`: how things stand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from digest.app import open_app
from digest.cli.run import here, many, out, print_json, run
from digest.jobs import restore
from digest.jobs.status import take_stock

#: minutes; what is longer is said in hours
TWO_HOURS = 120

_JSON = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this family."""
    app.command("status")(status)


def status(*, as_json: _JSON = False) -> None:
    """Say how things stand: newsletters, queue, feeds.

    Example: [bold]digest status --json[/bold]
    """

    async def journey(stop: asyncio.Event) -> dict[str, Any]:  # noqa: ARG001 -- every journey has it
        async with open_app(here()) as world:
            await restore.look(world)
            return await take_stock(world)

    stock = run(journey)
    if as_json:
        print_json(stock)
        return
    newsletters = Table(
        "newsletter", "readers", "pending", "last edition", "next edition", title_justify="left"
    )
    for each in stock["newsletters"]:
        newsletters.add_row(
            each["slug"],
            str(each["active"]),
            str(each["pending"]),
            each["last_edition_utc"] or "-",
            each["next_edition"] or "-",
        )
    out.print(newsletters, markup=False)
    queue = {name: count for name, count in stock["queue"].items() if count}
    out.print("Deliveries: " + (", ".join(f"{n} {name}" for name, n in queue.items()) or "none"))
    if stock["queued_for_later"]:
        out.print(f"Not due yet (their readers' hour, or a pause): {stock['queued_for_later']}")
    if stock["seconds_left"] is not None:
        out.print(f"{stock['rate_per_second']} a second, {stock['seconds_left']} seconds to go")
    _print_troubles(stock)
    out.print(feeds_table(stock["feeds"]), markup=False)


def feeds_table(feeds: Sequence[dict[str, Any]]) -> Table:
    """How feeds stand, in two columns: addresses are long, and nothing of them may be cut."""
    table = Table(title_justify="left", show_lines=True)
    table.add_column("feed", overflow="fold", ratio=2)
    table.add_column("how it stands", overflow="fold", ratio=3)
    for each in feeds:
        # as Text, for what strangers wrote is no markup
        table.add_row(Text(each["url"]), Text("\n".join(_of_feed(each))))
    return table


def _of_feed(feed: dict[str, Any]) -> Iterator[str]:
    """What there is to say of a feed, the worst first."""
    match feed["state"]:
        case "failing":
            yield f"failing since {_short(feed['failing_since_utc'])}: {feed['error']}"
        case "retired":
            yield (
                f"gone for good since {_short(feed['retired_utc'])}; not asked any more:"
                " take it out, or write its new address"
            )
        case state:
            yield state
    if feed["moved_to"]:
        yield f"moved to {feed['moved_to']}: write that into newsletters.toml"
    if held := feed["held"]:
        since = _short(held["since_utc"])
        yield f"{many(held['articles'], 'article')} held since {since}: `{held['to_do']}`"
    yield f"last poll {_short(feed['last_polled_utc'])}, next {_next(feed)}"
    if feed["last_new_utc"]:
        yield f"last new article {_short(feed['last_new_utc'])}"
    yield from _of_articles(feed)
    if (push := feed["push"]) and push["state"] == "active":
        yield f"{push['hub']} tells us until {_short(push['until_utc'])}"
    elif push:
        yield f"hub {push['state']}" + (f": {push['error']}" if push["error"] else "")


def _of_articles(feed: dict[str, Any]) -> Iterator[str]:
    """Whether we hold what its site published, and how that is known."""
    if (tally := feed["tally"]) and tally["known_by"]:
        yield (
            f"site published {tally['published']}, we hold {tally['held']}"
            f" since {_short(tally['since_utc'])} (known by {tally['known_by']})"
        )
    elif tally:
        yield f"we hold {tally['held']} since {_short(tally['since_utc'])}; its site does not count"
    if missing := feed["missing"]:
        since = _short(missing["since_utc"]) if missing["since_utc"] else "the beginning"
        yield f"articles may be missing between {since} and {_short(missing['until_utc'])}"


def _next(feed: dict[str, Any]) -> str:
    if feed["next_poll_utc"] is None:
        return "never" if feed["state"] == "retired" else "now"
    every = feed["interval_seconds"]
    return _short(feed["next_poll_utc"]) + (f" (every {_span(every)})" if every else "")


def _span(seconds: int) -> str:
    minutes = max(1, round(seconds / 60))
    return f"{minutes} min" if minutes < TWO_HOURS else f"{round(minutes / 60)} h"


def _short(at: str | None) -> str:
    """A moment of the document to the minute, UTC."""
    return at[:16].replace("T", " ") if at else "never"


def _print_troubles(stock: dict[str, Any]) -> None:
    """What does not go as it should, and what to do about it."""
    if stock["relay_error"]:
        since = stock["relay_error_since_utc"]
        out.print(f"Relay away since {since}: {stock['relay_error']}", style="red", markup=False)
    for each in stock["pauses"]:
        until = f"until {each['until_utc']}" if each["until_utc"] else "until you resume it"
        ways = "" if "digest resume" in each["cause"] else f" (`digest resume {each['name']}`)"
        out.print(
            f"Paused: {each['scope']} {each['name']}, {until}: {each['cause']}{ways}",
            style="yellow",
            markup=False,
        )
    for each in stock["slow_domains"]:
        said = f"Slow: {each['domain']}, {each['seconds_between']} seconds between two mails"
        out.print(said, markup=False)
    if stock["brake"]:
        out.print("Brake: few sign-ups of the last day were confirmed, so each has to do work")
    bounces = {name: count for name, count in stock["bounces_last_7_days"].items() if count}
    if bounces:
        told = ", ".join(f"{count} {name}" for name, count in bounces.items())
        out.print(f"Bounces of 7 days: {told}", markup=False)
    if stock["suppressed"]:
        told = ", ".join(f"{count} {reason}" for reason, count in stock["suppressed"].items())
        out.print(f"Addresses closed to us: {told}", markup=False)
