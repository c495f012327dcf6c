"""Turns the troubles of feeds into one mail to the operator; what strangers wrote stays text."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from digest.messages import plain
from digest.messages.mime import common_header, envelope, flatten, hashed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from digest.messages.render import Renderer
    from digest.model.message import Message
    from digest.model.newsletter import Newsletter

OPERATOR: Final = "operator"

#: troubles that one mail tells one by one; `digest status` has the rest
MOST: Final = 100

#: characters of what a stranger wrote
_LONGEST: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A feed in trouble, or well again, as the mail tells it. Times are UTC."""

    kind: Literal["failing", "retired", "held", "gap"]
    title: str
    url: str
    since: datetime
    reason: str = ""
    #: how many are held
    articles: int = 0
    #: where the gap begins
    before: datetime | None = None

    @property
    def word(self) -> str:
        """Its address as a word of a command line."""
        return shlex.quote(self.url)


def write_operator_mail(
    renderer: Renderer,
    newsletter: Newsletter,
    *,
    to_address: str,
    new: Sequence[Case],
    over: Sequence[Case],
    seed: str,
    date: datetime,
) -> Message:
    """Write one mail about all that is new and all that is over, in the newsletter's name.

    Equal arguments give equal bytes, and an equal `seed` the same Message-ID. Raises TemplateFault,
    and AddressRefused for an address that needs SMTPUTF8.
    """
    notice = renderer.render_notice(
        OPERATOR,
        language=newsletter.language,
        newsletter=replace(newsletter, title=plain.tame(newsletter.title)),
        new=[_tamed(each) for each in new[:MOST]],
        over=[_tamed(each) for each in over[:MOST]],
        count_new=len(new),
        count_over=len(over),
        more=max(0, len(new) - MOST) + max(0, len(over) - MOST),
        timezone=newsletter.timezone,
    )
    identity = hashed(f"{OPERATOR}:{seed}".encode())
    header = common_header(newsletter, to_address, notice.subject, date=date, seed=identity)
    data = flatten(header, notice.html, notice.text, seed=identity)
    return envelope(data, newsletter, to_address, None)


def _tamed(case: Case) -> Case:
    return replace(
        case,
        title=plain.shorten(plain.tame(case.title), _LONGEST),
        # the operator's own words; he copies them into a command
        url=plain.one_line(case.url),
        reason=plain.shorten(plain.tame(case.reason), _LONGEST),
    )
