"""Turns a draft into a written edition, a kind and its facts into a notice, a name into a page.

An edition is rendered once for everybody: what is personal stays a slot, each story's card is cut
out of the frame. Nothing here knows a reader.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from digest.errors import TemplateFault
from digest.messages import marks, plain
from digest.messages.inline import inline
from digest.messages.stories import DETAILS, Detail, tell
from digest.messages.templates import Templates, builtin_templates
from digest.model.edition import Card, Draft, Written
from digest.model.message import Notice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from digest.model.newsletter import Newsletter

__all__ = ["SIZE", "Renderer", "builtin_templates"]

#: octets of the HTML part: Gmail cuts what is longer than 102,000, links and all
SIZE: Final = 90_000
#: characters of a subject or preheader
_SUBJECT: Final = 150
_PREHEADER: Final = 200

_EMPTY_LINES: Final = re.compile(r"\n[ \t]*(?:\n[ \t]*){2,}")
_INDENT: Final = re.compile(r"\n[ \t\n]+")


class Renderer:
    """Everything that is made from templates. The first of `folders` that has one wins."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._templates = Templates(folders)

    def render_edition(
        self,
        draft: Draft,
        newsletter: Newsletter,
        *,
        number: int,
        made_at: datetime,
        language: str,
        nonce: str,
        public_url: str,
        rarer: str | None = None,
    ) -> Written:
        """Write an edition in its newsletter's theme, with slots and cards (see `marks`).

        `rarer` names the schedule to offer readers to whom this one is too much.
        `nonce` is 32 hexadecimal digits drawn after the articles were read. Where the HTML would
        pass 90,000 octets, less is told of each story. Raises TemplateFault.
        """
        theme = f"editions/{newsletter.theme}"
        facts: dict[str, Any] = {
            "newsletter": _tamed(newsletter),
            "home_url": f"{public_url.rstrip('/')}/{newsletter.slug}",
            "number": number,
            "made_at": made_at,
            "timezone": newsletter.timezone,
            "slot": marks.slots(nonce),
            "rarer": rarer,
            "topic_titles": {each.name: plain.tame(each.title) for each in newsletter.topics},
            "subject": plain.shorten(plain.tame(draft.subject), _SUBJECT),
            "preheader": plain.shorten(plain.tame(draft.preheader), _PREHEADER),
        }
        subject = self._say(f"{theme}/subject.txt", language, facts)
        facts["subject"] = plain.shorten(plain.one_line(subject), _SUBJECT)
        for detail in DETAILS:
            written = self._write(theme, draft, detail, language=language, nonce=nonce, facts=facts)
            if size_of(written) <= SIZE:
                break
        return written

    def check_theme(self, name: str) -> None:
        """Raise TemplateFault unless a theme of this name is whole."""
        for part in ("subject.txt", "body.txt", "body.html", "style.css"):
            self._templates.find(f"editions/{name}/{part}")

    def render_notice(self, kind: str, *, language: str, **context: Any) -> Notice:
        """Write a service mail from the folder `notices/<kind>`. Raises TemplateFault."""
        folder = f"notices/{kind}"
        subject = plain.one_line(self._say(f"{folder}/subject.txt", language, context))
        context["subject"] = plain.shorten(subject, _SUBJECT)
        return Notice(
            kind=kind,
            subject=context["subject"],
            html=self._say(f"{folder}/body.html", language, context),
            text=_tidy(self._say(f"{folder}/body.txt", language, context)),
        )

    def render_page(self, name: str, *, language: str, **context: Any) -> str:
        """Write the page `pages/<name>.html`. Raises TemplateFault."""
        return self._say(f"pages/{name}.html", language, context)

    def _say(self, name: str, language: str, context: dict[str, Any]) -> str:
        return self._templates.render(name, language=language, context=context)

    def _write(
        self,
        theme: str,
        draft: Draft,
        detail: Detail,
        *,
        language: str,
        nonce: str,
        facts: dict[str, Any],
    ) -> Written:
        facts = {**facts, "contents": tell(draft, detail)}
        sheet = Markup(self._say(f"{theme}/style.css", language, facts))  # noqa: S704 -- no feed's text is in it
        marked: dict[str, Any] = {"style": sheet, "marks": marks.Marks(nonce, html=True)}
        page = self._say(f"{theme}/body.html", language, facts | marked)
        text = self._say(
            f"{theme}/body.txt", language, facts | {"marks": marks.Marks(nonce, html=False)}
        )
        return _cut(
            Written(
                subject=facts["subject"],
                preheader=facts["preheader"],
                html=_INDENT.sub("\n", _inlined(page, f"{theme}/body.html")),
                text=_tidy(text),
                cards=(),
                minutes=facts["contents"].minutes,
            ),
            nonce=nonce,
            ids=[article.id for article in draft.articles],
            theme=theme,
        )


def _tamed(newsletter: Newsletter) -> Newsletter:
    """The newsletter with texts that are as safe to show as a feed's."""
    return replace(
        newsletter,
        title=plain.tame(newsletter.title),
        description=plain.tame(newsletter.description),
        address=plain.tame(newsletter.address),
    )


def size_of(written: Written) -> int:
    """Return how many octets the HTML part has with all cards, personal values left out."""
    return sum(len(part.encode()) for part in (written.html, *(c.html for c in written.cards)))


def _inlined(page: str, name: str) -> str:
    try:
        return inline(page)
    except ValueError as error:
        raise TemplateFault(f"{name}: {' '.join(str(error).split())}: mend the theme") from error


def _tidy(text: str) -> str:
    """A text part with at most one empty line in a row, ending in one line end."""
    return _EMPTY_LINES.sub("\n\n", "\n".join(map(str.rstrip, text.splitlines()))).strip() + "\n"


def _cut(whole: Written, *, nonce: str, ids: list[int], theme: str) -> Written:
    """Cut the cards out of the frame. Raises TemplateFault where a theme left something out."""
    pages, texts = (
        _cards(part, nonce=nonce, html=html)
        for part, html in ((whole.html, True), (whole.text, False))
    )
    for part, cards in (("body.html", pages), ("body.txt", texts)):
        if list(cards) != ids:
            raise TemplateFault(
                f"{theme}/{part}: {len(cards)} of {len(ids)} stories stand between"
                " marks.card(story.id) and marks.card_end: each has to, once, in order"
            )
    frames = [
        _frame(whole.html, nonce=nonce, html=True),
        _frame(whole.text, nonce=nonce, html=False),
    ]
    for part, frame in zip(("body.html", "body.txt"), frames, strict=True):
        if f"{nonce}-unsubscribe" not in frame:
            raise TemplateFault(
                f"{theme}/{part} has no slot.unsubscribe: every mail needs the link"
            )
    return Written(
        subject=whole.subject,
        preheader=whole.preheader,
        html=frames[0],
        text=frames[1],
        cards=tuple(Card(article_id=key, html=pages[key], text=texts[key]) for key in ids),
        minutes=whole.minutes,
    )


def _cards(part: str, *, nonce: str, html: bool) -> dict[int, str]:
    found = marks.find_region(nonce, marks.CARD, html=html).finditer(part)
    return {int(match.group(1)): match.group(2) for match in found}


def _frame(part: str, *, nonce: str, html: bool) -> str:
    cards = marks.find_region(nonce, marks.CARD, html=html)
    return cards.sub(lambda m: marks.card_slot(nonce, int(m.group(1)), html=html), part)
