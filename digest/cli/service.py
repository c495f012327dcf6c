"""`digest serve`, `digest worker` and `digest demo`: what stays up."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Annotated

import typer

from digest.app import open_app
from digest.cli.run import fail, run, start_logging, told, warn_of_http
from digest.settings import read_settings
from digest.words import languages


def add_to(app: typer.Typer) -> None:
    """Add the commands of this family."""
    app.command("demo")(demo)
    app.command("serve")(serve)
    app.command("worker")(worker)


def serve(
    *,
    host: Annotated[str, typer.Option(metavar="H")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="P", min=0, max=65535)] = 8000,
    no_web: Annotated[bool, typer.Option("--no-web", help="No pages.")] = False,
    no_schedule: Annotated[bool, typer.Option("--no-schedule", help="No clock.")] = False,
    no_delivery: Annotated[bool, typer.Option("--no-delivery", help="No delivery.")] = False,
) -> None:
    """Serve the reader's pages, keep the schedules and deliver, until Ctrl-C or SIGTERM.

    Examples: [bold]digest serve[/bold] · [bold]digest serve --host 0.0.0.0 --port 80[/bold]
    """
    from digest.service import serve as serve_all  # noqa: PLC0415 -- the web is heavy; only this command needs it

    async def journey(stop: asyncio.Event) -> None:
        settings = read_settings()
        start_logging(logging.INFO, kind=settings.log_format)
        async with open_app(settings) as world:

            def ready() -> None:
                where = f"http://{host}:{port}" if not no_web else "no pages"
                warn_of_http(settings)
                told.print(f"digest is up: {where}; Ctrl-C ends it in order", markup=False)

            await serve_all(
                world,
                host=host,
                port=port,
                web=not no_web,
                schedule=not no_schedule,
                delivery=not no_delivery,
                stop=stop,
                ready=ready,
            )

    if no_web and no_schedule and no_delivery:
        fail("--no-web --no-schedule --no-delivery leave nothing to do", code=2)
    run(journey, patient=True)


def worker() -> None:
    """Deliver what is due, and nothing else, until Ctrl-C or SIGTERM.

    Start as many as you need, on as many machines as you need, on one PostgreSQL.

    Example: [bold]digest worker[/bold]
    """
    from digest.service import serve as serve_all  # noqa: PLC0415 -- the web is heavy; few commands need it

    async def journey(stop: asyncio.Event) -> None:
        settings = read_settings()
        start_logging(logging.INFO, kind=settings.log_format)
        async with open_app(settings) as world:
            await serve_all(
                world,
                web=False,
                schedule=False,
                stop=stop,
                ready=lambda: told.print("digest delivers; Ctrl-C ends it in order"),
            )

    run(journey, patient=True)


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Send and exit; do not stay up.")] = False,
    feed: Annotated[
        list[str] | None, typer.Option(metavar="SOURCE", help="Feed addresses or files.")
    ] = None,
    subscribers: Annotated[int, typer.Option(metavar="N", min=1, max=100_000)] = 3,
    language: Annotated[str, typer.Option(metavar="L", help="de or en.")] = "de",
    theme: Annotated[
        str, typer.Option(metavar="NAME", help="plain, cards, brief, or a folder of yours.")
    ] = "plain",
    out: Annotated[Path, typer.Option("--out", metavar="DIR")] = Path("demo-out"),
    port: Annotated[
        int | None,
        typer.Option(metavar="P", min=0, max=65535, help="8025; with --once any free one."),
    ] = None,
) -> None:
    """Show the whole service on this machine alone, with nothing to configure.

    Examples: [bold]digest demo[/bold] · [bold]digest demo --theme cards[/bold] ·
    [bold]digest demo --once --feed https://example.org/feed[/bold]
    """
    from digest.demo.run import Wish, show  # noqa: PLC0415 -- only this command needs it

    if language not in languages():
        fail(f"--language {language!r}: we speak {', '.join(languages())}", code=2)
    wish = Wish(
        once=once,
        feeds=tuple(feed or ()),
        subscribers=subscribers,
        language=language,
        theme=theme,
        out=out,
        port=port if port is not None else (0 if once else 8025),
    )
    run(
        lambda stop: show(wish, stop=stop, told=lambda line: told.print(line, markup=False)),
        patient=True,
    )
