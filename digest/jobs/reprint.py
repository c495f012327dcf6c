"""Turns what was stored of an edition back into what its readers get; it renders nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from digest.messages.layout import lay_out
from digest.model.edition import Edition, Written
from digest.model.layout import Extra, Plan, Sheet, read_name
from digest.store import editions, selections
from digest.store.engine import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Forme:
    """A selection that is ready to be laid out for single readers."""

    edition: Edition
    plan: Plan
    sheet: Sheet

    def print(
        self, extra: Extra | None = None, stop_urls: Mapping[str, str] | None = None
    ) -> Edition:
        """The edition as the readers of this selection get it, or with an extra one of them."""
        written = lay_out(
            self.sheet,
            self.plan,
            nonce=self.edition.nonce,
            extra=extra,
            stop_urls=stop_urls or {},
        )
        return replace(self.edition, written=written, language=self.sheet.language)


async def read_edition(
    connection: Connection, edition_id: int, *, name: str = ""
) -> Edition | None:
    """An edition as it was sent, or a selection of it; None where there is none of this name."""
    if not name:
        return await editions.get(connection, edition_id)
    forme = await read_forme(connection, edition_id, name)
    return forme.print() if isinstance(forme, Forme) else forme


async def read_forme(connection: Connection, edition_id: int, name: str) -> Forme | Edition | None:
    """What a selection is laid out from; a whole edition where it was stored so of old."""
    edition = await editions.get(connection, edition_id)
    found = await selections.get(connection, edition_id, name)
    if edition is None or found is None:
        return None
    if found.plan is None:
        written = Written(
            subject=found.subject,
            preheader=found.preheader,
            html=found.html,
            text=found.text,
            cards=(),
        )
        return replace(edition, written=written)
    language = read_name(name)[1] or edition.language
    sheet = await selections.sheet(connection, edition_id, language)
    return Forme(edition=edition, plan=found.plan, sheet=sheet) if sheet is not None else None
