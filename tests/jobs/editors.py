"""A newsletter with editors, a transport that keeps what they are sent, and a clock that ticks."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default

from jobs_world import ONLY_DAILY, SENT, Clock, open_world, titles
from sqlalchemy import select

from digest.deliveries.transport import Intend
from digest.errors import LeaseLost
from digest.jobs.hand_out import hand_out
from digest.jobs.proof import draw
from digest.jobs.publish import has_due, publish_due
from digest.jobs.world import World
from digest.model.delivery import Outcome
from digest.model.message import Message
from digest.model.newsletter import Newsletter
from digest.model.policy import Approval
from digest.model.proof import Proof
from digest.store import proofs
from digest.store.tables import slots

CHIEF, DEPUTY = "chef@stadtblatt.example", "vize@stadtblatt.example"
BEFORE = timedelta(minutes=45)
SENDING = Approval(before=BEFORE, editors=(CHIEF,))
EDITED = replace(ONLY_DAILY, approval=SENDING, language="en")
HOLDING = replace(EDITED, approval=replace(SENDING, silence="hold"))
#: 07:00 in Berlin on the day after jobs_world.NOW
SLOT = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


class Crash(Exception):
    """The power is gone."""


@dataclass
class Post:
    """A `Transport` that keeps what it takes, and answers as it is told, by address."""

    taken: list[Message] = field(default_factory=list)
    answers: dict[str, list[Outcome | Exception]] = field(default_factory=dict)

    async def send(self, message: Message, intend: Intend) -> Outcome:
        waiting = self.answers.get(message.rcpt_to, [])
        answer = waiting.pop(0) if waiting else SENT
        if isinstance(answer, Exception) and not isinstance(answer, Crash):
            raise answer
        if not await intend():
            raise LeaseLost("not ours")
        if isinstance(answer, Exception):
            self.taken.append(message)
            raise answer
        if answer == SENT:
            self.taken.append(message)
        return answer

    async def close(self) -> None:
        """Nothing is open."""

    @property
    def mails(self) -> list[EmailMessage]:
        return [BytesParser(EmailMessage, policy=default).parsebytes(m.data) for m in self.taken]

    def said(self, number: int = -1) -> str:
        part = self.mails[number].get_body(("plain",))
        assert part is not None
        return str(part.get_content())


@dataclass
class Desk:
    """A world with editors."""

    world: World
    clock: Clock
    post: Post

    @property
    def newsletter(self) -> Newsletter:
        return self.world.newsletters[0]

    async def tick(self) -> list[list[str]]:
        """What the scheduler does, without the feeds; the titles of the editions that it made."""
        await draw(self.world, self.newsletter)
        await hand_out(self.world, self.newsletter)
        made = await publish_due(self.world, self.newsletter)
        return [titles(each) for each in made]

    async def at(self, when: datetime) -> list[list[str]]:
        self.clock.at = when
        return await self.tick()

    async def due(self) -> bool:
        return await has_due(self.world, self.newsletter)

    async def proofs(self) -> list[Proof]:
        async with self.world.store.read() as connection:
            return await proofs.standing(connection, self.newsletter.slug)

    async def token(self) -> str:
        return self.world.signer.proof_token((await self.proofs())[-1].ref)

    def link(self) -> str:
        found = re.search(r"http://news\.example/desk/proof/([\w-]+)", self.post.said())
        assert found is not None
        return found[1]

    async def outcomes(self) -> list[tuple[str, datetime, str]]:
        """The slots that were dealt with, and how, but for the beginnings."""
        async with self.world.store.read() as connection:
            rows = await connection.execute(select(slots).order_by(slots.c.at, slots.c.schedule))
            return [(r.schedule, r.at, r.outcome) for r in rows if r.outcome != "start"]


@asynccontextmanager
async def open_desk(
    database_url: str, clock: Clock, newsletter: Newsletter = EDITED
) -> AsyncIterator[Desk]:
    """A desk whose rhythms have begun."""
    async with open_world(database_url, clock, newsletter) as world:
        post = Post()
        desk = Desk(replace(world, transport=post), clock, post)
        await desk.tick()
        yield desk
