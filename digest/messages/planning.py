"""Turns a draft and the sheet of its edition into a plan: what stands where, and how much of it.

It tells less of each story until the mail is small enough to be shown whole.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from digest.messages import plain
from digest.messages.contents import FULL
from digest.messages.layout import SIZE, largest
from digest.messages.sheet import form_in, minutes_of
from digest.model.edition import LEFT_OVER
from digest.model.layout import Form, Place, Plan, PlanPart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from digest.model.article import Article
    from digest.model.edition import Draft
    from digest.model.layout import Sheet
    from digest.model.newsletter import Newsletter


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """How much an edition says: how many stories are told at length, and how the others are."""

    full: int
    rest: Form
    #: how many headlines stand on top
    headlines: int


#: tried in this order until the mail is small enough to be shown whole
DETAILS: Final = (
    Detail(full=FULL, rest=Form.BRIEF, headlines=12),
    Detail(full=4, rest=Form.BRIEF, headlines=8),
    Detail(full=4, rest=Form.LINE, headlines=8),
    Detail(full=0, rest=Form.LINE, headlines=0),
)


def make_plan(
    draft: Draft, sheet: Sheet, newsletter: Newsletter, *, subject: str, preheader: str
) -> Plan:
    """Plan a selection. Raises ValueError where the sheet was not made for this draft."""
    more = [left.article for left in draft.left_out if left.reason in LEFT_OVER]
    hosts = {plain.host_of(url) for url in _links(more)}
    host = hosts.pop() if len(hosts) == 1 else ""
    whole = Plan(
        subject=subject,
        preheader=preheader,
        parts=(),
        headlines=0,
        more=len(more),
        more_url=_home(more) if host else None,
        more_host=host,
    )
    draft = replace(draft, also=_linked(draft, sheet))
    for detail in DETAILS:
        plan = _plan(whole, draft, sheet, newsletter, detail)
        cards = ((each.article_id, each.form) for part in plan.parts for each in part.places)
        plan = replace(plan, minutes=minutes_of(sheet, cards))
        if largest(sheet, plan) <= SIZE:
            break
    return plan


def _plan(
    whole: Plan,
    draft: Draft,
    sheet: Sheet,
    newsletter: Newsletter,
    detail: Detail,
) -> Plan:
    parts: list[PlanPart] = []
    count = 0
    for section in draft.sections:
        places = tuple(
            _place(article, draft, sheet, form_at(number, detail))
            for number, article in enumerate(section.articles, start=count)
        )
        parts.append(PlanPart(title=section.title, places=places))
        count += len(places)
    return replace(
        whole,
        parts=_with_fixed(parts, newsletter),
        headlines=min(detail.headlines, count) if count > 1 else 0,
    )


def _linked(draft: Draft, sheet: Sheet) -> dict[int, tuple[Article, ...]]:
    """The articles named under others: those that have a link, and no card of their own."""
    told = {each.id for each in draft.articles}
    return {
        key: tuple(a for a in found if a.id not in told and f"also:{a.id}" in sheet.pieces)
        for key, found in draft.also.items()
    }


def form_at(number: int, detail: Detail) -> Form:
    """How much is told of the story at a place, counted from 0."""
    if number >= detail.full:
        return detail.rest
    return Form.FULL if number else Form.LEAD


def _place(article: Article, draft: Draft, sheet: Sheet, form: Form) -> Place:
    found = form_in(sheet, article.id, form)
    if found is None:
        raise ValueError(f"the sheet has no card of article {article.id}")
    also = tuple(each.id for each in draft.also.get(article.id, ()))
    return Place(article_id=article.id, form=found, also=also)


def _with_fixed(parts: Sequence[PlanPart], newsletter: Newsletter) -> tuple[PlanPart, ...]:
    """These sections, and those of fixed text that hold no article, where the operator has them."""
    fixed = {rule.title for rule in newsletter.sections if rule.text}
    order = {rule.title: place for place, rule in enumerate(newsletter.sections)}
    found = [part for part in parts if part.places or part.title in fixed]
    for title, place in order.items():
        if title not in fixed or any(part.title == title for part in found):
            continue
        behind = (at for at, part in enumerate(found) if _follows(part, place, order))
        found.insert(next(behind, len(found)), PlanPart(title=title, places=()))
    return tuple(found)


def _follows(part: PlanPart, place: int, order: Mapping[str, int]) -> bool:
    """Whether a section stands behind that place; the main one never does, unnamed ones do."""
    return part.title is not None and order.get(part.title, len(order)) > place


def _links(articles: Iterable[Article]) -> list[str]:
    return [url for article in articles if (url := plain.link_to(article.url)) is not None]


def _home(articles: Iterable[Article]) -> str | None:
    """The front page of the site that the first of these articles leads to."""
    url = next(iter(_links(articles)), None)
    return None if url is None else "/".join(url.split("/")[:3]) + "/"
