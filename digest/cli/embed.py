"""`digest embed`: the sign-up form for other sites, to be copied into their pages."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from digest.app import open_renderer
from digest.cli.run import fail, here, print_json, told
from digest.errors import DigestError, UsageError
from digest.model.newsletter import Newsletter
from digest.settings import read_newsletters
from digest.web.embed import write_form, write_tag
from digest.words import languages


def add_to(app: typer.Typer) -> None:
    """Add the commands of this family."""
    app.command("embed")(embed)


def embed(
    *,
    newsletter: Annotated[
        str | None,
        typer.Option("--newsletter", metavar="SLUG", help="Needed where there are several."),
    ] = None,
    language: Annotated[
        str | None, typer.Option(metavar="L", help="de or en; else the newsletter's.")
    ] = None,
    html: Annotated[bool, typer.Option("--html", help="Only the form as plain HTML.")] = False,
    script: Annotated[bool, typer.Option("--script", help="Only the script tag.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on standard output.")
    ] = False,
) -> None:
    """Print the sign-up form for other sites: plain HTML, a script that puts it there, or both.

    Examples: [bold]digest embed[/bold] ·
    [bold]digest embed --newsletter stadtblatt --language en --html > form.html[/bold] ·
    [bold]digest embed --script[/bold]
    """
    try:
        found = _write(newsletter, language)
    except DigestError as problem:
        fail(str(problem), code=problem.exit_code)
    if as_json:
        print_json(found)
        return
    if html != script:
        sys.stdout.write(found["html" if html else "script"])
    else:
        for title, name in (
            ("The form as plain HTML, which works everywhere:", "html"),
            ("Or a script that puts the form where its tag stands:", "script"),
        ):
            told.print(title, style="bold")
            sys.stdout.write(found[name] + "\n")
            sys.stdout.flush()  # before the next title, which goes elsewhere
    if 'action="https://' not in found["html"]:
        told.print(
            "DIGEST_PUBLIC_URL is not https: browsers warn of a form on a safe page that leads"
            " to an unsafe one",
            style="yellow",
        )


def _write(slug: str | None, language: str | None) -> dict[str, str]:
    """Both forms. Raises DigestError."""
    settings = here()
    chosen = _choose(read_newsletters(settings.newsletters_file), slug)
    spoken = language or chosen.language
    if spoken not in languages():
        raise UsageError(f"--language {spoken!r}: we speak {', '.join(languages())}")
    renderer = open_renderer(settings)
    home = settings.public_url
    return {
        "newsletter": chosen.slug,
        "language": spoken,
        "html": write_form(renderer, chosen, language=spoken, public_url=home),
        "script": write_tag(chosen, language=spoken, public_url=home),
    }


def _choose(newsletters: tuple[Newsletter, ...], slug: str | None) -> Newsletter:
    known = ", ".join(each.slug for each in newsletters)
    if slug is None and len(newsletters) != 1:
        raise UsageError(f"there are several newsletters: say --newsletter and one of {known}")
    found = next((each for each in newsletters if slug in (None, each.slug)), None)
    if found is None:
        raise UsageError(f"there is no newsletter {slug!r}; there is {known}")
    return found
