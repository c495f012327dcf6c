"""Turns what the crowd at the door means for one visitor into the page that he gets.

The forms by which strangers ask for mail share it: to sign up, and to follow an article.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from digest.web.answer import field, message, page, world_of
from digest.words import N_

if TYPE_CHECKING:
    from fastapi import Request
    from starlette.datastructures import FormData
    from starlette.responses import Response

    from digest.jobs import admission
    from digest.model.newsletter import Newsletter

_TOO_MANY: Final = 429
#: what the record says where a form did not say which words it showed
NOT_OURS: Final = "not our own form, so which words stood there is not known; ours were: "
#: characters of what was typed that are shown: no address is longer (RFC 5321 section 4.5.3.1)
SHOWN: Final = 254


def read_address(form: FormData) -> str:
    """What was typed where an address belongs, whatever it is."""
    return "".join(map(_visible, field(form, "email") or ""))


def _visible(character: str) -> str:
    """Control characters stand in no address, and a form brings them back changed."""
    return "\ufffd" if unicodedata.category(character) == "Cc" else character


def refuse(request: Request, newsletter: Newsletter, answer: admission.Refused) -> Response:
    """Too many came: say so, and when to come back."""
    title = (
        N_("Too many sign-ups from your network")
        if answer.network
        else N_("Too many sign-ups at the moment")
    )
    text = N_("We take no more of them just now. Please try again in an hour.")
    refusal = message(request, title=title, text=text, status=_TOO_MANY, newsletter=newsletter)
    left = (answer.until - world_of(request).clock()).total_seconds()
    refusal.headers["Retry-After"] = str(max(1, math.ceil(left)))
    return refusal


def ask_for_work(
    request: Request,
    newsletter: Newsletter,
    typed: str,
    kept: Sequence[tuple[str, str]],
    answer: admission.WorkWanted,
    *,
    to: str,
) -> Response:
    """The same form once more, with a question that costs a moment of the visitor's processor.

    `kept`: the fields that were filled in; `to`: the path that the form goes to.
    """
    return page(
        request,
        "work",
        status=_TOO_MANY,
        newsletter=newsletter,
        runs=True,
        to=to,
        address=typed[:SHOWN],
        kept=[*kept, ("work", answer.challenge.text)],
        challenge=answer.challenge,
        seconds=math.ceil(answer.wait.total_seconds()),
    )
