"""Turns a link below a story into the page where people follow it, and what they send into a wish.

As with the sign-up, the answer is the same whatever we know of the address, and comes at the same
time. GET and HEAD change nothing, because scanners open every link.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException

from digest.errors import AddressRefused
from digest.jobs import admission, follow
from digest.messages.plain import link_to, tame
from digest.model.follow import FollowMode
from digest.subscribers import work
from digest.subscribers.consent import consent_to_follow, version_of
from digest.subscribers.crowd import shorten
from digest.web.answer import (
    field,
    language_of,
    message,
    newsletter_of,
    page,
    read_form,
    world_of,
)
from digest.web.entrance import NOT_OURS, SHOWN, ask_for_work, read_address, refuse
from digest.web.visitor import address_of, end_on_the_beat
from digest.words import N_, languages

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.datastructures import FormData
    from starlette.responses import Response

    from digest.model.article import Article
    from digest.model.newsletter import Newsletter

_NOT_FOUND: Final = 404
_UNPROCESSABLE: Final = 422
_DOOR: Final = "web"


def add_similar(web: FastAPI) -> None:
    """Add the page on which a story is followed."""
    web.add_route("/follow", show_follow, methods=["GET"])
    web.add_route("/follow", ask, methods=["POST"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What somebody wrote into the form."""

    newsletter: Newsletter
    article: Article
    typed: str
    mode: FollowMode
    #: which words the form says that it shows beside its button
    words: str | None

    @property
    def title(self) -> str:
        """The story's, as it may be shown."""
        return tame(self.article.title) or tame(self.article.url)


# --------------------------------------------------------------- asking


async def show_follow(request: Request) -> Response:
    """The form for one story, by `article` (its id) or `url`."""
    asked = request.query_params
    said = asked.get("article") or asked.get("url") or ""
    found = await _find(request, asked.get("newsletter"), said)
    if found is None:
        return _unknown(request)
    newsletter, article = found
    mode = asked.get("mode", "")
    wish = _Wish(newsletter=newsletter, article=article, typed="", mode=_mode(mode), words=None)
    return _form(request, wish)


async def ask(request: Request) -> Response:
    """Ask to follow a story: one answer, at one time, whatever is known of the address."""
    form = await read_form(request)
    # only now: whoever sends his last octet late would choose where in the beat our work begins
    began = asyncio.get_running_loop().time()
    answer = await _ask(request, form)
    await end_on_the_beat(began, request.app.state.beat)
    return answer


async def _ask(request: Request, form: FormData) -> Response:
    said = field(form, "article") or field(form, "url") or ""
    found = await _find(request, field(form, "newsletter"), said)
    if found is None:
        return _unknown(request)
    newsletter, article = found
    wish = _Wish(
        newsletter=newsletter,
        article=article,
        typed=read_address(form),
        mode=_mode(field(form, "mode") or ""),
        words=field(form, "words"),
    )
    if not wish.typed:
        return _form(request, wish, missing=True)
    usual = page(
        request,
        "follow_asked",
        newsletter=newsletter,
        title=wish.title,
        address=wish.typed[:SHOWN],
        article=article.id,
    )
    world = world_of(request)
    age = work.read_stamp(world.signer, field(form, "stamp"), now=world.clock())
    # nobody sees that field, and nobody is so quick: what follows is for people
    if field(form, "website") is not None or (age is not None and age < work.TOO_SOON):
        return usual
    attempt = admission.Attempt(
        typed=wish.typed,
        newsletter=newsletter.slug,
        address=address_of(request, proxies=world.proxies),
        stamped=age is not None,
        challenge=field(form, "work"),
        nonce=field(form, "nonce"),
    )
    async with request.app.state.turns.turn():
        answer = await admission.admit(world, attempt, request.app.state.gate)
        if isinstance(answer, admission.Admitted):
            await _request(request, wish)
    match answer:
        case admission.Admitted() | admission.Repeated():
            return usual
        case admission.Refused():
            return refuse(request, newsletter, answer)
        case admission.WorkWanted():
            kept = _kept(wish)
            return ask_for_work(request, newsletter, wish.typed, kept, answer, to="/follow")


def _kept(wish: _Wish) -> list[tuple[str, str]]:
    kept = [
        ("newsletter", wish.newsletter.slug),
        ("article", str(wish.article.id)),
        ("email", wish.typed),
        ("mode", wish.mode.value),
    ]
    return [*kept, ("words", wish.words)] if wish.words else kept


async def _request(request: Request, wish: _Wish) -> None:
    """Let a mail ask him, if that can be; whoever asks hears nothing of it."""
    world, (door, detail, shown_in) = world_of(request), _shown(request, wish)
    address = address_of(request, proxies=world.proxies)
    try:
        await follow.request(
            world,
            address=wish.typed,
            newsletter=wish.newsletter,
            article_id=wish.article.id,
            mode=wish.mode,
            language=language_of(request, wish.newsletter),
            door=door,
            detail=f"{detail} ({wish.mode})",
            shown_in=shown_in,
            network=shorten(address) if address else None,
        )
    except AddressRefused:
        return


def _shown(request: Request, wish: _Wish) -> tuple[str, str, str]:
    """The door, and the words that stood beside its button with their language, as we know them."""
    for language in languages():
        words = consent_to_follow(wish.newsletter, wish.title, language)
        if wish.words == version_of(words):
            return _DOOR, words, language
    language = language_of(request, wish.newsletter)
    return "form", f"{NOT_OURS}{consent_to_follow(wish.newsletter, wish.title, language)}", language


async def _find(request: Request, slug: str | None, said: str) -> tuple[Newsletter, Article] | None:
    """The story that is meant; None where this newsletter has none such, or offers it not."""
    newsletters = world_of(request).newsletters
    newsletter = newsletter_of(request, slug) if slug else None
    if slug is None and len(newsletters) == 1:
        newsletter = newsletters[0]
    if newsletter is None:
        raise HTTPException(_NOT_FOUND)
    async with world_of(request).store.read() as connection:
        found = await follow.find_article(connection, newsletter, said.strip())
    return (newsletter, found) if found else None


def _mode(said: str) -> FollowMode:
    return FollowMode.DIGEST if said == FollowMode.DIGEST.value else FollowMode.PROMPT


def _unknown(request: Request) -> Response:
    return message(
        request,
        title=N_("We do not know this story"),
        text=N_(
            "Only stories that this newsletter has from its feeds can be followed. A new one is"
            " here some minutes after it was published: please try again then."
        ),
        status=_NOT_FOUND,
    )


def _form(request: Request, wish: _Wish, *, missing: bool = False) -> Response:
    world, language = world_of(request), language_of(request, wish.newsletter)
    words = consent_to_follow(wish.newsletter, wish.title, language)
    return page(
        request,
        "follow",
        status=_UNPROCESSABLE if missing else 200,
        newsletter=wish.newsletter,
        title=wish.title,
        url=link_to(wish.article.url),
        article=wish.article,
        mode=wish.mode.value,
        missing=missing,
        consent=words,
        words=version_of(words),
        stamp=work.stamp(world.signer, world.clock()),
    )
