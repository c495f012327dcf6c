"""Turns the articles since the last edition into a draft: what it holds and what it is called.

Pure choice: no markup, no clock, nothing personal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from digest.editions.select import select
from digest.editions.weigh import Ranks
from digest.model.edition import Draft, LeftOut
from digest.model.text import one_line
from digest.words import translations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digest.model.article import Article
    from digest.model.newsletter import Newsletter

_NONE: Final = Ranks()

#: what mail programs show of a subject, and of the line under it, with room to spare
_SUBJECT: Final = 120
_PREHEADER: Final = 140
#: others about the same event that are named under a story; on a great day there are dozens
_ALSO: Final = 4


def compose(
    articles: Sequence[Article],
    newsletter: Newsletter,
    *,
    ranks: Ranks = _NONE,
    language: str | None = None,
) -> Draft | None:
    """The draft of the edition that these articles make, or None when there is nothing new.

    The subject is the first title and how many more there are, at most 120 characters; the
    preheader goes on with the next three titles, at most 140. `language` is that of the words
    around the titles; None is the newsletter's own.
    """
    sections, left_out = select(
        articles,
        limit=newsletter.limit,
        section_order=[feed.section for feed in newsletter.feeds],
        ranks=ranks,
        rules=newsletter.sections,
    )
    if not sections:
        return None
    chosen = [article for section in sections for article in section.articles]
    titles = [one_line(article.title) for article in chosen]
    first = titles[0] or one_line(newsletter.title)
    return Draft(
        sections=sections,
        left_out=(*left_out, *ranks.left_out),
        also=_also(left_out),
        earlier={each.id: ranks.earlier[each.id] for each in chosen if each.id in ranks.earlier},
        scores=ranks.scores,
        subject=_subject(first, len(titles) - 1, language=language or newsletter.language),
        preheader=_preheader(first, titles[1:4], fallback=one_line(chosen[0].excerpt)),
    )


def _also(left_out: Sequence[LeftOut]) -> dict[int, tuple[Article, ...]]:
    """The articles about the same event as a chosen one, by its id, the highest ranks first."""
    found: dict[int, tuple[Article, ...]] = {}
    for each in left_out:
        if each.reason == "thread" and each.instead is not None:
            found[each.instead] = (*found.get(each.instead, ()), each.article)[:_ALSO]
    return found


def _subject(first: str, more: int, *, language: str) -> str:
    if not more:
        return cut(first, _SUBJECT)
    words = translations(language)
    tail = words.ngettext("(+%(count)d more)", "(+%(count)d more)", more) % {"count": more}
    return f"{cut(first, _SUBJECT - len(tail) - 1)} {tail}"


def _preheader(first: str, following: Sequence[str], *, fallback: str) -> str:
    """What the subject does not say yet: the next titles, or the first article's excerpt."""
    seen = first.casefold()
    titles = dict.fromkeys(title for title in following if title and title.casefold() != seen)
    return cut(" · ".join(titles) or fallback, _PREHEADER)


def cut(text: str, limit: int) -> str:
    """The text in at most `limit` characters, cut after a word and marked with an ellipsis."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    words = head.rpartition(" ")[0]
    if not text[limit - 1].isspace() and len(words) > limit // 2:
        head = words
    return head.rstrip(" ,;:.·-–—(") + "…"  # noqa: RUF001 -- the dashes that titles are cut at
