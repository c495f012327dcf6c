"""Following an article: a person asks for news like it, and confirms behind a signed link.

The caller of `request` learns more than the web may tell, as with `jobs/join.py`. Whoever is no
reader yet gets no editions by it: only what he follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from digest.articles.identify import page_signs
from digest.errors import LinkRefused, UsageError
from digest.jobs import remember
from digest.jobs.join import REQUEST_LIFE, Asked, known_reader, meet, note
from digest.jobs.turns import hold, names_of
from digest.jobs.world import World
from digest.model.article import Article
from digest.model.follow import FOLLOWS_ONLY, Follow, FollowMode, FollowState
from digest.model.newsletter import Newsletter
from digest.model.subscriber import Subscription, SubscriptionState
from digest.store import (
    crowds,
    deliveries,
    follows,
    lookup,
    people,
    reasons,
    subscribers,
    suppressions,
)
from digest.store.engine import Connection
from digest.subscribers.address import address_key, parse_address
from digest.subscribers.crowd import Ask, may_ask
from digest.subscribers.links import read_ref

#: what one reader may follow in one newsletter
MOST: Final = 50
_LEFT: Final = SubscriptionState.UNSUBSCRIBED
#: characters of what somebody says an article is: no address in a feed is longer
_LONGEST: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A follow, and whose it is."""

    follow: Follow
    subscription: Subscription

    @property
    def confirmed(self) -> bool:
        """True while it counts."""
        return self.follow.state is FollowState.ACTIVE

    def has_ended(self, now: datetime) -> bool:
        """True for what can be confirmed no more: withdrawn, or older than seven days."""
        if self.subscription.state is SubscriptionState.UNSUBSCRIBED:
            return True
        if self.follow.state is FollowState.PENDING:
            return now - self.follow.requested_at > REQUEST_LIFE
        return self.follow.state is FollowState.ENDED


async def find_article(connection: Connection, newsletter: Newsletter, said: str) -> Article | None:
    """The article that an id or address means; None where no feed of the newsletter has it."""
    if not 0 < len(said) <= _LONGEST or not newsletter.follow:
        return None
    found = await lookup.find_article(connection, said, _signs(said))
    known = await reasons.find(connection, str(found)) if found is not None else None
    if known is None or known.kept_out in ("withdrawn", "flood"):
        return None
    carried = any(each.url in known.feeds for each in newsletter.feeds)
    return known.article if carried else None


def _signs(said: str) -> tuple[str, ...]:
    try:
        return page_signs(said)
    except ValueError:  # what is no address
        return ()


# --------------------------------------------------------------- asking


async def request(
    world: World,
    *,
    address: str,
    newsletter: Newsletter,
    article_id: int,
    mode: FollowMode,
    language: str | None = None,
    door: str,
    detail: str = "",
    shown_in: str | None = None,
    network: str | None = None,
) -> Asked:
    """Ask by mail whether this person wants news like that article. Raises AddressRefused.

    `detail`, `shown_in` and `network` are as with `join.request`.
    """
    wire = parse_address(address)
    known_as, bothered = names_of(world, address_key(wire))
    async with world.store.write() as connection:
        now = world.clock()
        await hold(connection, known_as, bothered, now=now)
        known = await known_reader(connection, wire, newsletter)
        about = f"{newsletter.slug}/follow/{article_id}"
        closed = await suppressions.is_suppressed(connection, known_as)
        answer = await _consider(connection, known, article_id)
        if not await _may_ask(connection, bothered, about, now=now) and answer is Asked.ASKED:
            answer = Asked.WAITING
        if closed:
            return Asked.SUPPRESSED
        if answer is not Asked.ASKED:
            return answer
        person = await meet(connection, world, wire, language or newsletter.language, None)
        reader = await _reader(connection, world, known, person, newsletter, now=now)
        follow = await _write(connection, world, reader, article_id, mode, now=now)
        await _queue(connection, reader, follow, now=now)
        await crowds.count_mail(connection, bothered, about, now=now)
        await note(
            connection,
            reader,
            "following" if known and known.state is not _LEFT else "requested",
            door=door,
            detail=detail,
            now=now,
            language=shown_in,
            network=network if world.consent_network else None,
        )
    return Asked.ASKED


async def _may_ask(connection: Connection, bothered: str, about: str, *, now: datetime) -> bool:
    """Whether this mailbox may be asked about this; `about` never is a newsletter's name."""
    asks = [
        Ask(newsletter=slug, mails=mails, last_at=at)
        for slug, mails, at in await crowds.asked(connection, bothered)
    ]
    return may_ask(asks, newsletter=about, now=now)


async def _consider(connection: Connection, known: Subscription | None, article_id: int) -> Asked:
    """Whether this reader may be asked; all is looked up, whatever the first answer says."""
    if known is None:
        return Asked.ASKED
    if known.replaces is not None:
        return Asked.WAITING  # a move waits for his word: it is not to be taken with this one
    mine = await follows.of_subscription(connection, known.id, only_alive=True)
    if any(each.article_id == article_id for each in mine):
        return Asked.ACTIVE
    full = await follows.count_open(connection, known.id) >= MOST
    return Asked.WAITING if full else Asked.ASKED


async def _reader(
    connection: Connection,
    world: World,
    known: Subscription | None,
    person: int,
    newsletter: Newsletter,
    *,
    now: datetime,
) -> int:
    """The subscription that the follow belongs to, pending where it is not active; its id."""
    if known is None:
        return await subscribers.add_subscription(
            connection,
            ref=world.secret_bytes(12),
            subscriber_id=person,
            newsletter=newsletter.slug,
            frequency=FOLLOWS_ONLY,
            topics=(),
            request_nonce=world.secret_bytes(16),
            now=now,
        )
    if known.state is not SubscriptionState.ACTIVE:
        # a request for the newsletter itself that still waits stays as it is, with its link
        waits = known.state is SubscriptionState.PENDING
        await subscribers.ask_again(
            connection,
            known.id,
            frequency=known.frequency if waits else FOLLOWS_ONLY,
            topics=known.topics if waits else (),
            request_nonce=known.request_nonce if waits else world.secret_bytes(16),
            now=now,
        )
    return known.id


async def _write(
    connection: Connection,
    world: World,
    reader: int,
    article_id: int,
    mode: FollowMode,
    *,
    now: datetime,
) -> int:
    return await follows.ask(
        connection,
        ref=world.secret_bytes(12),
        subscription_id=reader,
        article_id=article_id,
        mode=mode,
        nonce=world.secret_bytes(16),
        now=now,
    )


async def _queue(connection: Connection, reader: int, follow: int, *, now: datetime) -> None:
    """Let one mail go out that asks, in the place of any that still waits."""
    await follows.drop_notices(connection, follow, now=now)
    await deliveries.queue_notice(
        connection, notice=follows.FOLLOW, subscription_id=reader, about=follow, now=now
    )


# --------------------------------------------------------------- confirming


async def look(world: World, token: str) -> Wish:
    """What a link confirms; changes nothing. Raises LinkRefused."""
    async with world.store.read() as connection:
        return await _look(connection, world, token)


async def _look(connection: Connection, world: World, token: str) -> Wish:
    found = await follows.by_ref(connection, read_ref(token))
    world.signer.check_follow(token, found.nonce if found else bytes(16))
    return await whole(connection, found)


async def whole(connection: Connection, found: Follow | None) -> Wish:
    """A follow with its subscription. Raises LinkRefused where there is none any more."""
    reader = await subscribers.by_id(connection, found.subscription_id) if found else None
    if found is None or reader is None or people.is_erased(reader.subscriber.address):
        raise LinkRefused("this link leads to nothing that is followed any more")
    return Wish(follow=found, subscription=reader)


async def confirm(
    world: World,
    token: str,
    *,
    door: str,
    detail: str = "",
    shown_in: str | None = None,
    network: str | None = None,
) -> Wish:
    """Pending becomes active, and so does a subscription that waits; again changes nothing.

    Raises LinkRefused.
    """
    async with world.store.write() as connection:
        now = world.clock()
        found = await _look(connection, world, token)
        if found.confirmed and not found.has_ended(now):
            return found
        known_as, bothered = names_of(world, address_key(found.subscription.subscriber.address))
        await hold(connection, known_as, bothered, now=now)
        found = await _look(connection, world, token)  # as it is now that we are in turn
        reader = found.subscription
        if (
            found.has_ended(now)
            or reader.replaces is not None
            or await suppressions.is_suppressed(connection, known_as)
        ):
            raise LinkRefused("this request has ended; follow the story again to get a new link")
        if await follows.confirm(connection, found.follow.id, now=now):
            begins = await subscribers.activate(connection, reader.id, now=now)
            about = f"{reader.newsletter}/follow/{found.follow.article_id}"
            await crowds.clear(connection, bothered, about)
            await note(
                connection,
                reader.id,
                "confirmed" if begins else "followed",
                door=door,
                detail=detail,
                now=now,
                language=shown_in,
                network=network if world.consent_network else None,
            )
            if begins:
                await remember.rejoined(world, reader, now=now)
        return await _look(connection, world, token)


def newsletter_of(world: World, wish: Wish) -> Newsletter | None:
    """The newsletter of a follow; None where it was given up, or offers no following any more."""
    slug = wish.subscription.newsletter
    try:
        found = world.newsletter(slug)
    except UsageError:
        return None
    return found if found.follow else None
