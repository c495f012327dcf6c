"""`digest preview`: the edition that would go out now, and what is to be said about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from digest.app import open_app
from digest.cli.feeds import tell_polls
from digest.cli.run import here, out, print_json, run, told
from digest.errors import DigestError
from digest.jobs.exhibit import describe, lay_out
from digest.jobs.gather import Poll
from digest.jobs.illustrate import count_linked
from digest.jobs.press import name_of
from digest.jobs.preview import (
    Seen,
    examine,
    find_reader,
    preview_link,
    with_theme,
    write_page,
)
from digest.jobs.rehearse import Rehearsal, as_edition, rehearse, show
from digest.jobs.world import World
from digest.model.edition import Written
from digest.model.finding import Finding, has_errors
from digest.model.newsletter import Newsletter, Schedule
from digest.model.subscriber import Subscription

_JSON = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
_NEWSLETTER = Annotated[
    str | None, typer.Option("--newsletter", metavar="SLUG", help="Needed where there are several.")
]

_TO = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Write preview.html and edition.html, .txt, .json."),
]
_READER = Annotated[
    str | None, typer.Option("--as", metavar="ADDRESS", help="As this reader gets it.")
]
_THEME = Annotated[str | None, typer.Option("--theme", metavar="NAME", help="In another theme.")]
_CHECK_LINKS = Annotated[
    bool, typer.Option("--check-links", help="Ask all links; a second for each of one host.")
]
_STRICT = Annotated[
    bool, typer.Option("--strict", help="Exit with 1 where a check finds an error.")
]
_WEB = Annotated[
    bool, typer.Option("--web", help="Print a link to the preview, good for 24 hours.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this family."""
    app.command("preview")(preview)


def preview(
    *,
    newsletter: _NEWSLETTER = None,
    to: _TO = None,
    reader: _READER = None,
    theme: _THEME = None,
    check_links: _CHECK_LINKS = False,
    strict: _STRICT = False,
    web: _WEB = False,
    as_json: _JSON = False,
) -> None:
    """Show the edition that would go out now, and check it; sends and stores nothing.

    preview.html shows it side by side: desktop, telephone, dark, without pictures, as text.

    Examples: [bold]digest preview[/bold] · [bold]digest preview --web[/bold] ·
    [bold]digest preview --out out --as anna@example.org --strict[/bold]
    """
    if web:
        run(lambda _: _link(newsletter))
        return
    wishes = _Wishes(newsletter, reader, theme, to, check_links)
    found = run(lambda _: _look_ahead(wishes))
    tell_polls(found.failed)
    if found.linked:
        told.print(
            f"{found.linked} pictures are shown here from their sites: a preview stores nothing."
            " Readers get ours, or none."
        )
    if as_json:
        print_json(found.facts)
    elif found.facts is None:
        told.print("Nothing new: no edition would go out.")
    elif to is None:
        out.print(found.text, markup=False)
    else:
        said = f"Wrote {to}/preview.html, edition.html, edition.txt and edition.json"
        told.print(said, markup=False)
    if not as_json:
        _tell(found.findings, whole=to is not None)
    if strict and has_errors(found.findings):
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class _Wishes:
    newsletter: str | None
    reader: str | None
    theme: str | None
    to: Path | None
    check_links: bool


@dataclass(frozen=True, slots=True)
class _Preview:
    failed: list[Poll]
    #: None when there is nothing new
    facts: dict[str, object] | None = None
    text: str = ""
    findings: tuple[Finding, ...] = ()
    #: pictures that come from their sites, though readers get ours
    linked: int = 0


async def _link(slug: str | None) -> None:
    async with open_app(here()) as world:
        out.print(preview_link(world, world.newsletter(slug)), markup=False)


async def _look_ahead(wishes: _Wishes) -> _Preview:
    async with open_app(here()) as world:
        which = with_theme(world, world.newsletter(wishes.newsletter), wishes.theme)
        person = await find_reader(world, which, wishes.reader) if wishes.reader else None
        schedule = which.default_schedule
        if person is not None:
            schedule = which.schedule(person.frequency) or schedule
        rehearsal = await rehearse(world, which, schedule, name=_selection(which, person))
        failed = [poll for poll in rehearsal.polls if poll.error]
        if rehearsal.prepared is None:
            return _Preview(failed)
        edition = as_edition(rehearsal.prepared, which, schedule)
        seen = await examine(world, edition, which, person, asks=wishes.check_links)
        facts = _facts(which, rehearsal, schedule)
        shown = show(world, edition, which, person)
        if wishes.to is not None:
            _write(world, wishes.to, seen, shown, facts)
        findings = seen.findings("en")
        linked = count_linked(world, which, rehearsal.prepared.draft.articles)
        checks = [each.as_json() for each in findings]
        return _Preview(failed, facts | {"checks": checks}, shown.text, findings, linked)


def _facts(newsletter: Newsletter, rehearsal: Rehearsal, schedule: Schedule) -> dict[str, object]:
    found = rehearsal.prepared
    assert found is not None  # noqa: S101 -- the caller looked
    return describe(
        newsletter,
        found.draft,
        schedule=schedule.name,
        number=found.chosen.number,
        made_at=found.chosen.made_at,
    )


def _write(world: World, to: Path, seen: Seen, shown: Written, facts: dict[str, object]) -> None:
    page = write_page(world, seen, language=seen.newsletter.language)
    try:
        lay_out(to, shown, facts)
        (to / "preview.html").write_text(page, encoding="utf-8", newline="")
    except OSError as problem:
        raise DigestError(f"--out {to}: {problem.strerror}") from problem


def _selection(newsletter: Newsletter, person: Subscription | None) -> str:
    """The name of what this reader gets."""
    return name_of(newsletter, person.topics, person.subscriber.language) if person else ""


def _tell(findings: tuple[Finding, ...], *, whole: bool) -> None:
    """What was found, a line each; what is well only where somebody looks at the whole."""
    for each in findings:
        if each.level != "ok" or whole:
            where = f" ({each.where})" if each.where else ""
            told.print(f"{each.level}: {each.what}{where} {each.do}".rstrip(), markup=False)
