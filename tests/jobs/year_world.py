"""A simulated year: readers of many zones who change their minds, and a feed that never rests.

Everything goes through the real doors and the real store; only the clock is moved by hand, pieces
are written by a renderer without a theme, and what is claimed is taken at once.
"""

from __future__ import annotations

import heapq
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from jobs_world import FEED, STADTBLATT, Clock
from sqlalchemy import select, update

from digest.editions.calendar import is_daily_or_rarer, next_times
from digest.jobs import join, prefer
from digest.jobs.decide import Form, Refusal
from digest.jobs.publish import Published, publish_due
from digest.jobs.reprint import Forme, read_forme
from digest.jobs.world import World
from digest.model.article import Article, NewArticle
from digest.model.delivery import DeliveryState
from digest.model.edition import Draft
from digest.model.layout import (
    Extra,
    Piece,
    Place,
    Plan,
    PlanPart,
    Sheet,
    read_extra,
    read_plan,
)
from digest.model.layout import (
    Form as HowMuch,
)
from digest.model.newsletter import OTHER, Schedule, Topic
from digest.store import articles, feeds, queue
from digest.store.choosing import selections
from digest.store.subscribers import write_choice
from digest.store.tables import deliveries, edition_articles, editions, slots

#: half an hour, three quarters and whole ones, both halves of the earth, and some that never change
ZONES = (
    *("Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles"),
    *("America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tokyo"),
    *("Australia/Sydney", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Honolulu"),
    *("Pacific/Apia", "America/St_Johns", "Africa/Cairo"),
)
TOPICS = ("chips", "robots", OTHER)
CHOICES: tuple[tuple[str, ...], ...] = ((), ("chips",), ("robots",), ("chips", "other"))
#: an hour of each zone to which the clocks of summer matter, for an edition of 8 in Berlin
STEADY: tuple[tuple[str, int | None], ...] = (
    *(("America/New_York", 2), ("America/Los_Angeles", None), ("America/Los_Angeles", 23)),
    *(("America/Sao_Paulo", 3), ("Australia/Lord_Howe", 17), ("Asia/Kolkata", 12)),
    *(("Asia/Kathmandu", 12), ("Asia/Tokyo", 15), ("Australia/Sydney", 16)),
    *(("Australia/Sydney", 17), ("Pacific/Auckland", 18), ("Pacific/Auckland", 19)),
    *(("Pacific/Chatham", 19), ("Pacific/Chatham", 20), ("Pacific/Honolulu", 20)),
    *(("Pacific/Apia", 19), ("America/St_Johns", 4), ("Africa/Cairo", 8), ("Africa/Cairo", 9)),
    *(("Europe/Berlin", 2), ("Europe/London", None)),
)
HOURS = (None, None, 0, 2, 3, 6, 7, 8, 9, 12, 18, 22, 23)

YEARBOOK = replace(
    STADTBLATT,
    limit=8,
    topics=(
        Topic(name="chips", title="Chips", words=("chip",)),
        Topic(name="robots", title="Robots", words=("robot",)),
    ),
    schedules=(
        Schedule(name="daily", cron="0 8 * * *"),
        Schedule(name="weekdays", cron="0 8 * * mon-fri"),
        Schedule(name="weekly", cron="0 17 * * sun"),
        Schedule(name="monthly", cron="0 17 1 * *"),
        Schedule(name="often", cron="0 8,19 * * mon,thu"),
    ),
)
RHYTHMS = ("daily", "daily", "daily", "weekdays", "weekly", "monthly", "often")


class QuickRenderer:
    """Says which articles an edition tells, and nothing else: a line for each."""

    def render_sheet(
        self,
        drafts: Sequence[Draft],
        newsletter: object,
        *,
        number: int,
        made_at: datetime,
        language: str,
        nonce: str,
        beside: Sequence[Article] = (),
        **_: Any,
    ) -> Sheet:
        del newsletter
        found = {each.id: each for draft in drafts for each in draft.articles}
        found |= {each.id: each for each in beside}
        facts = {"nonce": nonce, "number": number, "made_at": made_at.isoformat()}
        facts |= {"public_url": "", "rarer": None}
        pieces = {"facts": Piece(html="", text=json.dumps(facts))}
        for key, article in found.items():
            told = json.dumps([article.title, {"line": 1}])
            pieces[f"told:{key}"] = Piece(html="", text=told)
            pieces[f"card:{key}:line"] = Piece(html=article.title, text=article.title)
        return Sheet(language=language, pieces=pieces)

    def plan_edition(self, draft: Draft, sheet: Sheet, newsletter: object) -> Plan:
        del sheet, newsletter
        parts = tuple(
            PlanPart(
                title=each.title,
                places=tuple(Place(article_id=one.id, form=HowMuch.LINE) for one in each.articles),
            )
            for each in draft.sections
        )
        return Plan(subject="news", preheader="", parts=parts, headlines=0)


@dataclass(frozen=True, kw_only=True)
class Wants:
    """What a reader has chosen since a moment."""

    since: datetime
    frequency: str
    topics: tuple[str, ...]
    hour: int | None
    timezone: str | None
    paused_until: datetime | None = None

    def is_awake(self, at: datetime) -> bool:
        return self.paused_until is None or self.paused_until <= at


@dataclass(kw_only=True)
class Reader:
    """One of the readers, and what he wanted at each time."""

    name: str
    id: int
    token: str
    history: list[Wants]
    #: he never changes anything
    steady: bool = False

    def at(self, moment: datetime) -> Wants:
        """What he wanted just before a moment."""
        return next(
            (each for each in reversed(self.history) if each.since < moment), self.history[0]
        )

    def changes(self, begin: datetime, end: datetime) -> int:
        return sum(begin <= each.since <= end for each in self.history[1:])


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A row of the ledger, with what its reader would find in it."""

    reader: int
    edition: int
    schedule: str
    slot: datetime
    made_at: datetime
    due_at: datetime
    choice: str
    state: str
    tells: frozenset[int]
    #: left out on purpose, for it would have been the second of the day
    skipped: bool

    @property
    def came(self) -> bool:
        return self.state in ("sent", "queued")


@dataclass(kw_only=True)
class Year:
    """What happened."""

    readers: dict[int, Reader]
    mails: list[Mail]
    #: by edition: schedule, when it was made
    editions: dict[int, tuple[str, datetime]]
    #: the articles that an edition told to readers of a choice, by edition and choice
    told: dict[tuple[int, str], frozenset[int]]
    #: the topics of each article
    about: dict[int, frozenset[str]]

    def mails_of(self, reader: int) -> list[Mail]:
        return sorted((each for each in self.mails if each.reader == reader), key=_by_time)


def _by_time(mail: Mail) -> tuple[datetime, datetime]:
    return mail.due_at, mail.made_at


@dataclass(kw_only=True)
class Simulation:
    """A world, its readers and what is to come."""

    world: World
    clock: Clock
    dice: random.Random
    end: datetime
    readers: dict[int, Reader] = field(default_factory=dict)
    #: (when, a number to break ties, what)
    coming: list[tuple[datetime, int, str, int]] = field(default_factory=list)
    news: list[tuple[datetime, str]] = field(default_factory=list)
    _count: int = 0

    # ------------------------------------------------------------- what is to come

    def plan(self, begin: datetime, *, a_day: float, changes: int) -> None:
        newsletter = self.world.newsletters[0]
        times: set[datetime] = set()
        for each in newsletter.schedules:
            for at in next_times(each.cron, timezone=newsletter.timezone, after=begin, count=1500):
                if at.astimezone(UTC) > self.end:
                    break
                times.add(at.astimezone(UTC) + timedelta(seconds=2))
        for at in times:
            self.push(at, "slot", 0)
        span = (self.end - begin) / timedelta(minutes=1)
        for reader in [each.id for each in self.readers.values() if not each.steady]:
            for _ in range(changes):
                at = begin + timedelta(minutes=self.dice.uniform(0, span))
                self.push(at, self.dice.choice(_EVENTS), reader)
        count = int(span / 1440 * a_day)
        words = ("chip", "robot", "town")
        self.news = sorted(
            (
                begin + timedelta(minutes=self.dice.uniform(0, span)),
                f"{self.dice.choice(words)} {n}",
            )
            for n in range(count)
        )

    def push(self, at: datetime, what: str, reader: int) -> None:
        self._count += 1
        heapq.heappush(self.coming, (at, self._count, what, reader))

    # ------------------------------------------------------------- people

    async def admit(self, count: int) -> None:
        """For each zone one who never changes anything and is awkward, and others who do."""
        for zone, hour in STEADY:
            await self._admit(zone, hour=hour, frequency="daily", topics=(), steady=True)
        for number in range(count):
            await self._admit(
                ZONES[number % len(ZONES)],
                hour=self.dice.choice(HOURS),
                frequency=self.dice.choice(RHYTHMS),
                topics=self.dice.choice(CHOICES),
            )

    async def _admit(
        self,
        zone: str,
        *,
        hour: int | None,
        frequency: str,
        topics: tuple[str, ...],
        steady: bool = False,
    ) -> None:
        name = f"r{len(self.readers)}"
        found = await join.admit(
            self.world,
            address=f"{name}@example.org",
            newsletter=self.world.newsletters[0],
            frequency=frequency,
            topics=topics,
            timezone=zone,
            language=self.dice.choice(("de", "en")),
            door="cli",
            detail="a test",
        )
        token = self.world.signer.preferences_token(found.ref)
        reader = Reader(name=name, id=found.id, token=token, history=[], steady=steady)
        self.readers[found.id] = reader
        await self.choose(reader, hour=hour)

    async def choose(self, reader: Reader, **what: Any) -> None:
        """Let a reader fill in the form on his page."""
        form = Form(
            frequency=what.get("frequency"),
            topics=(what["topics"] or (*TOPICS,)) if "topics" in what else None,
            hour=("" if what["hour"] is None else str(what["hour"])) if "hour" in what else None,
            timezone=what.get("timezone"),
            language=what.get("language"),
        )
        found = await prefer.save(self.world, reader.token, form, door="web")
        assert not isinstance(found, Refusal), found
        self.note(reader, found)

    async def pause(self, reader: Reader, until: datetime | None) -> None:
        found = await prefer.pause(self.world, reader.token, until=until, door="web")
        assert not isinstance(found, Refusal), found
        self.note(reader, found)

    def note(self, reader: Reader, found: Any) -> None:
        reader.history.append(
            Wants(
                since=self.clock.at,
                frequency=found.frequency,
                topics=found.topics,
                hour=found.hour,
                timezone=found.subscriber.timezone,
                paused_until=found.paused_until,
            )
        )

    async def change(self, what: str, reader: Reader) -> None:
        dice = self.dice
        match what:
            case "frequency":
                await self.choose(reader, frequency=dice.choice(RHYTHMS))
            case "hour":
                await self.choose(reader, hour=dice.choice(HOURS))
            case "zone":
                await self.choose(reader, timezone=dice.choice(ZONES))
            case "topics":
                await self.choose(reader, topics=dice.choice(CHOICES))
            case "language":
                await self.choose(reader, language=dice.choice(("de", "en")))
            case "all":
                await self.choose(
                    reader,
                    frequency=dice.choice(RHYTHMS),
                    hour=dice.choice(HOURS),
                    timezone=dice.choice(ZONES),
                    topics=dice.choice(CHOICES),
                )
            case "pause":
                until = self.clock.at + timedelta(hours=dice.choice((5, 40, 24 * 7, 24 * 28)))
                await self.pause(reader, until)
                self.push(until, "nothing", reader.id)
            case _:
                await self.pause(reader, None)

    # ------------------------------------------------------------- the year

    async def run(self) -> list[Published]:
        made = []
        while self.coming and self.coming[0][0] <= self.end:
            at, _, what, who = heapq.heappop(self.coming)
            self.clock.at = at - timedelta(microseconds=1)
            await self.deliver()
            self.clock.at = at
            if what == "slot":
                await self.bring()
                made += await publish_due(self.world, self.world.newsletters[0])
            elif what != "nothing":
                await self.change(what, self.readers[who])
        self.clock.at = self.end + timedelta(days=1)
        await self.deliver()
        return made

    async def bring(self) -> None:
        """What came since the last time, as if polls had brought it when it came."""
        now = self.clock.at
        due = [each for each in self.news if each[0] <= now]
        self.news = self.news[len(due) :]
        async with self.world.store.write() as connection:
            await feeds.know(connection, [FEED], now=now)
            known = (await feeds.find(connection, [FEED]))[0]
            for at, title in due:
                await articles.keep(connection, known.id, [_article(title, at)], now=at)

    async def deliver(self) -> None:
        """All that is due is claimed by a worker, and the relay takes it at once."""
        now = self.clock.at
        async with self.world.store.write() as connection:
            if await queue.claim(
                connection,
                owner="w",
                scope=queue.Scope(notices=False),
                resend_uncertain=False,
                limit=1000,
                window=timedelta(days=400),
                now=now,
            ):
                await connection.execute(
                    update(deliveries)
                    .where(deliveries.c.state == DeliveryState.CLAIMED.value)
                    .values(state=DeliveryState.SENT.value, owner=None)
                )

    # ------------------------------------------------------------- what happened

    async def look_back(self) -> Year:
        told: dict[tuple[int, str], frozenset[int]] = {}
        about: dict[int, frozenset[str]] = {}
        async with self.world.store.read() as connection:
            whole: dict[int, set[int]] = {}
            for row in await connection.execute(select(edition_articles)):
                about[row.article_id] = frozenset(row.topics.strip(",").split(",")) - {""} or {
                    OTHER
                }  # type: ignore[assignment] # a set will do
                if row.position is not None:
                    whole.setdefault(row.edition_id, set()).add(row.article_id)
            told |= {(edition, ""): frozenset(ids) for edition, ids in whole.items()}
            for row in await connection.execute(select(selections)):
                told[row.edition_id, row.choice] = _told(row)
            query = select(editions.c.id, editions.c.schedule, editions.c.made_at, slots.c.at).join(
                slots, slots.c.edition_id == editions.c.id
            )
            made = {row.id: row for row in await connection.execute(query)}
            mails = []
            for row in await connection.execute(
                select(deliveries).where(deliveries.c.edition_id.is_not(None))
            ):
                edition = made[row.edition_id]
                extra = read_extra(row.extra) if row.extra else Extra()
                tells = told[row.edition_id, row.choice] - set(extra.omit) | set(extra.meanwhile)
                if row.extra and row.state == "sent":
                    # not only what was meant for him: what his mail holds
                    forme = await read_forme(connection, row.edition_id, row.choice)
                    assert isinstance(forme, Forme)
                    cards = forme.print(extra).written.cards
                    assert {each.article_id for each in cards} == tells
                mails.append(
                    Mail(
                        reader=row.subscription_id,
                        edition=row.edition_id,
                        schedule=edition.schedule,
                        slot=edition.at,
                        made_at=edition.made_at,
                        due_at=row.due_at,
                        choice=row.choice,
                        state=row.state,
                        tells=tells,
                        skipped=(row.reply or "").startswith("not sent"),
                    )
                )
        return Year(
            readers=self.readers,
            mails=mails,
            editions={key: (row.schedule, row.made_at) for key, row in made.items()},
            told=told,
            about=about,
        )


_EVENTS = (
    *("frequency", "frequency", "frequency", "hour", "hour", "zone", "topics", "all"),
    *("language", "pause", "return"),
)


def _told(row: Any) -> frozenset[int]:
    return frozenset(read_plan(row.plan).article_ids)


def _article(title: str, at: datetime) -> NewArticle:
    return NewArticle(
        key=title,
        link_key=None,
        url=f"https://stadtblatt.example/{title.replace(' ', '-')}",
        title=title,
        excerpt="",
        image=None,
        author=None,
        categories=(),
        published_at=at,
        words=100,
    )


def quick(world: World) -> World:
    """The same world with pages that nobody reads."""
    return replace(world, renderer=QuickRenderer())  # type: ignore[arg-type] # all that is asked of it


# --------------------------------------------------------------- what must be true


def local_day(at: datetime, zone: str | None) -> date:
    return at.astimezone(ZoneInfo(zone or YEARBOOK.timezone)).date()


def is_rare(schedule: str) -> bool:
    found = YEARBOOK.schedule(schedule)
    assert found is not None
    return is_daily_or_rarer(found, YEARBOOK, now=datetime(2026, 6, 1, tzinfo=UTC))


def two_on_a_day(year: Year) -> list[tuple[Reader, Mail, Mail]]:
    """(a): mails on one local day of which the later made one is of a daily or rarer rhythm.

    The day is that of the zone that he had when the later one was made.
    """
    found = []
    for reader in year.readers.values():
        came = [each for each in year.mails_of(reader.id) if each.came]
        for place, mail in enumerate(came):
            for other in came[max(0, place - 6) : place]:
                late = max(mail, other, key=lambda each: (each.made_at, each.edition))
                zone = reader.at(late.made_at).timezone
                same = local_day(mail.due_at, zone) == local_day(other.due_at, zone)
                if same and is_rare(late.schedule):
                    found.append((reader, other, mail))
    return found


def told_twice(year: Year) -> list[tuple[Reader, int, Mail, Mail]]:
    """(b): articles that came to a reader in two mails."""
    found = []
    for reader in year.readers.values():
        first: dict[int, Mail] = {}
        for mail in year.mails_of(reader.id):
            if mail.came:
                for article in mail.tells:
                    if article in first:
                        found.append((reader, article, first[article], mail))
                    first.setdefault(article, mail)
    return found


def missed(year: Year) -> list[tuple[Reader, int, frozenset[int]]]:
    """(c): editions of his own rhythm of which something did not come to him.

    What an edition told to readers of his choice, made while he was awake and not pausing before it
    was due, came with it, or with the next mail that he got (if that was within a week, and he
    still wanted its topics), or he had it before.
    """
    found = []
    for reader in year.readers.values():
        mails = year.mails_of(reader.id)
        came = [each for each in mails if each.came]
        mine = {each.edition: each for each in mails}
        for edition, (schedule, made_at) in year.editions.items():
            wants = reader.at(made_at)
            if wants.frequency != schedule or not wants.is_awake(made_at):
                continue
            row = mine.get(edition)
            if row is not None and not row.came and not row.skipped:
                continue  # he paused before it came
            due = year.told.get((edition, write_choice(wants.topics)), frozenset())
            after = [each for each in came if each.made_at >= made_at]
            following = min(after, key=lambda each: (each.made_at, each.edition), default=None)
            if following is None or following.made_at > made_at + timedelta(days=7):
                continue
            had = {one for each in came if each.made_at <= following.made_at for one in each.tells}
            topics = set(reader.at(following.made_at).topics)
            lacks = {one for one in due - had if not topics or topics & year.about[one]}
            if lacks:
                found.append((reader, edition, frozenset(lacks)))
    return found


def not_caught_up(year: Year) -> list[tuple[Reader, Mail, frozenset[int]]]:
    """(c'): what a new rhythm, or the old one, told since the last mail and did not come then.

    For each first mail in another rhythm than the last one: what editions of the two rhythms told
    between the two, within a week, to readers of his choice, is in it or was had before.
    """
    found = []
    for reader in year.readers.values():
        mails = sorted(year.mails_of(reader.id), key=lambda each: (each.made_at, each.edition))
        mails = [each for each in mails if not each.skipped]
        for last, mail in pairwise(mails):
            if last.schedule == mail.schedule or not (last.came and mail.came):
                continue
            wants = reader.at(mail.made_at)
            since = max(
                last.made_at, mail.made_at - timedelta(days=7), wants.paused_until or last.made_at
            )
            between = [
                edition
                for edition, (schedule, made_at) in year.editions.items()
                if schedule in (last.schedule, mail.schedule) and since < made_at < mail.made_at
            ]
            choice = write_choice(wants.topics)
            due = {one for each in between for one in year.told.get((each, choice), ())}
            had = {one for each in mails if each.made_at <= mail.made_at for one in each.tells}
            if due - had:
                found.append((reader, mail, frozenset(due - had)))
    return found


def days_without(year: Year) -> list[tuple[Reader, Mail, Mail]]:
    """(d): mails of two slots of which the days are not as far apart as those of the slots.

    For readers of a daily or rarer rhythm who changed nothing in the week before the later one:
    each slot of which there was news for them has one day of theirs.
    """
    found = []
    for reader in year.readers.values():
        mails = [each for each in year.mails_of(reader.id) if is_rare(each.schedule)]
        for one, two in pairwise(sorted(mails, key=lambda each: (each.made_at, each.edition))):
            quiet = not reader.changes(one.made_at - timedelta(days=7), two.due_at)
            if quiet and one.schedule == two.schedule:
                zone = reader.at(two.made_at).timezone
                days = local_day(two.due_at, zone) - local_day(one.due_at, zone)
                slots_apart = local_day(two.slot, None) - local_day(one.slot, None)
                if not (one.came and two.came) or days != slots_apart:
                    found.append((reader, one, two))
    return found
