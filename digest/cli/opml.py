"""`digest feed export`, `digest feed import`: lists of feeds, as other programs write and read."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from digest.app import open_app
from digest.cli.run import fail, here, many, out, print_json, run, told
from digest.errors import DigestError, UsageError
from digest.feeds.opml import MAX_BYTES, Listed, OpmlRefused, read_opml, write_opml
from digest.model.newsletter import FeedSource, Newsletter
from digest.settings import read_newsletters
from digest.settings.edit import add_feeds
from digest.store import feeds

_NEWSLETTER = Annotated[
    str | None, typer.Option("--newsletter", metavar="SLUG", help="Needed where there are several.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What becomes of one feed of a list."""

    url: str
    title: str | None
    section: str | None
    action: Literal["add", "skip", "reject"]
    reason: str | None = None


def add_to(family: typer.Typer) -> None:
    """Add the commands."""
    family.command("export")(export)
    family.command("import")(take_in)


def export(
    *,
    newsletter: _NEWSLETTER = None,
    to: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it there.")
    ] = None,
) -> None:
    """Write a newsletter's feeds as OPML 2.0, its sections as folders.

    Examples: [bold]digest feed export > feeds.opml[/bold] ·
    [bold]digest feed export --newsletter ki-news --out feeds.opml[/bold]
    """
    text = run(lambda _: _exported(newsletter))
    if to is None:
        sys.stdout.write(text)
        return
    try:
        to.write_text(text, encoding="utf-8")
    except OSError as problem:
        fail(f"--out {to}: {problem.strerror}")
    told.print(f"{to}: written", markup=False)


async def _exported(slug: str | None) -> str:
    async with open_app(here()) as world:
        which = world.newsletter(slug)
        async with world.store.read() as connection:
            found = await feeds.find(connection, [each.url for each in which.feeds])
        known = {each.url: each for each in found}
        listed = [
            Listed(
                url=each.url,
                title=known[each.url].title if each.url in known else None,
                section=each.section,
                site_url=known[each.url].site_url if each.url in known else None,
            )
            for each in which.feeds
        ]
        return write_opml(which.title, listed, made_at=world.clock())


def take_in(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An OPML document.")],
    *,
    newsletter: _NEWSLETTER = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on standard output.")
    ] = False,
) -> None:
    """Add the feeds of an OPML list to newsletters.toml, its folders as sections.

    What is there already is left alone, and so are comments and order of the file.

    Examples: [bold]digest feed import feeds.opml --dry-run[/bold] ·
    [bold]digest feed import feeds.opml --newsletter ki-news[/bold]
    """
    try:
        path = here().newsletters_file
        which = _choose(read_newsletters(path), newsletter)
        rows = judge(_read(file), which)
        new = [FeedSource(url=each.url, section=each.section) for each in _of(rows, "add")]
        if new:
            add_feeds(path, which.slug, new, dry_run=dry_run)
    except DigestError as problem:
        fail(str(problem), code=problem.exit_code)
    counts = {
        name: len(_of(rows, action))
        for name, action in (("added", "add"), ("skipped", "skip"), ("rejected", "reject"))
    }
    if as_json:
        print_json({"rows": [asdict(each) for each in rows], **counts, "dry_run": dry_run})
        return
    _tell(rows)
    said = ", ".join(f"{count} {name}" for name, count in counts.items())
    told.print(f"{many(len(rows), 'feed')}: {said}", markup=False)
    if dry_run:
        told.print("Dry run, nothing was written.")
    elif new:
        told.print(f"{path}: written; restart `digest serve`, which reads it at its start.")


def judge(listed: Sequence[Listed], newsletter: Newsletter) -> tuple[Row, ...]:
    """What becomes of each feed of a list in a newsletter: added, there already, or refused."""
    here = {_bare(each.url): each.url for each in newsletter.feeds}
    there: set[str] = set()
    rows = []
    for each in listed:
        bare = _bare(each.url)
        action: Literal["add", "skip", "reject"] = "add"
        reason = None
        if each.reason:
            action, reason = "reject", each.reason
        elif bare in here:
            known = here[bare]
            action = "skip"
            reason = "is there already" + ("" if known == each.url else f" as {known}")
        elif bare in there:
            action, reason = "skip", "stands in this list twice"
        there.add(bare)
        rows.append(
            Row(url=each.url, title=each.title, section=each.section, action=action, reason=reason)
        )
    return tuple(rows)


def _bare(url: str) -> str:
    """An address without what two spellings of one differ in."""
    host, slash, path = url.partition("#")[0].partition("://")[2].partition("/")
    return (host.lower() + slash + path).rstrip("/")


def _of(rows: Sequence[Row], action: str) -> list[Row]:
    return [each for each in rows if each.action == action]


def _choose(known: Sequence[Newsletter], slug: str | None) -> Newsletter:
    names = ", ".join(each.slug for each in known)
    if slug is None and len(known) == 1:
        return known[0]
    if slug is None:
        raise UsageError(f"there are several newsletters: say --newsletter and one of {names}")
    found = next((each for each in known if each.slug == slug), None)
    if found is None:
        raise UsageError(f"there is no newsletter {slug!r}; there is {names}")
    return found


def _read(file: Path) -> tuple[Listed, ...]:
    try:
        with file.open("rb") as handle:
            body = handle.read(MAX_BYTES + 1)
    except OSError as problem:
        raise DigestError(f"{file} cannot be read: {problem.strerror}") from problem
    listed = read_opml(body)
    if isinstance(listed, OpmlRefused):
        raise DigestError(f"{file}: {listed.reason}; nothing was added")
    if not listed:
        raise DigestError(f"{file} lists no feed (no outline with xmlUrl)")
    return listed


def _tell(rows: Sequence[Row]) -> None:
    table = Table("feed", "section", "", title_justify="left")
    for each in rows:
        what = each.action if each.reason is None else f"{each.action}: {each.reason}"
        table.add_row(each.url or each.title or "-", each.section or "-", what)
    out.print(table, markup=False)
