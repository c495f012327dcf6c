"""Turns the proofs that stand into a list for the operator; it changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from digest.editions.approval import goes_at, is_overtaken
from digest.jobs.exhibit import utc
from digest.jobs.hand_out import link_to
from digest.jobs.world import World
from digest.store import proofs


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A draft before its editors. Times are UTC."""

    newsletter: str
    schedule: str
    slot_at: datetime
    state: str
    #: when it goes out as things stand; None: when an editor lets it
    goes_at: datetime | None
    #: the editors have the mail
    told: bool
    articles: int
    link: str

    def as_json(self) -> dict[str, object]:
        """As `digest proof --json` prints it."""
        return {
            "newsletter": self.newsletter,
            "schedule": self.schedule,
            "slot_utc": utc(self.slot_at),
            "state": self.state,
            "goes_out_utc": utc(self.goes_at) if self.goes_at else None,
            "mailed": self.told,
            "articles": self.articles,
            "link": self.link,
        }


async def waiting(world: World, slug: str | None) -> list[Waiting]:
    """The drafts that wait, of one newsletter or of all. Raises UsageError."""
    newsletters = world.newsletters if slug is None else (world.newsletter(slug),)
    found, now = [], world.clock()
    async with world.store.read() as connection:
        for newsletter in newsletters:
            if newsletter.approval is None:
                continue
            for proof in await proofs.standing(connection, newsletter.slug):
                schedule = newsletter.schedule(proof.slot.schedule)
                if schedule is None or is_overtaken(proof, newsletter, schedule, now=now):
                    continue
                found.append(
                    Waiting(
                        newsletter=newsletter.slug,
                        schedule=schedule.name,
                        slot_at=proof.slot.at,
                        state=proof.state.value,
                        goes_at=goes_at(proof, newsletter.approval),
                        told=proof.told_at is not None,
                        articles=len(proof.shown),
                        link=link_to(world, proof),
                    )
                )
    return found
