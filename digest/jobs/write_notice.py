"""Turns a claimed row into the service mail that it stands for: what it says, and as bytes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from digest.jobs.world import World
from digest.messages import following, mime, notices
from digest.messages.sign import sign
from digest.model.delivery import Claim
from digest.model.follow import FOLLOWS_ONLY
from digest.model.message import Message, Notice, WayBack
from digest.model.newsletter import Newsletter
from digest.model.subscriber import Subscription


def write_about(
    world: World,
    claim: Claim,
    reader: Subscription,
    newsletter: Newsletter,
    *,
    erratum: notices.Erratum | None = None,
) -> Notice:
    """What a service mail says, with an `erratum` for a correction.

    Raises LookupError for a kind that there is not.
    """
    withdraw = withdraw_url(world, reader)
    if erratum is None:
        return _notice(world, claim, reader, newsletter, withdraw=withdraw)
    return notices.write_correction(
        world.renderer,
        newsletter,
        erratum,
        unsubscribe_url=withdraw,
        language=reader.subscriber.language,
        timezone=reader.subscriber.timezone,
    )


def withdraw_url(world: World, reader: Subscription) -> str:
    """Where a reader ends his subscription, or withdraws his request."""
    return f"{world.public_url}/unsubscribe/{world.signer.unsubscribe_token(reader.ref)}"


def post_notice(
    world: World,
    notice: Notice,
    claim: Claim,
    reader: Subscription,
    newsletter: Newsletter,
    *,
    back: WayBack | None = None,
) -> Message:
    """A service mail as its reader gets it; the same bytes for the same words."""
    seed = f"{claim.id}:{reader.request_nonce.hex()}"
    if claim.notice in (following.FOLLOW, following.SIMILAR):
        # that reader may ask for the newsletter meanwhile, which makes his nonce another one
        seed = f"{claim.id}:{reader.ref.hex()}:{claim.created_at:%Y%m%d%H%M%S}"
    message = mime.write_notice_message(
        notice,
        newsletter,
        to_address=reader.subscriber.address,
        message_id_seed=seed,
        date=claim.created_at,
        unsubscribe_url=withdraw_url(world, reader),
        public_url=world.public_url,
        way_back=back,
    )
    return signed(world, message, newsletter, at=claim.created_at)


def _notice(
    world: World, claim: Claim, reader: Subscription, newsletter: Newsletter, *, withdraw: str
) -> Notice:
    person = reader.subscriber
    match claim.notice:
        case notices.CONFIRM:
            token = world.signer.confirm_token(reader.ref, reader.request_nonce)
            return notices.write_confirm(
                world.renderer,
                newsletter,
                address=person.address,
                # who reads nothing but what he follows is asked about the newsletter's first rhythm
                frequency=newsletter.default_schedule.name
                if reader.frequency == FOLLOWS_ONLY
                else reader.frequency,
                moves=reader.replaces is not None,
                requested_at=reader.requested_at,
                confirm_url=f"{world.public_url}/confirm/{token}",
                unsubscribe_url=withdraw,
                language=person.language,
                timezone=person.timezone,
            )
        case notices.MOVED:
            return notices.write_moved(
                world.renderer,
                newsletter,
                address=person.address,
                moved_at=claim.created_at,
                language=person.language,
                timezone=person.timezone,
            )
        case _:
            raise LookupError(f"there is no notice {claim.notice!r}")


def signed(world: World, message: Message, newsletter: Newsletter, *, at: datetime) -> Message:
    """The message with a signature for each key; its time is the mail's own, for a retry's sake."""
    if not world.keys:
        return message
    data = sign(message.data, world.keys, domain=newsletter.sender.domain, at=at)
    return replace(message, data=data)
