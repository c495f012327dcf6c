"""Turns what we hold of an article and what a feed says of it now into what we hold from now on.

Pure. Where several feeds carry it, the one that brought it first has the say, or a story whose
excerpt differs from feed to feed would change with every poll.
"""

from __future__ import annotations

from dataclasses import replace

from digest.articles.links import canonical, untracked
from digest.model.article import Image, NewArticle
from digest.store.held import Held


def revise(held: Held, said: NewArticle, *, feed_id: int, filled: bool = False) -> NewArticle:
    """The article as it is from now on; equal to `held.article` where nothing changed.

    `filled`: it was read elsewhere than in the feed itself, where texts may be cut differently, so
    that a difference is no edit.
    """
    was = held.article
    if not held.feeds:  # a restored backup knew no more of it than that it was told
        return replace(said, key=was.key, link_key=was.link_key, signs=(), html="")
    if filled or held.voice not in (feed_id, None):
        return _complete(was, replace(said, image=None) if held.page_read else said)
    alone = held.feeds == {feed_id}
    return replace(
        was,
        url=said.url or was.url,
        title=said.title,
        # what was read on its page stands above the feed's teaser
        excerpt=was.excerpt if held.page_text else said.excerpt,
        words=was.words if held.page_text else said.words,
        # what was looked at with its page: the feed's own picture was refused, or there is none
        image=was.image if held.page_read else _image(was.image, said.image, keep=not alone),
        author=said.author if alone else said.author or was.author,
        categories=said.categories if alone else said.categories or was.categories,
        published_at=was.published_at or said.published_at,
        comments_url=said.comments_url or was.comments_url,
        language=said.language or was.language,
        comments=was.comments if said.comments is None else said.comments,
    )


def _complete(was: NewArticle, said: NewArticle) -> NewArticle:
    """What is missing is taken from whoever has it."""
    return replace(
        was,
        image=was.image or said.image,
        author=was.author or said.author,
        categories=was.categories or said.categories,
        published_at=was.published_at or said.published_at,
        comments_url=was.comments_url or said.comments_url,
        language=was.language or said.language,
        comments=said.comments if was.comments is None else was.comments,
    )


def _image(was: Image | None, said: Image | None, *, keep: bool) -> Image | None:
    if said is None:
        return was if keep else None
    if was is None or was.url != said.url:
        return said
    # its size may have been found out since
    return replace(
        said,
        alt=said.alt or was.alt,
        width=said.width or was.width,
        height=said.height or was.height,
    )


def is_edit(held: Held, now: NewArticle) -> bool:
    """True where it says something else to its readers, or stands on another page."""
    was = held.article
    return bool(held.feeds) and (
        (was.title, was.excerpt) != (now.title, now.excerpt) or _page(was.url) != _page(now.url)
    )


def _page(url: str) -> str:
    return canonical(untracked(url)) if url else ""
