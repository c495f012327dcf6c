"""`digest status`: how things stand."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer
from rich.table import Table

from digest.app import open_app
from digest.cli.run import here, out, print_json, run
from digest.jobs import restore
from digest.jobs.status import take_stock

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
    feeds = Table("feed", "last poll", "state")
    for each in stock["feeds"]:
        feeds.add_row(each["url"], each["last_polled_utc"] or "never", each["error"] or "well")
    out.print(feeds, markup=False)


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
