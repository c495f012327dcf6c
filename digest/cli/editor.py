"""`digest pin`, `refuse`, `retitle` and `correct`: the editors' word on an article."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any

import typer

from digest.app import open_app
from digest.cli.run import fail, here, many, out, print_json, run, told
from digest.errors import UsageError
from digest.jobs import edit
from digest.jobs.correct import Corrected
from digest.jobs.correct import correct as queue_correction
from digest.jobs.edit import Spoken
from digest.jobs.exhibit import utc
from digest.jobs.explain import MEANINGS
from digest.jobs.send import Tally, deliver
from digest.jobs.world import World
from digest.store.queue import Scope

_ARTICLE = Annotated[
    str, typer.Argument(metavar="ARTICLE", help="Its address, or its id in edition.json.")
]
_NEWSLETTER = Annotated[
    str | None,
    typer.Option("--newsletter", metavar="SLUG", help="Needed where several carry the article."),
]
_OFF = Annotated[bool, typer.Option("--off", help="Take it back.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this family."""
    app.command("pin")(pin)
    app.command("refuse")(refuse)
    app.command("retitle")(retitle)
    app.command("correct")(correct)


def pin(
    article: _ARTICLE,
    *,
    newsletter: _NEWSLETTER = None,
    place: Annotated[
        int, typer.Option("--place", metavar="N", min=1, max=999, help="Counted from 1.")
    ] = 1,
    off: _OFF = False,
) -> None:
    """Put an article on top of the next edition, or at another place, whatever its rank.

    Examples: [bold]digest pin https://example.org/story[/bold] ·
    [bold]digest pin 42 --place 3[/bold] · [bold]digest pin 42 --off[/bold]
    """
    where = None if off else place
    spoken = _speak(lambda world: edit.pin(world, article, newsletter, place=where))
    _tell(spoken, "not pinned any more" if off else f"pinned to place {place}", coming=not off)


def refuse(article: _ARTICLE, *, newsletter: _NEWSLETTER = None, off: _OFF = False) -> None:
    """Keep an article out of the editions to come.

    Examples: [bold]digest refuse https://example.org/story[/bold] ·
    [bold]digest refuse 42 --off[/bold]
    """
    spoken = _speak(lambda world: edit.refuse(world, article, newsletter, refused=not off))
    _tell(spoken, "not refused any more" if off else "refused", coming=off)


def retitle(
    article: _ARTICLE,
    title: Annotated[str | None, typer.Argument(metavar="TITLE", show_default=False)] = None,
    *,
    newsletter: _NEWSLETTER = None,
    off: _OFF = False,
) -> None:
    """Tell an article under another title in the editions to come.

    Examples: [bold]digest retitle 42 "What the new law means for you"[/bold] ·
    [bold]digest retitle 42 --off[/bold]
    """

    async def speak(world: World) -> Spoken:
        if off == (title is not None):
            raise UsageError("say the new title, or --off to give the article its own back")
        return await edit.retitle(world, article, newsletter, title=title)

    said = "told under its own title" if off else f"told as “{' '.join((title or '').split())}”"
    _tell(_speak(speak), said, coming=True)


def _speak(speak: Callable[[World], Awaitable[Spoken]]) -> Spoken:
    async def journey(stop: asyncio.Event) -> Spoken:  # noqa: ARG001 -- every journey has it
        async with open_app(here()) as world:
            return await speak(world)

    return run(journey)


def _tell(spoken: Spoken, said: str, *, coming: bool) -> None:
    told.print(f"{spoken.newsletter}: {spoken.title}: {said}", markup=False)
    if spoken.told_in:
        last = spoken.told_in[-1]
        told.print(f"edition {last} told it already, and stays as it was sent", markup=False)
    if coming and spoken.kept_out is not None:
        told.print(f"no edition tells it: {MEANINGS[spoken.kept_out]}", markup=False)


def correct(
    edition: Annotated[int, typer.Argument(metavar="EDITION", min=1, show_default=False)],
    article: _ARTICLE,
    *,
    note: Annotated[
        str, typer.Option("--note", metavar="TEXT", help="Your own words on what was wrong.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say who would get it; send and store nothing.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on standard output.")
    ] = False,
) -> None:
    """Mail what is right to those who got an edition with a wrong story, and to nobody else.

    Each of them once for each version of the article; those who get the edition later get the
    correction after it. Right is what its feed says now, or the title that you gave it.

    Examples: [bold]digest correct 12 https://example.org/story --dry-run[/bold] ·
    [bold]digest correct 12 42 --note "It was Berlin, not Bonn."[/bold]
    """

    async def journey(stop: asyncio.Event) -> tuple[Corrected, Tally]:
        async with open_app(here()) as world:
            done = await queue_correction(world, edition, article, note=note, dry_run=dry_run)
            if dry_run:
                return done, Tally()
            return done, await deliver(world, Scope(editions=frozenset()), stop=stop)

    done, tally = run(journey, patient=True)
    if as_json:
        print_json(_described(done, tally, dry_run=dry_run))
    else:
        _tell_corrected(done, tally, dry_run=dry_run)
    if tally.away:
        fail(f"{tally.away}; the corrections wait, and go out when the relay is back")


def _described(done: Corrected, tally: Tally, *, dry_run: bool) -> dict[str, Any]:
    facts = asdict(done.correction)
    return {
        "edition": facts["edition_id"],
        "article": facts["article_id"],
        "version": facts["version"],
        "was": facts["was"],
        "title": facts["title"],
        "note": facts["note"],
        "corrected_utc": utc(facts["made_at"]),
        "recipients": done.queued,
        "corrected_before": done.before,
        "sent": tally.sent,
        "dry_run": dry_run,
    }


def _tell_corrected(done: Corrected, tally: Tally, *, dry_run: bool) -> None:
    found = done.correction
    out.print(f"was: {found.was}\nnow: {found.title}", markup=False)
    if found.note:
        out.print(found.note, markup=False)
    readers = many(done.queued, "reader")
    if dry_run:
        told.print(f"Dry run, nothing was sent. It would go to {readers}.", markup=False)
        return
    had = f"; {done.before} had it before" if done.before else ""
    told.print(f"Corrected for {readers}{had}; {tally.sent} sent.", markup=False)
