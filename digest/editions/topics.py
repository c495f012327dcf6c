"""Turns an article into the topics that it is about, and a reader's choice into what he gets.

It compares whole words without regard to case. It never orders and never limits.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from digest.model.newsletter import OTHER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from digest.model.article import Article
    from digest.model.newsletter import Newsletter, Topic


def with_topics(articles: Iterable[Article], newsletter: Newsletter) -> list[Article]:
    """The articles, each with the names of the topics that it is about, in the offered order."""
    return [replace(each, topics=topics_of(each, newsletter)) for each in articles]


def topics_of(article: Article, newsletter: Newsletter) -> tuple[str, ...]:
    """The names of the newsletter's topics that an article is about."""
    return tuple(each.name for each in newsletter.topics if _is_about(article, each))


def wanted(
    articles: Sequence[Article], newsletter: Newsletter, choice: Sequence[str]
) -> list[Article]:
    """What of these articles a reader of this choice gets; everything where it is empty.

    A topic that is no longer offered counts for nothing, and a choice of nothing else is none:
    nobody is left without news because the operator took a topic away.
    """
    chosen = set(newsletter.choose(choice))
    if not chosen:
        return list(articles)
    return [each for each in articles if chosen & set(each.topics or (OTHER,))]


def _is_about(article: Article, topic: Topic) -> bool:
    if article.section is not None and article.section in topic.sections:
        return True
    named = {each.casefold() for each in article.categories}
    if any(each.casefold() in named for each in topic.categories):
        return True
    found = _words(topic.words)
    return found is not None and any(map(found.search, (article.title, article.excerpt)))


@lru_cache(maxsize=1024)
def _words(words: tuple[str, ...]) -> re.Pattern[str] | None:
    """A pattern for any of these words and phrases, whole; `Robot*` is every word that begins so.

    None where there are none. White space between two words of a phrase may be of any kind.
    """
    parts = []
    for each in words:
        stem = each.removesuffix("*")
        phrase = r"\s+".join(map(re.escape, stem.split()))
        if phrase:
            parts.append(phrase + (r"\w*" if each.endswith("*") else ""))
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", re.IGNORECASE) if parts else None
