"""Balances the books: every delivery that an edition was given must stand somewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from digest.errors import UsageError
from digest.jobs.world import World
from digest.model.delivery import DeliveryState
from digest.store import books
from digest.store.books import Account, Line

#: what is under way counts as what it would be if the process died now
_COLUMNS = {
    "sent": (DeliveryState.SENT,),
    "deferred": (DeliveryState.DEFERRED,),
    "bounced": (DeliveryState.BOUNCED,),
    "excluded": (DeliveryState.EXCLUDED,),
    "uncertain": (DeliveryState.UNCERTAIN, DeliveryState.DOTTED),
    "queued": (DeliveryState.QUEUED, DeliveryState.CLAIMED),
    "expired": (DeliveryState.EXPIRED,),
}

#: the names that `columns` uses, in the order in which they are told
COLUMNS = tuple(_COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """One edition's books, added up."""

    edition: int
    newsletter: str
    number: int
    candidates: int
    columns: dict[str, int]
    #: so many copies may exist
    doubts: int

    @property
    def balanced(self) -> bool:
        """Nobody is missing and nobody is counted twice."""
        return self.candidates == sum(self.columns.values())


async def balance(world: World, edition_id: int | None) -> list[Balance]:
    """The books of one edition, or of all. Raises UsageError for an edition that is not there."""
    found: list[Account] = []
    if edition_id is None or edition_id <= books.LAST:
        async with world.store.read() as connection:
            found = await books.accounts(connection, edition_id)
    if edition_id is not None and not found:
        raise UsageError(f"there is no edition {edition_id}; `digest status` names the last one")
    return [_add_up(each) for each in found]


def _add_up(account: Account) -> Balance:
    columns = {
        name: sum(account.states.get(state, 0) for state in states)
        for name, states in _COLUMNS.items()
    }
    return Balance(
        edition=account.edition_id,
        newsletter=account.newsletter,
        number=account.number,
        candidates=account.candidates if account.candidates is not None else 0,
        columns=columns,
        doubts=account.doubts,
    )


async def name_people(world: World, edition_id: int, columns: Sequence[str]) -> AsyncIterator[Line]:
    """Each delivery that stands in one of these columns, by name."""
    states = [state for name in columns for state in _COLUMNS[name]]
    after = 0
    while True:
        async with world.store.read() as connection:
            page = await books.people(connection, edition_id, states=states, after=after)
        if not page:
            return
        for each in page:
            yield each
        after = page[-1].id
