"""Turns what was chosen into the selections of an edition: a sheet a language, a plan a selection.

Articles are rendered once for all of them; a selection more is arithmetic. It stores nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from digest.editions.compose import compose
from digest.editions.topics import wanted
from digest.editions.weigh import Ranks
from digest.jobs.world import World
from digest.messages.layout import SIZE, largest, lay_out
from digest.model.article import Article
from digest.model.edition import Draft, Written
from digest.model.layout import Extra, Plan, Sheet, name_selection, read_name
from digest.model.newsletter import Newsletter
from digest.store.subscribers import read_choice, write_choice
from digest.words import languages


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What an edition may tell, and what was found out about it."""

    found: tuple[Article, ...]
    ranks: Ranks
    number: int
    nonce: str
    made_at: datetime
    #: the schedule to offer readers to whom this one is too much
    rarer: str | None = None
    #: what the editors write above it
    lead: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A selection: what it tells, and how it is laid out."""

    draft: Draft
    plan: Plan


def name_of(newsletter: Newsletter, topics: Iterable[str], language: str | None) -> str:
    """The name of the selection for a reader of these topics, as far as they are still offered.

    A language that is the newsletter's, or none that we write in, changes nothing.
    """
    abroad = language if language in abroad_of(newsletter) else None
    return name_selection(write_choice(newsletter.choose(tuple(topics))), abroad)


def abroad_of(newsletter: Newsletter) -> list[str]:
    """The languages that an edition is written in beside the newsletter's own."""
    return [each for each in languages() if each != newsletter.language]


@dataclass(slots=True)
class Press:
    """The selections of one edition, by their names; "" is the edition itself."""

    world: World
    newsletter: Newsletter
    chosen: Chosen
    _sheets: dict[str, Sheet] = field(default_factory=dict)
    #: all drafts that each sheet was made for: another one has whatever this one had
    _drafts: dict[str, list[Draft]] = field(default_factory=dict)
    #: the articles that each sheet holds
    _held: dict[str, set[int]] = field(default_factory=dict)
    #: articles that only single readers get
    _beside: dict[int, Article] = field(default_factory=dict)
    #: None: there is nothing in it
    _pages: dict[str, Page | None] = field(default_factory=dict)

    async def plan(self, names: Iterable[str], beside: Sequence[Article] = ()) -> None:
        """Plan these selections, and have cards of the articles that only single readers get."""
        self._beside |= {each.id: each for each in beside}
        new = [name for name in dict.fromkeys(names) if name not in self._pages]
        if new:
            # some seconds where there are many, while the pages and the other jobs go on
            await asyncio.to_thread(self._set, new)

    def draft(self, name: str) -> Draft | None:
        """What a selection would tell if there were room enough; None where there is nothing."""
        return self._draft(name, self.newsletter.limit)

    def cards(self, name: str) -> set[int]:
        """The articles that the sheet of a selection that was set has cards of."""
        return self._held.get(self._language(name), set())

    def page(self, name: str) -> Page | None:
        """A selection that was set; None where there is nothing in it."""
        return self._pages.get(name)

    def is_empty(self, name: str) -> bool:
        """True where it is known that there is nothing in this selection."""
        return name in self._pages and self._pages[name] is None

    def plans(self, names: Iterable[str]) -> dict[str, Plan]:
        """The plans of these selections."""
        return {name: page.plan for name in names if (page := self._pages[name]) is not None}

    def sheets(self, names: Iterable[str]) -> dict[str, Sheet]:
        """The sheets that these selections are laid out from, by their language."""
        languages = {self._language(name) for name in names}
        return {each: self._sheets[each] for each in sorted(languages)}

    def markup(self) -> list[str]:
        """The HTML of all that any selection may show."""
        return [each.html for sheet in self._sheets.values() for each in sheet.pieces.values()]

    def write(self, name: str, extra: Extra | None = None) -> Written:
        """A selection as it is read. Raises LookupError where there is nothing in it."""
        page = self._pages[name]
        if page is None:
            raise LookupError(f"selection {name!r} is empty")
        sheet = self._sheets[self._language(name)]
        return lay_out(sheet, page.plan, nonce=self.chosen.nonce, extra=extra)

    def _language(self, name: str) -> str:
        return read_name(name)[1] or self.newsletter.language

    def _set(self, names: Sequence[str]) -> None:
        by_language: dict[str, dict[str, Draft]] = {}
        for name in names:
            draft = self.draft(name)
            self._pages[name] = None
            if draft is not None:
                by_language.setdefault(self._language(name), {})[name] = draft
        for language, drafts in by_language.items():
            self._hold(language, list(drafts.values()))
            for name, draft in drafts.items():
                self._pages[name] = self._fit(name, draft)

    def _draft(self, name: str, limit: int) -> Draft | None:
        """What a selection tells of all that the edition was chosen from.

        What had no room in the whole may well have some in it.
        """
        choice, language = read_name(name)
        ranks = replace(self.chosen.ranks, left_out=()) if name else self.chosen.ranks
        found = wanted(self.chosen.found, self.newsletter, read_choice(choice))
        newsletter = replace(self.newsletter, limit=limit)
        draft = compose(found, newsletter, ranks=ranks, language=language)
        return replace(draft, lead=self.chosen.lead) if draft is not None else None

    def _hold(self, language: str, drafts: Sequence[Draft]) -> None:
        """Have a sheet with all that these drafts tell, and all that was planned before."""
        asked = {each.id for draft in drafts for each in draft.articles}
        asked |= self._beside.keys()
        if asked <= self._held.get(language, set()):
            return
        every = self._drafts.setdefault(language, [])
        every += drafts
        self._sheets[language] = self.world.renderer.render_sheet(
            every,
            self.newsletter,
            number=self.chosen.number,
            made_at=self.chosen.made_at,
            language=language,
            nonce=self.chosen.nonce,
            public_url=self.world.public_url,
            rarer=self.chosen.rarer,
            beside=list(self._beside.values()),
        )
        self._held[language] = asked | {each.id for draft in every for each in draft.articles}

    def _fit(self, name: str, draft: Draft) -> Page:
        """The plan of a draft, with fewer articles where it is too large or takes too long."""
        language = self._language(name)
        while True:
            self._hold(language, [draft])
            sheet = self._sheets[language]
            plan = self.world.renderer.plan_edition(draft, sheet, self.newsletter)
            shorter = self._shorten(name, draft, plan, largest(sheet, plan))
            if shorter is None:
                return Page(draft=draft, plan=plan)
            draft = shorter

    def _shorten(self, name: str, draft: Draft, plan: Plan, octets: int) -> Draft | None:
        """A draft with fewer articles, or None where the mail is short enough.

        The HTML has to be shown whole, and reading it may not take longer than the newsletter says.
        """
        minutes, most = plan.minutes or 1, self.newsletter.minutes
        chosen = len(draft.articles)
        too_long = most is not None and minutes > most
        if chosen == 1 or (octets <= SIZE and not too_long):
            return None
        share = min(SIZE / octets, (most or minutes) / minutes)
        shorter = self._draft(name, max(1, min(chosen - 1, int(chosen * share))))
        if shorter is None:
            return None
        why = "size" if octets > SIZE else "minutes"
        # what stayed out before keeps its reason; this may be the second time that we shorten
        reasons = {each.article.id: each.reason for each in draft.left_out}
        return replace(
            shorter,
            left_out=tuple(
                replace(each, reason=reasons.get(each.article.id, why))
                if each.reason == "limit"
                else each
                for each in shorter.left_out
            ),
        )
