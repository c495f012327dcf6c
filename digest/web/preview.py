"""Turns an operator's signed link into a page that shows what would go out, and what is to be said.

Neither GET nor POST changes anything. A POST only says as what it is to be shown: an address in a
form stands in no log, and in an address of the web it would.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from digest.errors import AddressRefused, TemplateFault, UsageError
from digest.jobs.preview import Choice, Seen, find_preview, look, page_facts
from digest.web.answer import field, language_of, page, read_form, world_of
from digest.words import N_, languages, translations

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.responses import Response

    from digest.model.newsletter import Newsletter

_UNPROCESSABLE: Final = 422
#: what stands in its frames has styles of its own, and pictures from wherever
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src https: http:; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
_NO_THEME: Final = N_("There is no such theme.")
_NO_READER: Final = N_("There is no such reader of this newsletter.")
_NOTHING: Final = N_("There is nothing to show yet: no feed brought an article.")


def add_preview(web: FastAPI) -> None:
    """Add the page behind the link that `digest preview --web` prints."""
    web.add_route("/preview/{token}", show_preview, methods=["GET"])
    web.add_route("/preview/{token}", choose_preview, methods=["POST"])
    # choosing, rendering and counting take seconds: whoever asks twice waits
    web.state.previews = asyncio.Semaphore(1)
    web.state.counted = {}


async def show_preview(request: Request) -> Response:
    """What would go out now, as nobody in particular gets it."""
    newsletter = find_preview(world_of(request), str(request.path_params["token"]))
    return await _answer(request, newsletter, Choice())


async def choose_preview(request: Request) -> Response:
    """The same in another theme or language, or as a reader gets it."""
    newsletter = find_preview(world_of(request), str(request.path_params["token"]))
    form = await read_form(request)
    language = field(form, "language")
    return await _answer(
        request,
        newsletter,
        Choice(
            theme=field(form, "theme"),
            reader=field(form, "reader"),
            language=language if language in languages() else None,
        ),
    )


async def _answer(request: Request, newsletter: Newsletter, choice: Choice) -> Response:
    world, language = world_of(request), language_of(request, newsletter)
    seen = None
    try:
        async with request.app.state.previews:
            seen = await look(world, newsletter, choice, counted=request.app.state.counted)
    except TemplateFault as problem:
        say = translations(language).gettext
        wrong = say("The theme is broken: %(why)s") % {"why": problem}
    except (UsageError, AddressRefused):
        wrong = translations(language).gettext(_why(request, choice))
    else:
        return _page(request, newsletter, choice, seen, wrong=None)
    return _page(request, newsletter, choice, None, wrong=wrong)


def _why(request: Request, choice: Choice) -> str:
    """What a choice was refused for."""
    if choice.theme is not None and choice.theme not in world_of(request).renderer.themes():
        return _NO_THEME
    return _NO_READER if choice.reader else _NOTHING


def _page(
    request: Request,
    newsletter: Newsletter,
    choice: Choice,
    seen: Seen | None,
    *,
    wrong: str | None,
) -> Response:
    facts: dict[str, Any] = {"edition": None, "newsletter": newsletter}
    if seen is not None:
        facts = page_facts(seen, language=language_of(request, newsletter))
    facts |= {"wrong": wrong, "form": True, "themes": world_of(request).renderer.themes()}
    facts |= {
        "theme": choice.theme or newsletter.theme,
        "spoken": seen.edition.language if seen else choice.language or newsletter.language,
        "reader": choice.reader,
    }
    answer = page(request, "preview", status=_UNPROCESSABLE if wrong else 200, **facts)
    answer.headers["Content-Security-Policy"] = _POLICY
    return answer
