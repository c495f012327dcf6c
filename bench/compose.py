"""Measures what distinct selections of an edition cost beside one broadcast.

    python bench/compose.py [--stories 40] [--candidates 120] [--plans 1000] [--readers 100000]

One sheet of all candidates is rendered; each plan takes other stories of it, is stored and read
back as JSON, and is laid out and joined; each reader's message is written (and not signed). Prints
seconds, octets and peak memory, and what one reader costs where everybody has the same plan and
where there are as many as asked. The defaults take five minutes.
"""

# ruff: noqa: INP001, T201 -- a script that prints

from __future__ import annotations

import argparse
import json
import platform
import random
import resource
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from unittest.mock import patch

from digest.messages.assemble import join_cards
from digest.messages.inline import inline
from digest.messages.layout import lay_out, size_of
from digest.messages.plate import make_plate
from digest.messages.render import Renderer, builtin_templates
from digest.model.article import Article, Image
from digest.model.edition import Draft, Edition, Section
from digest.model.layout import Plan, Sheet, read_plan, read_sheet
from digest.model.message import Links
from digest.model.newsletter import FeedSource, Newsletter, Schedule, Sender

if TYPE_CHECKING:
    from collections.abc import Iterator

NONCE = "5f" * 16
MADE_AT = datetime(2026, 11, 23, 6, tzinfo=UTC)
SITE = "https://news.example.org"
WORDS = "Der Markt am Fluss bekommt ein neues Dach, und die Stadt zahlt die Hälfte davon. " * 3
LINKS = Links(
    unsubscribe=f"{SITE}/unsubscribe/{'u' * 60}",
    preferences=f"{SITE}/preferences/{'p' * 60}",
    view=f"{SITE}/archive/bench/1",
    archive=f"{SITE}/archive/bench",
)
NEWSLETTER = Newsletter(
    slug="bench",
    title="Aus der Werkstatt",
    description="Gemessenes",
    sender=Sender(name="Werkstatt", address="news@example.org"),
    reply_to=None,
    language="de",
    timezone="Europe/Berlin",
    theme="plain",
    address="Werkstatt, Weg 1, 10115 Berlin",
    imprint_url=None,
    feeds=(FeedSource(url="https://www.example.com/feed"),),
    schedules=(Schedule(name="daily", cron="0 7 * * *"),),
    limit=40,
)


def article(number: int) -> Article:
    """An article with all that a card tells."""
    return Article(
        id=number,
        key=f"key-{number}",
        url=f"https://www.example.com/2026/11/meldung-{number}.html",
        title=f"Meldung {number}: Der Markt am Fluss bekommt ein neues Dach",
        excerpt=WORDS,
        image=Image(
            url=f"https://www.example.com/{number}.jpg", alt="Dach", width=1200, height=675
        ),
        author="Jana Sommer",
        categories=("Stadt",),
        published_at=MADE_AT - timedelta(minutes=7 * number),
        first_seen_at=MADE_AT,
        words=400,
        source=("Technikblatt", "Küstenbote")[number % 2],
        section=None,
    )


def draft(articles: list[Article]) -> Draft:
    """A selection of these."""
    return Draft(
        sections=(Section(title=None, articles=tuple(articles)),),
        left_out=(),
        subject=f"{articles[0].title} (+{len(articles) - 1} weitere)",
        preheader=" · ".join(each.title for each in articles[1:4]),
    )


def render(by: Renderer, drafts: list[Draft]) -> Sheet:
    """The sheet of an edition with these selections."""
    return by.render_sheet(
        drafts,
        NEWSLETTER,
        number=1,
        made_at=MADE_AT,
        language="de",
        nonce=NONCE,
        public_url=SITE,
    )


def written_as(sheet: Sheet, plan: Plan) -> Edition:
    """A selection as the worker knows it."""
    return Edition(
        id=1,
        newsletter="bench",
        schedule="daily",
        number=1,
        made_at=MADE_AT,
        language="de",
        nonce=NONCE,
        written=lay_out(sheet, plan, nonce=NONCE),
    )


def said(what: str, begun: float, count: int = 1) -> float:
    """Print how long something took since then; seconds for each."""
    spent = time.perf_counter() - begun
    print(f"{what:<46} {spent:8.3f} s   {spent / count * 1000:9.4f} ms each of {count}")
    return spent / count


@contextmanager
def watched() -> Iterator[list[float]]:
    """Count what premailer takes: the seconds of each run."""
    spent: list[float] = []

    def watching(html: str) -> str:
        begun = time.perf_counter()
        try:
            return inline(html)
        finally:
            spent.append(time.perf_counter() - begun)

    with patch("digest.messages.render.inline", watching):
        yield spent


def memory() -> float:
    """MB, the most that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, number in (
        ("stories", 40),
        ("candidates", 120),
        ("plans", 1000),
        ("readers", 100_000),
    ):
        parser.add_argument(f"--{name}", type=int, default=number)
    asked = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}")
    random.seed(4)
    found = [article(number) for number in range(1, asked.candidates + 1)]
    drafts = [draft(random.sample(found, asked.stories)) for _ in range(asked.plans)]
    by = Renderer([builtin_templates()])
    render(by, [draft(found[:2])])  # templates are compiled once

    with watched() as spent:
        begun = time.perf_counter()
        sheet = render(by, drafts[:1])
        said(f"render a sheet of {asked.stories} stories", begun)
    print(f"{'... of which premailer, once':<46} {sum(spent):8.3f} s   {len(spent)} run")
    plan = by.plan_edition(drafts[0], sheet, NEWSLETTER)
    begun = time.perf_counter()
    for _ in range(100):
        written = lay_out(sheet, plan, nonce=NONCE)
    said("lay out one plan of it", begun, 100)
    print(f"{'':<46} {size_of(written):8} octets of HTML")

    begun = time.perf_counter()
    sheet = render(by, drafts)
    said(f"render a sheet of {asked.candidates} candidates", begun)
    stored = json.dumps(sheet.as_json())
    begun = time.perf_counter()
    sheet = read_sheet("de", json.loads(stored))
    said(f"read it back from {len(stored) // 1024} KB", begun)
    begun = time.perf_counter()
    plans = [by.plan_edition(each, sheet, NEWSLETTER) for each in drafts]
    said("plan each selection", begun, asked.plans)
    plans = [read_plan(json.loads(json.dumps(each.as_json()))) for each in plans]

    before = memory()
    one = _readers(sheet, plans[:1], asked.readers, "everybody the same")
    many = _readers(sheet, plans, asked.readers, f"{asked.plans} selections")
    print(f"{'one reader of many against a broadcast':<46} {many / one:8.2f} times")
    print(f"{'peak memory':<46} {memory():8.0f} MB, {before:.0f} before the readers")


def _readers(sheet: Sheet, plans: list[Plan], readers: int, what: str) -> float:
    """Write so many messages, those of one plan after one another; seconds for each."""
    begun = time.perf_counter()
    for place, plan in enumerate(plans):
        edition = written_as(sheet, plan)
        plate = make_plate(
            edition,
            NEWSLETTER,
            join_cards(edition),
            links=LINKS,
            public_url=SITE,
            keys=(),
            mailed=False,
        )
        for reader in range(place, readers, len(plans)):
            address = f"leser-{reader}@example.net"
            plate.strike(
                LINKS, to_address=address, subscriber_ref=reader.to_bytes(12), way_back=None
            )
    return said(f"{readers} readers, {what}", begun, readers)


if __name__ == "__main__":
    main()
