"""What can be asked for about following stories, as paths in the words of OpenAPI 3.1."""

from __future__ import annotations

from typing import Final

from digest.web.openapi_desk import desk_paths
from digest.web.operations import HTML, LANG, PAGE, Data, get, path, post, query, text

_MODES: Final = ("prompt", "digest")


def mailed_paths(token_pattern: str) -> Data:
    """What mails lead to beside a subscription: the editors' desk, and what is followed."""
    return desk_paths(token_pattern) | follow_paths(token_pattern)


def follow_paths(token_pattern: str) -> Data:
    """The form, where it leads, and the pages behind the links of mails."""
    token = path("token", token_pattern, "from a link in a mail")
    return {
        "/follow": {
            "get": get(
                "The form to follow a story",
                PAGE,
                query("newsletter", "its slug; may be left out where there is only one"),
                query("article", "the story's id"),
                query("url", "or its address, as the feed has it"),
                LANG,
            ),
            "post": post(
                "Ask for news like a story: the same answer whatever is known of the address",
                # without an address; when many come: some work to do, or to come back later
                {200: HTML, 400: HTML, 404: HTML, 422: HTML, 429: HTML},
                {
                    "newsletter": text("its slug; may be left out where there is only one"),
                    "article": text("the story's id or address"),
                    "email": text("where the mail goes that asks for a confirmation"),
                    "mode": text("prompt: at once; digest: with the next edition")
                    | {"enum": list(_MODES)},
                    "website": text("empty: only machines fill it in"),
                    "stamp": text("when our form was made; forms on other sites have none"),
                    "words": text("which version of the words of consent the form shows"),
                    "work": text("the question of the answer with status 429"),
                    "nonce": text("a number that solves it; empty after the time to wait"),
                },
                LANG,
            ),
        },
        "/follow/confirm/{token}": {
            "get": get("The button that confirms", PAGE, token, LANG),
            "post": post("The story is followed; again, nothing more", PAGE, {}, token, LANG),
        },
        "/follow/stop/{token}": {
            "get": get("The button that stops just this", PAGE, token, LANG),
            "post": post("Nothing like that story comes any more", PAGE, {}, token, LANG),
        },
    }
