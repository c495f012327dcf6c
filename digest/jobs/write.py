"""Turns a claimed row into the message that it stands for, an edition or a notice."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TypeVar

from digest.jobs.correct import read_erratum
from digest.jobs.reprint import Forme, read_edition, read_forme
from digest.jobs.world import World
from digest.jobs.write_following import stop_path, write_following
from digest.jobs.write_notice import post_notice, signed, write_about
from digest.messages import assemble, following, mime, notices
from digest.messages.plate import Plate, make_plate
from digest.model.delivery import Claim
from digest.model.edition import Edition
from digest.model.layout import Extra, read_name
from digest.model.message import Links, Message, WayBack
from digest.model.newsletter import Newsletter
from digest.model.subscriber import Subscription

#: selections that a writer keeps ready; each is as large as two mails
_KEPT = 32

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(slots=True)
class Writer:
    """Writes messages for one run; keeps the editions it has met, joined once."""

    world: World
    #: those whose messages are to be written, by subscription
    readers: dict[int, Subscription] = field(default_factory=dict)
    #: the plates of the selections that were met last
    _met: OrderedDict[tuple[int, str], Plate] = field(default_factory=OrderedDict)
    _formes: OrderedDict[tuple[int, str], Forme] = field(default_factory=OrderedDict)
    _errata: dict[int, notices.Erratum] = field(default_factory=dict)

    async def write(self, claim: Claim) -> Message:
        """The message of a row. Raises LookupError when what it is made from is gone."""
        reader = self.readers.get(claim.subscription_id)
        if reader is None:
            raise LookupError(f"subscription {claim.subscription_id} is gone")
        newsletter = self.world.newsletter(reader.newsletter)
        back = way_back(self.world, claim, reader)
        if claim.edition_id is None:
            if claim.notice in (following.FOLLOW, following.SIMILAR):
                notice = await write_following(self.world, claim, reader, newsletter)
            else:
                erratum = await self._erratum(claim)
                notice = write_about(self.world, claim, reader, newsletter, erratum=erratum)
            return post_notice(self.world, notice, claim, reader, newsletter, back=back)
        if claim.extra is not None:
            mine = await self._print(claim.edition_id, claim.choice, claim.extra)
            return write_edition(
                self.world, mine, reader, newsletter, choice=claim.choice, back=back
            )
        plate = await self._plate(claim.edition_id, claim.choice, newsletter)
        return plate.strike(
            links_for(self.world, newsletter, reader.ref, claim.edition_id, claim.choice),
            to_address=reader.subscriber.address,
            subscriber_ref=reader.ref,
            way_back=back,
        )

    async def _erratum(self, claim: Claim) -> notices.Erratum | None:
        """What a correction says; None for other notices. Raises LookupError."""
        if claim.notice != notices.CORRECTION or claim.about is None:
            return None
        if claim.about not in self._errata:
            async with self.world.store.read() as connection:
                self._errata[claim.about] = await read_erratum(connection, claim.about)
        return self._errata[claim.about]

    async def _print(self, edition_id: int, name: str, extra: Extra) -> Edition:
        """What this row alone stands for. Raises LookupError."""
        forme = await self._forme(edition_id, name)
        stops = {
            each.ref: f"{self.world.public_url}{stop_path(self.world, bytes.fromhex(each.ref))}"
            for each in extra.followed
        }
        return forme.print(extra, stops)

    async def _plate(self, edition_id: int, name: str, newsletter: Newsletter) -> Plate:
        """What this row and others stand for. Raises LookupError."""
        key = edition_id, name
        if key in self._met:
            self._met.move_to_end(key)
            return self._met[key]
        async with self.world.store.read() as connection:
            edition = await read_edition(connection, edition_id, name=name)
        if edition is None:
            raise LookupError(f"edition {edition_id} {name} is gone")
        plate = make_plate(
            edition,
            newsletter,
            assemble.join_cards(edition),
            links=links_for(self.world, newsletter, bytes(12), edition_id, name),
            public_url=self.world.public_url,
            keys=self.world.keys,
            mailed=self.world.bounce_domain is not None and self.world.bounce_mailbox is not None,
        )
        return _remember(self._met, key, plate)

    async def _forme(self, edition_id: int, name: str) -> Forme:
        """What the mails of single readers are laid out from. Raises LookupError."""
        key = edition_id, name
        if key in self._formes:
            self._formes.move_to_end(key)
            return self._formes[key]
        async with self.world.store.read() as connection:
            forme = await read_forme(connection, edition_id, name)
        match forme:
            case Forme():
                return _remember(self._formes, key, forme)
            case _:
                raise LookupError(f"edition {edition_id} {name} has no plan")


def _remember(met: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> _Value:
    """Keep what was met last; rows of one selection come together."""
    met[key] = value
    if len(met) > _KEPT:
        met.popitem(last=False)
    return value


def way_back(world: World, claim: Claim, reader: Subscription) -> WayBack | None:
    """Where mail about this delivery comes back to; None where no domain is kept for it."""
    if world.bounce_domain is None:
        return None
    token = world.signer.bounce_token(claim.id, int(claim.created_at.timestamp()))
    mailed = world.signer.mail_token(reader.ref) if world.bounce_mailbox else None
    return WayBack(
        return_path=f"b+{token}@{world.bounce_domain}",
        envelope_id=token,
        unsubscribe=f"u+{mailed}@{world.bounce_domain}" if mailed else None,
    )


def links_for(
    world: World, newsletter: Newsletter, ref: bytes, edition_id: int, name: str = ""
) -> Links:
    """The addresses that belong to the reader of this reference, and of this selection."""
    base = world.public_url
    archive = f"{base}/archive/{newsletter.slug}"
    return Links(
        unsubscribe=f"{base}/unsubscribe/{world.signer.unsubscribe_token(ref)}",
        preferences=f"{base}/preferences/{world.signer.preferences_token(ref)}",
        # an edition that is only shown or tested has no page of its own
        view=f"{archive}/{edition_id}{_query(name)}" if edition_id else archive,
        archive=archive,
    )


def _query(name: str) -> str:
    """What leads to a selection of an edition on the web."""
    choice, language = read_name(name)
    asked = [f"topics={choice}"] if choice else []
    asked += [f"in={language}"] if language else []
    return f"?{'&'.join(asked)}" if asked else ""


def write_edition(
    world: World,
    edition: Edition,
    reader: Subscription,
    newsletter: Newsletter,
    *,
    choice: str = "",
    back: WayBack | None = None,
) -> Message:
    """An edition that is one reader's alone; the same bytes at every attempt."""
    links = links_for(world, newsletter, reader.ref, edition.id, choice)
    joined = assemble.join_cards(edition)
    html, text = assemble.fill(joined, links, address=reader.subscriber.address)
    message = mime.write_edition_message(
        edition=edition,
        newsletter=newsletter,
        html=html,
        text=text,
        links=links,
        to_address=reader.subscriber.address,
        subscriber_ref=reader.ref,
        public_url=world.public_url,
        way_back=back,
    )
    return signed(world, message, newsletter, at=edition.made_at)


def write_test(
    world: World, edition: Edition, joined: assemble.Joined, newsletter: Newsletter, *, to: str
) -> Message:
    """An edition marked as a test, whose personal links lead to nobody's subscription."""
    nobody = bytes(12)
    links = links_for(world, newsletter, nobody, edition.id)
    html, text = assemble.fill(joined, links, address=to)
    message = mime.write_edition_message(
        edition=edition,
        newsletter=newsletter,
        html=html,
        text=text,
        links=links,
        to_address=to,
        subscriber_ref=nobody + to.encode(),
        public_url=world.public_url,
        test=True,
    )
    return signed(world, message, newsletter, at=edition.made_at)
