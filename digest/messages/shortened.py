"""Turns a plan into what its stories lost, so that mail programs show the whole mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.messages.planning import DETAILS, form_at
from digest.model.layout import Form

if TYPE_CHECKING:
    from digest.model.layout import Plan


def shortened(plan: Plan) -> dict[int, tuple[Form, Form]]:
    """The stories that are told shorter than their places would have it, by id.

    For each how much would have been told where there is room enough, and how much is.
    """
    forms, places = list(Form), [place for part in plan.parts for place in part.places]
    found = {
        place.article_id: (form_at(number, DETAILS[0]), place.form)
        for number, place in enumerate(places)
    }
    return {
        key: (wanted, told)
        for key, (wanted, told) in found.items()
        if forms.index(told) > forms.index(wanted)
    }
