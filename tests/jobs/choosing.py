"""A reader with his links, on two newsletters, for what is chosen behind them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from jobs_world import STADTBLATT

from digest.jobs import choose, join, move
from digest.jobs.world import World
from digest.model.newsletter import Newsletter, Schedule, Topic
from digest.model.subscriber import ConsentEvent, Subscription
from digest.store import consents, subscribers
from digest.subscribers.address import address_key

ANNA = "anna@example.org"
NEW = "anna.neu@elsewhere.example"
WORDS = "We send a mail with a link to the new address."

CITY = replace(
    STADTBLATT,
    topics=(
        Topic(name="chips", title="Chips", words=("chip*",)),
        Topic(name="robots", title="Robots", words=("robot*",)),
    ),
    schedules=(*STADTBLATT.schedules, Schedule(name="hourly", cron="0 * * * *")),
)
HARBOUR = replace(STADTBLATT, slug="harbour", title="Harbour Notes", language="en")


@dataclass(frozen=True)
class Readers:
    """The people of a world, by what they would do."""

    world: World

    async def admit(self, address: str = ANNA, newsletter: Newsletter = CITY) -> Subscription:
        return await join.admit(
            self.world, address=address, newsletter=newsletter, door="cli", detail="a test"
        )

    async def all_of(self, address: str = ANNA) -> dict[str, Subscription]:
        async with self.world.store.read() as connection:
            found = await subscribers.by_address(connection, address_key(address))
        return {each.newsletter: each for each in found}

    async def of(self, address: str = ANNA, newsletter: Newsletter = CITY) -> Subscription:
        return (await self.all_of(address))[newsletter.slug]

    async def token(self, address: str = ANNA, newsletter: Newsletter = CITY) -> str:
        return self.world.signer.preferences_token((await self.of(address, newsletter)).ref)

    async def record(
        self, address: str = ANNA, newsletter: Newsletter = CITY
    ) -> list[ConsentEvent]:
        found = await self.of(address, newsletter)
        async with self.world.store.read() as connection:
            return await consents.consent_record(connection, found.id)

    async def kinds(self, address: str = ANNA, newsletter: Newsletter = CITY) -> list[str]:
        return [each.kind for each in await self.record(address, newsletter)]

    async def move(self, to: str = NEW, token: str | None = None) -> None:
        token = token or await self.token()
        await move.ask(self.world, token, address=to, words=WORDS, language="en", door="web")

    async def confirm(self, address: str = NEW, newsletter: Newsletter = CITY) -> Subscription:
        found = await self.of(address, newsletter)
        token = self.world.signer.confirm_token(found.ref, found.request_nonce)
        return await choose.confirm(self.world, token, door="web")
