"""Turns a draft into the mail and the words by which editors judge it; strangers' text stays text.

The mail changes nothing by itself: its one link leads to a page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from digest.messages import plain
from digest.messages.mime import common_header, envelope, flatten, hashed
from digest.words import N_, format_number, translations

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from digest.messages.render import Renderer
    from digest.model.article import Article
    from digest.model.edition import Draft, Score
    from digest.model.message import Message
    from digest.model.newsletter import Newsletter

PROOF: Final = "proof"

#: stories that the mail tells one by one, and of those left out; the page has the rest
MOST: Final = 60
MOST_OUT: Final = 30

#: characters of what a stranger wrote
_TITLE: Final = 320
_NAME: Final = 60

_PARTS: Final = {
    "freshness": N_("freshness"),
    "topic": N_("topic"),
    "thread": N_("event"),
    "source": N_("source"),
    "section": N_("section"),
}
_REASONS: Final = {
    "limit": N_("the edition is full"),
    "section limit": N_("its section is full"),
    "minutes": N_("reading would take too long"),
    "size": N_("the mail would be too large"),
    "duplicate": N_("the same article stands there already"),
    "thread": N_("another article about the same event stands there"),
    "told": N_("an earlier edition told it"),
    "off topic": N_("no topic is about it"),
    "refused": N_("you dropped it"),
    "late": N_("it came after the draft was made"),
    "no news": N_("it had no room before, and there is nothing new"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A story of a draft, or one left out of it, as mail and page tell it."""

    id: int
    title: str
    #: None where its address is none that we may point to
    url: str | None
    host: str
    source: str
    section: str | None
    published_at: datetime
    #: the parts of its rank, or why it stays out, in words
    why: str


def tell_line(article: Article, why: str) -> Line:
    """An article's texts, tamed and shortened, with safe links."""
    url = plain.link_to(article.url)
    return Line(
        id=article.id,
        title=plain.shorten(plain.tame(article.title), _TITLE) or str(article.id),
        url=url,
        host=plain.host_of(url) if url else "",
        source=plain.shorten(plain.tame(article.source), _NAME),
        section=plain.shorten(plain.tame(article.section), _NAME) if article.section else None,
        published_at=article.published_at,
        why=why,
    )


def say_score(score: Score | None, language: str) -> str:
    """A rank in short: "rank 1.25: freshness 0.75, topic 0.5"."""
    if score is None:
        return ""
    gettext = translations(language).gettext
    parts = [
        f"{gettext(_PARTS.get(name, name))} {format_number(round(number, 2), language)}"
        for name, number in score.parts
    ]
    total = format_number(round(score.total, 2), language)
    return gettext("rank %(total)s: %(parts)s") % {"total": total, "parts": ", ".join(parts) or "0"}


def say_reason(reason: str, language: str) -> str:
    """Why an article stays out, in a few words."""
    return translations(language).gettext(_REASONS[reason]) if reason in _REASONS else reason


def write_proof_mail(
    renderer: Renderer,
    newsletter: Newsletter,
    draft: Draft,
    *,
    to_address: str,
    slot_at: datetime,
    goes_at: datetime | None,
    link: str,
    seed: str,
    date: datetime,
) -> Message:
    """Write the mail with which an editor sees a draft, in the newsletter's name and language.

    `goes_at`: when it goes out if nobody says anything; None: not before somebody lets it. Equal
    arguments give equal bytes, and an equal `seed` the same Message-ID. Raises TemplateFault, and
    AddressRefused for an address that needs SMTPUTF8.
    """
    language = newsletter.language
    stories = [
        tell_line(each, say_score(draft.scores.get(each.id), language)) for each in draft.articles
    ]
    others = [tell_line(each.article, say_reason(each.reason, language)) for each in draft.left_out]
    notice = renderer.render_notice(
        PROOF,
        language=language,
        title=plain.tame(newsletter.title),
        draft_subject=plain.shorten(plain.tame(draft.subject), _TITLE),
        lead=_paragraphs(draft.lead),
        stories=stories[:MOST],
        others=others[:MOST_OUT],
        more=_more(stories, MOST),
        more_others=_more(others, MOST_OUT),
        slot_at=slot_at,
        goes_at=goes_at,
        link=link,
        timezone=newsletter.timezone,
    )
    identity = hashed(f"{PROOF}:{seed}:{to_address}".encode())
    header = common_header(newsletter, to_address, notice.subject, date=date, seed=identity)
    data = flatten(header, notice.html, notice.text, seed=identity)
    return envelope(data, newsletter, to_address, None)


def _more(lines: Sequence[Line], most: int) -> int:
    return max(0, len(lines) - most)


def _paragraphs(lead: str) -> list[str]:
    return [line for line in map(plain.tame, lead.splitlines()) if line]
