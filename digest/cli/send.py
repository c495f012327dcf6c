"""`digest send`: makes an edition and delivers it now, by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from digest.app import open_app
from digest.cli.feeds import tell_polls
from digest.cli.progress import counting
from digest.cli.run import fail, here, many, print_json, run, told, warn_of_http
from digest.errors import RelayAway
from digest.jobs.alerts import tell_operator
from digest.jobs.dispatch import Dispatch, count_readers, send_now
from digest.jobs.join import check_frequency
from digest.jobs.rehearse import as_edition, latest, rehearse, send_tests
from digest.jobs.stopping import unless_stopped
from digest.jobs.world import World
from digest.model.delivery import Outcome, Sent, Uncertain
from digest.model.edition import Edition
from digest.model.newsletter import Newsletter, Schedule
from digest.model.pause import Scope
from digest.subscribers.address import parse_address

_JSON = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
_NEWSLETTER = Annotated[
    str | None, typer.Option("--newsletter", metavar="SLUG", help="Needed where there are several.")
]
_OUTCOMES = ("sent", "deferred", "bounced", "uncertain", "skipped", "expired", "waiting")
_UNREAD = "none of the feeds could be read, so nothing could be found new"
_NO_GATHER = Annotated[bool, typer.Option("--no-gather", help="Do not poll the feeds first.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this family."""
    app.command("send")(send)


def send(
    *,
    newsletter: _NEWSLETTER = None,
    frequency: Annotated[
        str | None, typer.Option(metavar="F", help="Only the readers of this schedule.")
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", metavar="ADDRESS", help="Send a marked test to these alone."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen.")] = False,
    no_gather: _NO_GATHER = False,
    as_json: _JSON = False,
) -> None:
    """Gather, make an edition and deliver it now.

    What an earlier run left unfinished is finished too. Nothing new: sends nothing.

    Examples: [bold]digest send[/bold] · [bold]digest send --dry-run[/bold] ·
    [bold]digest send --to me@example.org[/bold]
    """
    wish = _Wish(newsletter, frequency, tuple(to or ()), not no_gather, not as_json)
    report = run(lambda stop: _send(wish, dry_run=dry_run, stop=stop), patient=True)
    if as_json:
        print_json(report.document)
    else:
        told.print(report.said, markup=False)
    if report.failed:
        fail(report.failed)
    if not as_json:
        warn_of_http(here())


@dataclass(frozen=True, slots=True)
class _Wish:
    newsletter: str | None
    frequency: str | None
    to: tuple[str, ...]
    gathering: bool
    talking: bool


@dataclass(frozen=True, slots=True)
class _Report:
    document: dict[str, Any]
    said: str
    failed: str | None = None


async def _send(wish: _Wish, *, dry_run: bool, stop: asyncio.Event) -> _Report:
    addresses = [parse_address(each) for each in wish.to]
    async with open_app(here()) as world:
        which = world.newsletter(wish.newsletter)
        schedules = _schedules(which, wish.frequency)
        if dry_run:
            return await unless_stopped(
                stop, _say_what_would_be(world, which, schedules, wish, tests=len(addresses))
            )
        if addresses:
            return await _send_test(world, which, schedules[0], wish, addresses, stop=stop)
        return await _send_really(world, which, schedules, wish, stop)


def _schedules(newsletter: Newsletter, frequency: str | None) -> tuple[Schedule, ...]:
    if frequency is None:
        return newsletter.schedules
    wanted = check_frequency(newsletter, frequency)
    return tuple(each for each in newsletter.schedules if each.name == wanted)


async def _send_really(
    world: World,
    newsletter: Newsletter,
    schedules: Sequence[Schedule],
    wish: _Wish,
    stop: asyncio.Event,
) -> _Report:
    readers = await count_readers(world, newsletter, schedules)
    with counting("Mails", total=readers, shown=wish.talking) as one_more:
        done = await send_now(
            world,
            newsletter,
            schedules,
            gathering=wish.gathering,
            stop=stop,
            told=lambda _: one_more(),
        )
    if not stop.is_set():
        await tell_operator(world)
    if wish.talking:
        tell_polls([each for each in done.polls if each.error])
        for each in done.pauses:
            ways = "" if "digest resume" in each.cause else f" (`digest resume {each.name}`)"
            told.print(f"Paused: {each.scope} {each.name}: {each.cause}{ways}", markup=False)
    return _Report(document=_count(done), said=_in_words(done), failed=_trouble(done))


def _count(done: Dispatch) -> dict[str, Any]:
    tally = done.tally
    return {
        "edition": done.editions[0] if done.editions else None,
        "editions": list(done.editions),
        "articles": done.articles,
        "recipients": done.recipients,
        "sent": tally.sent,
        "deferred": tally.deferred,
        "bounced": tally.bounced,
        "uncertain": tally.uncertain,
        "skipped": tally.excluded,
        "expired": tally.expired,
        "waiting": done.waiting,
        "paused": [
            {"scope": each.scope.value, "name": each.name, "cause": each.cause}
            for each in done.pauses
        ],
    }


def _in_words(done: Dispatch) -> str:
    if not done.editions and done.unread:
        return "Nobody reads it yet: no edition was made, and the articles wait."
    if not done.editions:
        return "Nothing new: nothing was sent."
    counts = _count(done)
    told_of = ", ".join(f"{counts[name]} {name}" for name in _OUTCOMES if counts[name])
    which = ", ".join(str(each) for each in done.editions)
    resumed = " (finished what an earlier run began)" if done.resumed else ""
    return (
        f"Edition {which}: {many(done.articles, 'article')} for {many(done.recipients, 'reader')}; "
        f"{told_of or (_wait(done) if done.waiting else 'nobody to send it to')}{resumed}"
    )


def _wait(done: Dispatch) -> str:
    return "1 mail waits" if done.waiting == 1 else f"{done.waiting} mails wait"


def _trouble(done: Dispatch) -> str | None:
    if done.tally.away is not None:
        return (
            f"{done.tally.away}; {_wait(done)} in the ledger, "
            "nothing is lost: run `digest send` again when the relay is back"
        )
    held = [each for each in done.pauses if each.scope is Scope.EDITION]
    if held:
        hint = f"; `digest resume {held[0].name}` goes on"
        ways = "" if "digest resume" in held[0].cause else hint
        return f"edition {held[0].name} is paused, and {_wait(done)}: {held[0].cause}{ways}"
    if done.polls and not done.editions and all(each.error for each in done.polls):
        return _UNREAD
    if done.stopped and done.waiting:
        return f"stopped in order; {_wait(done)}: run `digest send` again to go on"
    return None


async def _send_test(
    world: World,
    newsletter: Newsletter,
    schedule: Schedule,
    wish: _Wish,
    addresses: list[str],
    *,
    stop: asyncio.Event,
) -> _Report:
    found = await unless_stopped(
        stop, rehearse(world, newsletter, schedule, gathering=wish.gathering)
    )
    if found.prepared is not None:
        edition = as_edition(found.prepared, newsletter, schedule)
    else:
        edition = await latest(world, newsletter)
    try:
        outcomes = await send_tests(world, edition, newsletter, addresses)
    except RelayAway as problem:
        raise RelayAway(f"{problem}; the test was not sent") from problem
    return _report_test(edition, addresses, outcomes)


def _report_test(edition: Edition, addresses: list[str], outcomes: list[Outcome]) -> _Report:
    names = [type(each).__name__.lower() for each in outcomes]
    document = {
        "edition": None,
        "editions": [],
        "articles": len(edition.written.cards),
        "recipients": len(addresses),
        **{name: names.count(name) for name in _OUTCOMES},
        "test": [
            {"address": to, "outcome": name, "reply": _reply(each)}
            for to, name, each in zip(addresses, names, outcomes, strict=True)
        ],
    }
    said = f"Test sent to {names.count('sent')} of {len(addresses)} addresses."
    refused = [
        f"{to}: {_reply(each)}"
        for to, each in zip(addresses, outcomes, strict=True)
        if not isinstance(each, Sent)
    ]
    return _Report(document, said, refused[0] if refused else None)


def _reply(outcome: Outcome) -> str:
    return outcome.reason if isinstance(outcome, Uncertain) else str(outcome.reply)


async def _say_what_would_be(
    world: World,
    newsletter: Newsletter,
    schedules: Sequence[Schedule],
    wish: _Wish,
    *,
    tests: int,
) -> _Report:
    """What a send would do; a test goes to its addresses, with the default rhythm's edition."""
    articles = recipients = 0
    lines, polls = [], []
    for schedule in schedules[:1] if tests else schedules:
        found = await rehearse(world, newsletter, schedule, gathering=wish.gathering)
        polls = list(found.polls)
        readers = tests or found.recipients
        if found.prepared is None or not readers:
            what = "nobody reads it" if found.prepared else "nothing new"
            lines.append(f"{schedule.name}: {what}.")
            continue
        count = len(found.prepared.draft.articles)
        articles, recipients = max(articles, count), recipients + readers
        lines.append(
            f"{schedule.name}: “{found.prepared.draft.subject}”, {many(count, 'article')} "
            f"for {many(readers, 'test reader' if tests else 'reader')}."
        )
    document: dict[str, Any] = {
        "edition": None,
        "editions": [],
        "articles": articles,
        "recipients": recipients,
        **dict.fromkeys(_OUTCOMES, 0),
        "dry_run": True,
    }
    if wish.talking:
        tell_polls([each for each in polls if each.error])
    failed = _UNREAD if polls and all(each.error for each in polls) else None
    return _Report(document, "Dry run, nothing was sent. " + " ".join(lines), failed)
