"""Turns the editors' signed link into a page with the draft, and its buttons into their word.

GET and HEAD never change anything, because scanners open every link. What is pressed says what
shall be, not what shall change, so that pressing twice is no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from digest.jobs import desk
from digest.jobs.desk import LEAD, TITLE, Desk, Refusal
from digest.messages.plain import tame
from digest.messages.proof import Line, say_reason, say_score, tell_line
from digest.model.proof import ProofState
from digest.web.answer import field, language_of, page, read_form, world_of

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.datastructures import FormData
    from starlette.responses import Response

    from digest.model.article import Article
    from digest.model.edition import Section

#: of what was left out, so many are shown
_MOST_OUT: Final = 100
_NOT_FOUND: Final = 404
_UNPROCESSABLE: Final = 422
_DECISIONS: Final = {
    "hold": ProofState.HELD,
    "release": ProofState.APPROVED,
    "now": ProofState.RELEASED,
}


def add_desk(web: FastAPI) -> None:
    """Add the page behind the link in the editors' mail."""
    web.add_route("/desk/proof/{token}", show_proof, methods=["GET"])
    web.add_route("/desk/proof/{token}", change_proof, methods=["POST"])


async def show_proof(request: Request) -> Response:
    """The draft as it would go out now, with its buttons."""
    return _page(request, await desk.look(world_of(request), _token(request)))


async def change_proof(request: Request) -> Response:
    """One button was pressed; what cannot be done changes nothing, and is said."""
    form = await read_form(request)
    do, named = field(form, "do") or "", _number(form, "article")
    done = await _act(request, form, do, named)
    if isinstance(done, Refusal):
        now = await desk.look(world_of(request), _token(request))
        # the text that was too long is not lost
        typed = (field(form, "lead") or "") if do == "lead" else None
        return _page(request, now, refused=done, about=named, typed=typed)
    return _page(request, done, told=do, about=named)


async def _act(request: Request, form: FormData, do: str, article: int | None) -> Desk | Refusal:
    world, token = world_of(request), _token(request)
    if do in _DECISIONS:
        return await desk.decide(world, token, _DECISIONS[do])
    if do == "lead":
        return await desk.write_lead(world, token, field(form, "lead") or "")
    where = _number(form, "place")
    match do, article, where:
        case "place", int(), int():
            done = desk.place(world, token, article, where)
        case "take", int(), _:
            done = desk.take(world, token, article)
        case "free", int(), _:
            done = desk.free(world, token, article)
        case "drop", int(), _:
            done = desk.drop(world, token, article)
        case "title", int(), _:
            done = desk.retitle(world, token, article, field(form, "title") or "")
        case _:
            return Refusal.UNKNOWN
    return await done


def _number(form: FormData, name: str) -> int | None:
    text = field(form, name) or ""
    # no id has more digits, and a database takes no longer ones
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None  # noqa: PLR2004


def _token(request: Request) -> str:
    return str(request.path_params["token"])


# --------------------------------------------------------------- what the page says


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A story of the draft, and what can be pressed beside it."""

    line: Line
    #: its place in its section, counted from 1
    place: int
    last: bool
    pinned: bool
    #: what it is called now, as it may be changed
    title: str
    #: what its publisher calls it, where it is told under another title
    own_title: str | None
    #: it was not in the draft that was mailed
    new: bool
    #: its section stands by rank: a place can be chosen
    movable: bool


def _page(
    request: Request,
    found: Desk,
    *,
    told: str | None = None,
    refused: Refusal | None = None,
    about: int | None = None,
    typed: str | None = None,
) -> Response:
    language = language_of(request, found.newsletter)
    left = found.left_out[:_MOST_OUT]
    return page(
        request,
        "proof",
        status=_NOT_FOUND if found.over else _UNPROCESSABLE if refused else 200,
        newsletter=found.newsletter,
        desk=found,
        state=found.proof.state.value,
        ahead=found.proof.slot.at > world_of(request).clock(),
        subject=tame(found.draft.subject) if found.draft else None,
        parts=[
            (section.title, _stories(found, section, language))
            for section in (found.draft.sections if found.draft else ())
        ],
        out=[(_line(found.articles[key], say_reason(why, language)), why) for key, why in left],
        more=len(found.left_out) - len(left),
        lead=found.proof.lead if typed is None else typed,
        most_lead=LEAD,
        most_title=TITLE,
        told=told,
        refused=refused.value if refused else None,
        # what is not on the page is spoken of at its head
        about=about if about in found.articles else None,
    )


def _stories(found: Desk, section: Section, language: str) -> list[Story]:
    scores = found.draft.scores if found.draft else {}
    rule = found.newsletter.section_rule(section.title)
    return [
        Story(
            line=_line(each, say_score(scores.get(each.id), language)),
            place=place,
            last=place == len(section.articles),
            pinned=each.id in found.verdicts and found.verdicts[each.id].pinned is not None,
            title=each.title,
            own_title=_own_title(found, each),
            new=each.id not in found.proof.shown,
            movable=rule is None or rule.order == "rank",
        )
        for place, each in enumerate(section.articles, start=1)
    ]


def _own_title(found: Desk, article: Article) -> str | None:
    own = found.articles.get(article.id)
    return tame(own.title) if own is not None and own.title != article.title else None


def _line(article: Article, why: str) -> Line:
    return tell_line(article, why)
