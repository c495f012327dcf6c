"""Turns a newsletter into a form for other sites: plain HTML, or a script that puts it there.

The form posts to us as our own does. It needs no script, sets no cookie and tells nobody anything
before somebody presses its button.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Final

from markupsafe import escape
from starlette.exceptions import HTTPException

from digest.messages.templates import builtin_templates
from digest.model.newsletter import OTHER
from digest.subscribers.consent import consent, version_of
from digest.web.answer import newsletter_of, world_of
from digest.web.conditional import answer_if_new
from digest.web.language import choose_language
from digest.words import translations

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.responses import Response

    from digest.messages.render import Renderer
    from digest.model.newsletter import Newsletter

_NOT_FOUND: Final = 404


def add_embed(web: FastAPI) -> None:
    """Add the script that puts a newsletter's form into other sites."""
    web.add_route("/embed/{newsletter}.js", show_script, methods=["GET"])


async def show_script(request: Request) -> Response:
    """The script; its language is `?lang=` or the newsletter's, whatever the browser prefers."""
    newsletter, world = newsletter_of(request, request.path_params["newsletter"]), world_of(request)
    if newsletter is None:
        raise HTTPException(_NOT_FOUND)
    language = choose_language(request.query_params.get("lang"), "", otherwise=newsletter.language)
    script = write_script(
        world.renderer, newsletter, language=language, public_url=world.public_url
    )
    answer = answer_if_new(request, script.encode(), media_type="text/javascript")
    # a page that isolates itself (COEP) may load it all the same
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


def write_form(
    renderer: Renderer,
    newsletter: Newsletter,
    *,
    language: str,
    public_url: str,
    styles: str = "style",
) -> str:
    """The form as HTML; `styles` names the attribute for its styles. Raises TemplateFault."""
    return renderer.render_page(
        "embed/form",
        language=language,
        newsletter=newsletter,
        action=f"{public_url}/subscribe?lang={language}",
        consent=consent(newsletter, language),
        words=version_of(consent(newsletter, language)),
        other=OTHER,
        styles=styles,
    )


def write_script(
    renderer: Renderer, newsletter: Newsletter, *, language: str, public_url: str
) -> str:
    """The script with the form in it: one request brings both. Raises TemplateFault."""
    form = write_form(
        renderer, newsletter, language=language, public_url=public_url, styles="data-style"
    )
    return f"{_code()}({json.dumps(form)});\n"


def write_tag(newsletter: Newsletter, *, language: str, public_url: str) -> str:
    """What loads the script, and a link for browsers that run none."""
    script = f"{public_url}/embed/{newsletter.slug}.js?lang={language}"
    page = f"{public_url}/{newsletter.slug}?lang={language}"
    words = translations(language).gettext("Subscribe to “%(title)s”") % {"title": newsletter.title}
    return (
        f'<script src="{escape(script)}" async></script>\n'
        f'<noscript><a href="{escape(page)}" lang="{language}">{escape(words)}</a></noscript>\n'
    )


@cache
def _code() -> str:
    path = builtin_templates() / "pages" / "embed" / "embed.js"
    return path.read_text(encoding="utf-8").rstrip()
