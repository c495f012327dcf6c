"""Who may be written to, as conditions that the ledger puts into its own statements."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select

from digest.model.follow import FOLLOWS_ONLY, FollowState
from digest.model.subscriber import SubscriptionState
from digest.store.choosing import findings, follows
from digest.store.follows import FOLLOW, SIMILAR, alive
from digest.store.tables import articles, deliveries, subscribers, subscriptions, suppressions


def may_be_mailed(now: datetime) -> ColumnElement[bool]:
    """Who may get what a delivery stands for, not being suppressed: asked at each step.

    Active and not paused for an edition, pending for a confirm mail, active for the correction of
    what he got; for a mail that tells what was found, while something of it is wanted. Whoever is
    told that his address was given up for another one is told whatever became of it since.
    """
    suppressed = exists().where(suppressions.c.address_hash == subscribers.c.address_hash)
    wanted = or_(
        and_(
            deliveries.c.edition_id.is_not(None),
            subscriptions.c.state == SubscriptionState.ACTIVE.value,
            awake(now),
        ),
        and_(
            deliveries.c.notice == "confirm",
            or_(
                subscriptions.c.state == SubscriptionState.PENDING.value,
                # he follows something, and asked for the newsletter as well
                and_(
                    subscriptions.c.state == SubscriptionState.ACTIVE.value,
                    subscriptions.c.frequency == FOLLOWS_ONLY,
                ),
            ),
        ),
        and_(deliveries.c.notice == FOLLOW, _waits_for_word()),
        and_(deliveries.c.notice == SIMILAR, awake(now), _is_wanted()),
        deliveries.c.notice == "moved",
        and_(
            deliveries.c.notice == "correction",
            subscriptions.c.state == SubscriptionState.ACTIVE.value,
        ),
    )
    return exists().where(
        subscriptions.c.id == deliveries.c.subscription_id,
        subscribers.c.id == subscriptions.c.subscriber_id,
        wanted,
        ~suppressed,
    )


def _waits_for_word() -> ColumnElement[bool]:
    """The follow that a notice asks about is not confirmed yet."""
    return (
        exists()
        .where(
            follows.c.id == deliveries.c.about,
            follows.c.subscription_id == deliveries.c.subscription_id,
            follows.c.state == FollowState.PENDING.value,
            subscriptions.c.state != SubscriptionState.UNSUBSCRIBED.value,
        )
        .correlate(deliveries, subscriptions)
    )


def _is_wanted() -> ColumnElement[bool]:
    """Something that a mail is to tell was found for a follow that counts still."""
    return (
        exists()
        .where(
            # the index is on both
            findings.c.subscription_id == deliveries.c.subscription_id,
            findings.c.told_at.is_not(None),
            findings.c.delivery_id == deliveries.c.id,
            follows.c.id == findings.c.follow_id,
            articles.c.id == findings.c.article_id,
            articles.c.withdrawn_at.is_(None),
            alive(),
        )
        .correlate(deliveries, subscriptions)
    )


def reads(
    newsletter: str, frequencies: Collection[str], other_than: Collection[str], *, now: datetime
) -> ColumnElement[bool]:
    """Active readers of these frequencies, or of none of `other_than`, not paused or suppressed."""
    rhythm: ColumnElement[bool] = subscriptions.c.frequency.in_(list(frequencies))
    if other_than:
        rhythm = or_(rhythm, subscriptions.c.frequency.not_in(list(other_than)))
    suppressed = exists().where(suppressions.c.address_hash == subscribers.c.address_hash)
    return and_(
        subscriptions.c.newsletter == newsletter,
        subscriptions.c.state == SubscriptionState.ACTIVE.value,
        rhythm,
        awake(now),
        ~suppressed,
    )


def awake(now: datetime) -> ColumnElement[bool]:
    """Readers who did not ask for a pause that still lasts."""
    until = subscriptions.c.paused_until
    return or_(until.is_(None), until <= now)


def readers_at(domain: str) -> Select[int]:
    """The subscriptions, of whatever state, of people with an address at this domain."""
    return (
        select(subscriptions.c.id)
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(subscribers.c.domain == domain)
    )
