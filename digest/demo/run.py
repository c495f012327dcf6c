"""Runs the whole service on loopback: a sample site, readers, a mail catcher, and real SMTP.

Everything is the service's own code; only the site, the readers and the catcher are the demo's.
The database is a temporary one: whatever the working directory holds is left alone.
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from digest.app import open_app, utc_now
from digest.demo.catcher import Catcher
from digest.demo.inbox import make_inbox
from digest.demo.names import PUBLIC_URL, SITE_URL, LoopbackFetcher, ShowLoopback
from digest.demo.site import make_site
from digest.errors import DigestError, Stopped
from digest.jobs.check import is_url
from digest.jobs.exhibit import describe, lay_out
from digest.jobs.gather import gather
from digest.jobs.join import admit
from digest.jobs.publish import Published, publish_now
from digest.jobs.rehearse import show as show_edition
from digest.jobs.send import deliver
from digest.jobs.stopping import unless_stopped
from digest.jobs.world import World
from digest.model.newsletter import FeedSource, Newsletter, Schedule, Sender, Topic
from digest.service import keep_delivering, open_door, serving
from digest.settings import Settings
from digest.store.queue import Scope
from digest.web.app import make_web

#: readers who exist nowhere (RFC 2606)
READERS = ("anna@leser.example", "ben@leser.example", "clara@leser.example")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the demo is asked to show."""

    once: bool
    #: addresses and files; none means the sample site
    feeds: tuple[str, ...]
    subscribers: int
    language: str
    theme: str
    out: Path
    port: int


async def show(wish: Wish, *, stop: asyncio.Event, told: Callable[[str], None]) -> None:
    """Gather, compose and send at once; then stay up until `stop`, unless it is to be once only.

    Raises DigestError when a feed is no file, when none could be read, or when the port is taken.
    """
    _refuse_missing(wish)
    mail = _empty_mailbox(wish.out)
    door = open_door("127.0.0.1", wish.port)
    local = f"http://127.0.0.1:{door.getsockname()[1]}"
    with tempfile.TemporaryDirectory(prefix="digest-demo-") as folder:
        async with (
            Catcher(mail, clock=utc_now) as catcher,
            open_app(
                _settings(Path(folder), wish, catcher.port), (_newsletter(wish, local),)
            ) as world,
            LoopbackFetcher(local=local) as fetcher,
            serving(_pages(replace(world, fetcher=fetcher), wish, mail, local), door),
        ):
            await _send_at_once(world, wish, stop, told)
            if not wish.once:
                await _stay_up(world, local, stop, told)


def _refuse_missing(wish: Wish) -> None:
    for source in wish.feeds:
        if not is_url(source) and not Path(source).is_file():
            raise DigestError(f"--feed {source}: no such file, and no http or https address")


def _empty_mailbox(out: Path) -> Path:
    """The folder for the caught mail; what an earlier demo left there and beside it goes."""
    mail = out / "mail"
    try:
        mail.mkdir(parents=True, exist_ok=True)
        for old in (*mail.glob("*.eml"), *out.glob("edition.*")):
            old.unlink()
    except OSError as problem:
        raise DigestError(f"--out {out}: {problem.strerror}") from problem
    return mail


def _settings(folder: Path, wish: Wish, smtp_port: int) -> Settings:
    return Settings(
        database_url=f"sqlite:///{folder}/demo.db",
        secret_key=secrets.token_urlsafe(32),
        public_url=PUBLIC_URL,
        smtp_host="127.0.0.1",
        smtp_port=smtp_port,
        smtp_username=None,
        smtp_password=None,
        smtp_security="none",
        smtp_connections=4,
        outbox=None,
        feed_allow_private=True,
        # a given feed is shown whatever its age; the sample site as a first run would see it
        feed_first_window="all" if wish.feeds else 24,
        uncertain="resend",
        newsletters_file=Path("none.toml"),  # nobody reads it; themes of one's own stand beside
        templates_dir=folder / "none",
        log_format="text",
        journal=None,
        spool=folder / "demo.spool",
    )


def _newsletter(wish: Wish, local: str) -> Newsletter:
    german = wish.language == "de"
    return Newsletter(
        slug="ki-news" if german else "ai-news",
        title="Die besten KI-News" if german else "The best AI news",
        description=(
            "Was in KI und Robotik heute wichtig ist, auf einen Blick. Kostenlos per E-Mail."
            if german
            else "What matters in AI and robotics today, at a glance. Free, by email."
        ),
        sender=Sender(name="Kupfer & Code", address="news@demo.example"),
        reply_to=None,
        language=wish.language,
        timezone="Europe/Berlin",
        theme=wish.theme,
        address="Kupfer & Code, Beispielgasse 1, 10115 Beispielstadt",
        imprint_url=f"{SITE_URL}/impressum.html",
        feeds=_sources(wish, local),
        schedules=(
            Schedule(name="daily", cron="0 7 * * *"),
            Schedule(name="weekly", cron="0 7 * * mon"),
        ),
        limit=50,
        topics=_topics(german=german),
    )


def _topics(*, german: bool) -> tuple[Topic, ...]:
    """What a reader of the sample site may choose from."""
    if german:
        return (
            Topic(name="robotik", title="Robotik", categories=("Robotik",), words=("Roboter*",)),
            Topic(name="wissenschaft", title="Wissenschaft", categories=("Wissenschaft",)),
            Topic(name="wirtschaft", title="Wirtschaft", categories=("Wirtschaft", "Arbeit")),
        )
    return (
        Topic(name="robotics", title="Robotics", categories=("Robotics",), words=("robot*",)),
        Topic(name="science", title="Science", categories=("Science",)),
        Topic(name="business", title="Business", categories=("Business", "Work")),
    )


def _sources(wish: Wish, local: str) -> tuple[FeedSource, ...]:
    given = tuple(
        FeedSource(url=source if is_url(source) else f"{local}/given/{place}/{Path(source).name}")
        for place, source in enumerate(wish.feeds)
    )
    if given:
        return given
    if wish.language == "en":
        return (FeedSource(url=f"{local}/site/en/feed"),)
    return (
        FeedSource(url=f"{local}/site/feed"),
        FeedSource(url=f"{local}/site/jobs/feed", section="Stellenangebote"),
        FeedSource(url=f"{local}/site/buecher/feed", section="Bücher"),
    )


def _pages(world: World, wish: Wish, mail: Path, local: str) -> ShowLoopback:
    """Site, inbox and the service's own pages behind one door."""
    site = make_site(base_url=SITE_URL, started_at=world.clock())
    routes = [
        Route("/given/{place:int}/{name:path}", _give(wish.feeds)),
        Mount("/site", site),
        Mount("/inbox", make_inbox(mail)),
        Mount("/", make_web(world)),
    ]
    return ShowLoopback(Starlette(routes=routes), local=local)


def _give(feeds: tuple[str, ...]) -> Callable[[Request], Response]:
    """Serve the files that were given as feeds, and no others."""

    def give(request: Request) -> Response:
        place = int(request.path_params["place"])
        if place >= len(feeds) or is_url(feeds[place]):
            return Response(status_code=404)
        return Response(Path(feeds[place]).read_bytes(), media_type="application/xml")

    return give


async def _send_at_once(
    world: World, wish: Wish, stop: asyncio.Event, told: Callable[[str], None]
) -> None:
    newsletter = world.newsletters[0]
    for place in range(wish.subscribers):
        if stop.is_set():
            raise Stopped("stopped in order")
        await admit(
            world,
            address=_reader(place),
            newsletter=newsletter,
            language=wish.language,
            door="demo",
            detail="a made-up reader of the demo",
        )
    polls = await unless_stopped(stop, gather(world, [newsletter], only_due=False))
    for poll in polls:
        told(f"  {poll.url}: {poll.error or f'{poll.new} new'}")
    if all(poll.error for poll in polls):
        raise DigestError("none of the feeds could be read; nothing was sent")
    published = await publish_now(world, newsletter, newsletter.default_schedule)
    if published is None:
        told("Nothing new in the feeds: no edition, and nothing was sent.")
        (wish.out / "edition.json").write_text('{"articles": []}\n', encoding="utf-8")
        return
    tally = await deliver(world, Scope(), stop=stop)
    _exhibit(world, wish, published)
    articles = len(published.draft.articles)
    told(f"Edition {published.edition.number}: “{published.draft.subject}”")
    told(f"{articles} articles, {tally.sent} of {published.recipients} mails sent")
    told(f"Written: {wish.out}/edition.html, edition.txt, edition.json and {wish.out}/mail/*.eml")
    if stop.is_set():
        raise Stopped("stopped in order")
    if tally.sent != published.recipients:
        raise DigestError(tally.away or "not every mail was sent; run with --verbose to see why")


def _reader(place: int) -> str:
    return READERS[place] if place < len(READERS) else f"leser-{place + 1}@leser.example"


def _exhibit(world: World, wish: Wish, published: Published) -> None:
    newsletter, edition = world.newsletters[0], published.edition
    facts = describe(
        newsletter,
        published.draft,
        schedule=edition.schedule,
        number=edition.number,
        made_at=edition.made_at,
    )
    lay_out(wish.out, show_edition(world, edition, newsletter, None), facts)


async def _stay_up(
    world: World, local: str, stop: asyncio.Event, told: Callable[[str], None]
) -> None:
    slug = world.newsletters[0].slug
    told("")
    told(f"  The reader's page   {local}/{slug}")
    told(f"  The archive         {local}/archive/{slug}")
    told(f"  The inbox           {local}/inbox/")
    told(f"  The sample site     {local}/site/")
    told("")
    told("Sign up on the reader's page and look into the inbox. Ctrl-C ends it.")
    await keep_delivering(world, wake=asyncio.Event(), stop=stop)
