"""Turns an article into the topics that it is about, and a reader's choice into what he gets.

Words are compared by their stems, German and English. It never orders and never limits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from digest.editions.stems import Stemmed, holds, read
from digest.model.newsletter import OTHER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from digest.model.article import Article
    from digest.model.newsletter import Newsletter, Topic


def with_topics(articles: Iterable[Article], newsletter: Newsletter) -> list[Article]:
    """The articles, each with the names of the topics that it is about, in the offered order."""
    return [replace(each, topics=topics_of(each, newsletter)) for each in articles]


def topics_of(article: Article, newsletter: Newsletter) -> tuple[str, ...]:
    """The names of the newsletter's topics that an article is about."""
    return tuple(each.name for each in newsletter.topics if strength_of(article, each))


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """Something that says what an article is about, and how much."""

    #: "section", "category", "feed", "title" or "text"
    where: str
    name: str
    weight: float


def strength_of(article: Article, topic: Topic) -> float:
    """How much an article is about a topic: 0 not at all, 0.5 where only its text says so, or 1.

    Its signs have to weigh what the topic needs, and no word that it excludes may stand anywhere.
    """
    signs = signs_of(article, topic)
    if not signs or sum(each.weight for each in signs) < topic.needs:
        return 0.0
    return 0.5 if all(each.where == "text" for each in signs) else 1.0


def signs_of(article: Article, topic: Topic) -> tuple[Sign, ...]:
    """What says that an article is about a topic; nothing where an excluded word stands in it."""
    title, text = _read(article.title, article.language), _read(article.excerpt, article.language)
    if any(_stands(each, title) or _stands(each, text) for each in topic.without):
        return ()
    return tuple(_signs(article, topic, title=title, text=text))


def _signs(article: Article, topic: Topic, *, title: Stemmed, text: Stemmed) -> Iterator[Sign]:
    weight = topic.weights.get
    if article.section is not None and article.section in topic.sections:
        yield Sign(where="section", name=article.section, weight=topic.needs)
    if article.feed and article.feed in topic.feeds:
        yield Sign(where="feed", name=article.feed, weight=weight(article.feed, 1.0))
    named = {each.casefold() for each in article.categories}
    for each in topic.categories:
        if each.casefold() in named:
            yield Sign(where="category", name=each, weight=weight(each, 1.0))
    for each in topic.words:
        if _stands(each, title):
            yield Sign(where="title", name=each, weight=weight(each, 1.0))
        elif _stands(each, text):
            yield Sign(where="text", name=each, weight=weight(each, 1.0))


def _stands(word: str, text: Stemmed) -> bool:
    """True where a word or phrase stands in a text; `Robot*` is every word that begins so."""
    bare = word.removesuffix("*")
    return bool(bare.strip()) and holds(text, _read(bare, None), prefix=bare != word)


@lru_cache(maxsize=8192)
def _read(text: str, language: str | None) -> Stemmed:
    return read(text, language)
