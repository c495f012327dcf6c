"""Turns a claimed row about what a reader follows into the words of its mail."""

from __future__ import annotations

from digest.jobs.world import World
from digest.messages import following
from digest.model.delivery import Claim
from digest.model.follow import Follow, FollowMode
from digest.model.message import Notice
from digest.model.newsletter import Newsletter
from digest.model.subscriber import Subscription, SubscriptionState
from digest.store import findings, follows


async def write_following(
    world: World, claim: Claim, reader: Subscription, newsletter: Newsletter
) -> Notice:
    """What the mail says. Raises LookupError where there is nothing to say any more."""
    if claim.notice == following.FOLLOW:
        return await _ask(world, claim, reader, newsletter)
    return await _tell(world, claim, reader, newsletter)


async def _ask(world: World, claim: Claim, reader: Subscription, newsletter: Newsletter) -> Notice:
    async with world.store.read() as connection:
        every = await follows.of_subscription(connection, reader.id)
    found = next((each for each in every if each.id == claim.about), None)
    if found is None:
        raise LookupError(f"what delivery {claim.id} asks about is gone")
    begins = reader.state is not SubscriptionState.ACTIVE
    asked = begins and newsletter.schedule(reader.frequency) is not None
    return following.write_follow(
        world.renderer,
        newsletter,
        address=reader.subscriber.address,
        title=found.title,
        prompt=found.mode is FollowMode.PROMPT,
        begins=begins,
        rhythm=reader.frequency if asked else None,
        requested_at=found.requested_at,
        confirm_url=f"{world.public_url}{confirm_path(world, found)}",
        unsubscribe_url=f"{world.public_url}/unsubscribe/"
        f"{world.signer.unsubscribe_token(reader.ref)}",
        language=reader.subscriber.language,
        timezone=reader.subscriber.timezone,
    )


async def _tell(world: World, claim: Claim, reader: Subscription, newsletter: Newsletter) -> Notice:
    async with world.store.read() as connection:
        told = await findings.told_by(connection, claim.id)
    if not told:
        raise LookupError(f"what delivery {claim.id} tells is gone")
    signer, home = world.signer, world.public_url
    return following.write_similar(
        world.renderer,
        newsletter,
        [
            following.Item(
                title=each.title,
                text=each.excerpt,
                url=each.url,
                because=each.finding.title,
                words=each.finding.words,
                stop_url=f"{home}{stop_path(world, each.finding.ref)}",
            )
            for each in told
        ],
        preferences_url=f"{home}/preferences/{signer.preferences_token(reader.ref)}",
        unsubscribe_url=f"{home}/unsubscribe/{signer.unsubscribe_token(reader.ref)}",
        language=reader.subscriber.language,
    )


def confirm_path(world: World, found: Follow) -> str:
    """Where a follow is confirmed."""
    return f"/follow/confirm/{world.signer.follow_token(found.ref, found.nonce)}"


def stop_path(world: World, ref: bytes) -> str:
    """Where the follow of this reference is ended."""
    return f"/follow/stop/{world.signer.stop_token(ref)}"
