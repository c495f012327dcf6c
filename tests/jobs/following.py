"""A world in which people follow articles, and new ones that do or do not resemble those."""

from __future__ import annotations

from dataclasses import dataclass, field

from jobs_world import admit, bring
from sqlalchemy import select

from digest.deliveries.transport import Intend
from digest.errors import LeaseLost
from digest.jobs import follow
from digest.jobs.join import Asked
from digest.jobs.send import deliver
from digest.jobs.world import World
from digest.jobs.write_following import confirm_path, stop_path
from digest.model.delivery import Outcome, Reply, Sent
from digest.model.follow import Follow, FollowMode
from digest.model.message import Message
from digest.store import follows, subscribers
from digest.store.choosing import findings
from digest.store.choosing import follows as follow_rows
from digest.store.queue import Scope
from digest.store.tables import articles

SEED = "Kaltwerk baut Greifarm Orka in Regensburg"
SEED_TEXT = "Der Hersteller Kaltwerk zeigt den Greifarm Orka, der 40 Kilogramm hebt."
LIKE = "Greifarm Orka von Kaltwerk geht in Serie"
LIKE_TEXT = "Kaltwerk liefert den Greifarm Orka aus Regensburg ab März an die ersten Kunden."
AGAIN = "Orka: Kaltwerk verkauft Lizenz für seinen Greifarm"
AGAIN_TEXT = "Ein Konzern aus Japan baut den Greifarm Orka von Kaltwerk künftig nach."
OTHER = "Bundestag berät über Gebühren für Schwimmbäder"
OTHER_TEXT = "Die Abgeordneten streiten über Eintritt und Wasserpreise in den Gemeinden."


@dataclass
class Mailbox:
    """A `Transport` in memory that keeps what passed its fence."""

    came: list[Message] = field(default_factory=list)

    async def send(self, message: Message, intend: Intend) -> Outcome:
        if not await intend():
            raise LeaseLost("not ours")
        self.came.append(message)
        return Sent(reply=Reply(code=250, enhanced="2.0.0", text="taken"))

    async def close(self) -> None:
        """Nothing is open."""

    def to(self, name: str) -> list[Message]:
        return [each for each in self.came if each.rcpt_to == f"{name}@example.org"]


async def send_all(world: World) -> None:
    await deliver(world, Scope())


async def article(world: World, title: str = SEED) -> int:
    async with world.store.read() as connection:
        query = select(articles.c.id).where(articles.c.title == title)
        return int((await connection.execute(query)).scalar_one())


async def ask(
    world: World, name: str, *, title: str = SEED, mode: FollowMode = FollowMode.PROMPT
) -> Asked:
    return await follow.request(
        world,
        address=f"{name}@example.org",
        newsletter=world.newsletters[0],
        article_id=await article(world, title),
        mode=mode,
        door="web",
        detail="words",
        shown_in="de",
    )


async def mine(world: World, name: str) -> list[Follow]:
    async with world.store.read() as connection:
        found = await subscribers.by_address(connection, f"{name}@example.org")
        return [one for each in found for one in await follows.of_subscription(connection, each.id)]


async def say_yes(world: World, name: str) -> None:
    newest = (await mine(world, name))[-1]
    await follow.confirm(world, confirm_path(world, newest).rpartition("/")[2], door="web")


async def stop_token(world: World, name: str) -> str:
    return stop_path(world, (await mine(world, name))[-1].ref).rpartition("/")[2]


async def follow_it(
    world: World, *names: str, title: str = SEED, mode: FollowMode = FollowMode.PROMPT
) -> None:
    """Each of them follows an article, and has confirmed."""
    for name in names:
        assert await ask(world, name, title=title, mode=mode) is Asked.ASKED
        await say_yes(world, name)


async def start(world: World, *readers: str) -> None:
    """An article that can be followed, and readers of the newsletter."""
    await bring(world, SEED, excerpt=SEED_TEXT)
    await admit(world, *readers)


async def found(world: World) -> list[tuple[int, int, bool]]:
    """Follow, article, told."""
    async with world.store.read() as connection:
        query = select(findings).order_by(findings.c.follow_id, findings.c.article_id)
        return [
            (row.follow_id, row.article_id, row.told_at is not None)
            for row in await connection.execute(query)
        ]


async def count_follows(world: World) -> int:
    async with world.store.read() as connection:
        return len((await connection.execute(select(follow_rows.c.id))).all())
