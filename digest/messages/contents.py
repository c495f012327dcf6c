"""Turns all drafts of an edition into what a theme says once: every section, story and link.

Which of it stands in whose mail, and where, is the business of plans. It writes no markup.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from digest import words
from digest.messages import plain
from digest.messages.beside import Ad, Other, lead_of, others_of, sponsors_of, support_of
from digest.messages.stories import Circumstances, Story, tell
from digest.model.layout import Form
from digest.words import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from digest.model.article import Article
    from digest.model.edition import Draft
    from digest.model.newsletter import Newsletter

#: how many stories of a selection may be told at length
FULL: Final = 10
#: names of parts that only single readers have; those of sections begin with "part:"
FOLLOWED, MEANWHILE = "followed", "meanwhile"
_TITLES: Final[Mapping[str, str]] = {
    FOLLOWED: N_("You follow"),
    MEANWHILE: N_("Since your last edition"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A section of an edition; the main one has no title."""

    #: for the marks
    index: int
    #: of its piece in the sheet
    name: str
    title: str | None
    #: fixed text of the section, and where that leads
    text: str
    url: str | None
    host: str
    stories: tuple[Story, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """All that an edition tells in any of its selections."""

    parts: tuple[Part, ...]
    headlines: tuple[Story, ...]
    others: tuple[Other, ...]
    sponsors: tuple[Ad, ...]
    support: Ad | None
    #: what the editors write above the news, by paragraphs
    lead: tuple[str, ...]
    #: False where all stories come from one source, which then needs no saying
    many_sources: bool

    @property
    def stories(self) -> tuple[Story, ...]:
        """All stories, each in every form that is needed."""
        return tuple(story for part in self.parts for story in part.stories)


def part_name(title: str | None) -> str:
    """The name of a section's piece."""
    return f"part:{title or ''}"


def tell_all(
    drafts: Sequence[Draft],
    newsletter: Newsletter,
    *,
    number: int,
    made_at: datetime,
    language: str,
    slot: str,
    public_url: str,
    beside: Sequence[Article] = (),
) -> Contents:
    """Make the contents of an edition from all of its drafts; `slot` stands for story numbers."""
    around = _circumstances(drafts, newsletter, slot=slot, public_url=public_url)
    forms = _forms(drafts, beside)
    parts: list[Part] = []
    for title, articles in _sections(drafts, newsletter):
        stories = _stories(articles, forms, around)
        parts.append(_section(len(parts), title, newsletter, stories))
    say = words.translations(language).gettext
    mine = _stories(beside, forms, around)
    # a card shows where cards belong, also where nobody knows yet which ones
    told = (*(story for part in parts for story in part.stories), *mine)
    sample = tuple(each for each in told if each.form is Form.LINE)[:1]
    for name, stories in ((FOLLOWED, mine or sample), (MEANWHILE, sample)):
        parts.append(_part(len(parts), name, say(_TITLES[name]), stories))
    by_id = {story.id: story for part in parts for story in part.stories}
    return Contents(
        parts=tuple(parts),
        headlines=tuple(by_id.values()),
        others=others_of(drafts),
        sponsors=sponsors_of(newsletter, number=number, at=made_at),
        support=support_of(newsletter),
        lead=lead_of(drafts),
        many_sources=len({story.source for story in by_id.values()}) > 1,
    )


def _stories(
    articles: Iterable[Article], forms: Mapping[int, set[Form]], around: Circumstances
) -> tuple[Story, ...]:
    return tuple(
        story
        for each in articles
        for story in tell(each, [form for form in Form if form in forms[each.id]], around)
    )


def _section(
    index: int, title: str | None, newsletter: Newsletter, stories: tuple[Story, ...]
) -> Part:
    """A section of the newsletter, with its fixed text if it has some."""
    rule = newsletter.section_rule(title)
    url = plain.link_to(rule.url) if rule and rule.url else None
    part = _part(index, part_name(title), None if title is None else plain.tame(title), stories)
    return replace(
        part, text=plain.tame(rule.text) if rule else "", url=url, host=plain.host_of(url or "")
    )


def _part(index: int, name: str, title: str | None, stories: tuple[Story, ...]) -> Part:
    return Part(index=index, name=name, title=title, text="", url=None, host="", stories=stories)


def _circumstances(
    drafts: Sequence[Draft], newsletter: Newsletter, *, slot: str, public_url: str
) -> Circumstances:
    follow = f"{public_url.rstrip('/')}/follow?newsletter={newsletter.slug}&article="
    return Circumstances(
        number=slot,
        search=newsletter.search,
        follow_url=follow if newsletter.follow else None,
        earlier={key: each for draft in drafts for key, each in draft.earlier.items()},
        also=frozenset(key for draft in drafts for key, found in draft.also.items() if found),
    )


def _forms(drafts: Sequence[Draft], beside: Sequence[Article]) -> dict[int, set[Form]]:
    """The forms in which a plan may need each article."""
    forms: dict[int, set[Form]] = {}
    for draft in drafts:
        for place, article in enumerate(draft.articles):
            wanted = forms.setdefault(article.id, {Form.BRIEF, Form.LINE})
            if place < FULL:
                wanted.add(Form.LEAD if place == 0 else Form.FULL)
    for article in beside:
        forms.setdefault(article.id, set()).update({Form.FULL, Form.BRIEF, Form.LINE})
    return forms


def _sections(
    drafts: Sequence[Draft], newsletter: Newsletter
) -> Iterator[tuple[str | None, Iterable[Article]]]:
    """Each section that any draft has, or that has fixed text, and all that may stand in it."""
    found: dict[str | None, dict[int, Article]] = {}
    for rule in newsletter.sections:
        if rule.text:
            found[rule.title] = {}
    for draft in drafts:
        for section in draft.sections:
            told = found.setdefault(section.title, {})
            for article in section.articles:
                told.setdefault(article.id, article)
    for title, told in found.items():
        yield title, told.values()
