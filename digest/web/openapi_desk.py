"""Turns what the editors' and the operator's pages answer into its part of the OpenAPI document."""

from __future__ import annotations

from typing import Final

from digest.web.operations import HTML, LANG, PAGE, Data, get, path, post, text

#: what editors can do with a draft
DESK_ACTS: Final = "hold release now lead place take free drop title"


def desk_paths(token_shape: str) -> Data:
    """The paths of the editors' desk, and of the operator's preview."""
    token = path("token", token_shape, "from the link in the editors' mail")
    preview = path("token", token_shape, "from `digest preview --web`; good for 24 hours")
    do = text("hold, release, now and lead are about the draft, the others about an article")
    return {
        "/preview/{token}": {
            "get": get("What would go out now, side by side, with its checks", PAGE, preview, LANG),
            "post": post(
                "The same in another theme or language, or as a reader gets it; changes nothing",
                {200: HTML, 400: HTML, 404: HTML, 422: HTML},
                {
                    "theme": text("a theme of this service"),
                    "language": text("the language of the mail"),
                    "reader": text("the address of a reader; empty: nobody"),
                },
                preview,
                LANG,
            ),
        },
        "/desk/proof/{token}": {
            "get": get("A draft before its slot, with the editors' buttons", PAGE, token, LANG),
            "post": post(
                "Do what `do` says; what cannot be done changes nothing, and is said (422)",
                {200: HTML, 400: HTML, 404: HTML, 422: HTML},
                {
                    "do": do | {"enum": DESK_ACTS.split()},
                    "article": text("its number: place, take, free, drop, title"),
                    "place": text("where in its section, counted from 1: place"),
                    "title": text("what it shall be called; empty: its own title: title"),
                    "lead": text("what stands above the news; empty: nothing: lead"),
                },
                token,
                LANG,
            ),
        },
    }
