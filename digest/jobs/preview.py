"""Turns an edition into what an operator looks at before it goes out: the mail, and its checks.

Nothing is stored or sent, and nothing in it speaks for a reader: its links are nobody's.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from digest.errors import LinkRefused, UsageError
from digest.jobs.answers import Answers, ask_links, say_answers
from digest.jobs.prepare import prepare
from digest.jobs.press import name_of
from digest.jobs.rehearse import NOBODY, as_edition, latest, show
from digest.jobs.spam import Points, count_points, say_points
from digest.jobs.world import World
from digest.jobs.write import links_for
from digest.messages import mime, views
from digest.messages.checks import Mail, check_mail, in_order
from digest.model.edition import Edition
from digest.model.finding import Finding
from digest.model.newsletter import Newsletter
from digest.model.subscriber import Subscription
from digest.store import subscribers
from digest.subscribers.address import address_key, parse_address

#: what was counted lately, by what the mails say: counting takes a second
Counted = MutableMapping[bytes, Points]
_KEPT = 32

#: how long a link to a preview is good
LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """As what a preview is shown; None: as the newsletter has it."""

    theme: str | None = None
    #: the address of a reader
    reader: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An edition as it would look, and what was found in it."""

    newsletter: Newsletter
    edition: Edition
    mail: Mail
    points: Points
    #: None: no link was asked
    answers: Answers | None
    reader: Subscription | None
    #: it is what would go out now; else the newest that did
    ahead: bool = True

    def findings(self, language: str) -> tuple[Finding, ...]:
        """What was found, in `language`, the gravest first."""
        found = [*check_mail(self.mail, language=language)]
        if self.answers is not None:
            found += say_answers(self.answers, language)
        return in_order([*found, say_points(self.points, language)])


def preview_link(world: World, newsletter: Newsletter) -> str:
    """An address that shows this newsletter's next edition to whoever has it, for 24 hours."""
    until = int((world.clock() + LIFE).timestamp())
    return f"{world.public_url}/preview/{world.signer.preview_token(newsletter.slug, until)}"


def find_preview(world: World, token: str) -> Newsletter:
    """The newsletter that a token shows. Raises LinkRefused, also for one that has ended."""
    slugs = [each.slug for each in world.newsletters]
    slug, until = world.signer.check_preview(token, slugs)
    if world.clock().timestamp() >= until:
        end = datetime.fromtimestamp(until, UTC)
        raise LinkRefused(f"this link ended at {end:%Y-%m-%d %H:%M} UTC: ask for another")
    return world.newsletter(slug)


def with_theme(world: World, newsletter: Newsletter, theme: str | None) -> Newsletter:
    """The newsletter in another theme of this service. Raises UsageError, TemplateFault."""
    if theme is None or theme == newsletter.theme:
        return newsletter
    known = world.renderer.themes()
    if theme not in known:
        raise UsageError(f"--theme {theme}: there is no such theme; there are {', '.join(known)}")
    changed = replace(newsletter, theme=theme)
    world.renderer.check_theme(changed)
    return changed


async def find_reader(world: World, newsletter: Newsletter, address: str) -> Subscription:
    """The subscription of an address. Raises UsageError where there is none."""
    async with world.store.read() as connection:
        found = await subscribers.by_address(connection, address_key(parse_address(address)))
    for each in found:
        if each.newsletter == newsletter.slug:
            return each
    raise UsageError(f"--as {address}: has no subscription to {newsletter.slug}")


async def look(
    world: World, newsletter: Newsletter, choice: Choice, *, counted: Counted | None = None
) -> Seen:
    """What would go out now, from what is held, or else what went out last.

    Asks no feed. Raises UsageError for a theme or reader that there is not, and where there is
    nothing at all to show; TemplateFault for a theme that is broken.
    """
    newsletter = with_theme(world, newsletter, choice.theme)
    person = await find_reader(world, newsletter, choice.reader) if choice.reader else None
    schedule = newsletter.default_schedule
    if person is not None:
        schedule = newsletter.schedule(person.frequency) or schedule
    topics = person.topics if person else ()
    wanted = choice.language or (person.subscriber.language if person else None)
    async with world.store.read() as connection:
        name = name_of(newsletter, topics, wanted)
        prepared = await prepare(connection, world, newsletter, schedule, name=name, linked=True)
    edition = as_edition(prepared, newsletter, schedule) if prepared else None
    return await examine(
        world,
        edition or await latest(world, newsletter),
        newsletter,
        person,
        ahead=edition is not None,
        counted=counted,
    )


async def examine(
    world: World,
    edition: Edition,
    newsletter: Newsletter,
    person: Subscription | None,
    *,
    ahead: bool = True,
    asks: bool = False,
    counted: Counted | None = None,
) -> Seen:
    """An edition as this reader would get it, with what is found out; `asks` its links too."""
    shown = show(world, edition, newsletter, person, inert=True)
    links = links_for(world, newsletter, NOBODY, edition.id)
    mail = Mail(
        subject=shown.subject,
        preheader=shown.preheader,
        html=shown.html,
        text=shown.text,
        links=links,
        public_url=world.public_url,
    )
    answers = await ask_links(world, mail) if asks else None
    return Seen(
        newsletter=newsletter,
        edition=edition,
        mail=mail,
        points=await _count(edition, newsletter, mail, {} if counted is None else counted),
        answers=answers,
        reader=person,
        ahead=ahead,
    )


async def _count(edition: Edition, newsletter: Newsletter, mail: Mail, counted: Counted) -> Points:
    """What SpamAssassin says of the mail; to whom it goes makes no difference."""
    key = sha256(f"{newsletter.theme}\n{mail.subject}\n{mail.text}".encode()).digest()
    if key not in counted:
        message = mime.write_edition_message(
            edition=edition,
            newsletter=newsletter,
            html=mail.html,
            text=mail.text,
            links=mail.links,
            to_address=newsletter.sender.address,
            subscriber_ref=NOBODY,
            public_url=mail.public_url,
        )
        while len(counted) >= _KEPT:
            del counted[next(iter(counted))]
        counted[key] = await count_points(message.data)
    return counted[key]


def write_page(world: World, seen: Seen, *, language: str) -> str:
    """The preview as one file that needs nothing else. Raises TemplateFault."""
    facts = page_facts(seen, language=language)
    return world.renderer.render_page("preview", language=language, form=False, **facts)


def page_facts(seen: Seen, *, language: str) -> dict[str, Any]:
    """What the page of a preview gets about a mail."""
    mail, findings = seen.mail, seen.findings(language)
    light = views.light(mail.html)
    return {
        "newsletter": seen.newsletter,
        "edition": seen.edition,
        "ahead": seen.ahead,
        "mail": mail,
        "address": seen.reader.subscriber.address if seen.reader else None,
        "findings": findings,
        "errors": sum(each.level == "error" for each in findings),
        "warnings": sum(each.level == "warning" for each in findings),
        "light": light,
        "dark": views.dark(mail.html),
        "bare": views.without_pictures(light),
        "wrong": None,
    }
