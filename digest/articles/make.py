"""Turns a parsed feed into articles: safe texts, one picture, an identity; never any markup."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from digest.articles.excerpt import cut, excerpt, is_cut, tidy
from digest.articles.identify import Identity, identify
from digest.articles.images import choose_image
from digest.articles.links import link_of, web_url
from digest.model.article import NewArticle
from digest.model.feed import Entry, ParsedFeed
from digest.model.text import one_line, plain_text

MAX_TITLE = 300
MAX_AUTHOR = 100
MAX_CATEGORIES = 10
MAX_CATEGORY = 60
TITLE_FROM_TEXT = 80
#: a summary shorter than this says less than the beginning of the text
SHORT_SUMMARY = 40
#: clocks differ, and some date the day after; what lies further ahead is a mistake
BELIEVED_AHEAD = timedelta(hours=24)


def make_articles(parsed: ParsedFeed, *, feed_url: str, now: datetime) -> tuple[NewArticle, ...]:
    """The articles of one document in its order; exact repeats become one. `now` is UTC.

    `feed_url` may be a file's name. An entry that leads nowhere leads to the site or the feed; its
    `url` is "" where these are no web addresses either.
    """
    # never the feed itself: nobody reads XML, and it may stand where only we can go
    home = web_url(parsed.site_url) or ""
    identities = identify(parsed.entries, feed_url=feed_url)
    articles: dict[str, NewArticle] = {}
    for entry, identity in zip(parsed.entries, identities, strict=True):
        if identity.key not in articles:
            articles[identity.key] = _article(entry, identity, home, now)
    return tuple(articles.values())


def _article(entry: Entry, identity: Identity, home: str, now: datetime) -> NewArticle:
    summary, content = tidy(plain_text(entry.summary_html)), tidy(plain_text(entry.content_html))
    url = link_of(entry) or home
    return NewArticle(
        key=identity.key,
        link_key=identity.link_key,
        url=url,
        title=_title(entry, summary or content, url),
        excerpt=excerpt(_teaser(entry, summary, content)),
        image=choose_image(entry.images),
        author=cut(one_line(entry.author or ""), MAX_AUTHOR) or None,
        categories=_categories(entry.categories),
        published_at=_believed(entry.published_at, now),
        words=max(len(summary.split()), len(content.split())),
        comments_url=web_url(entry.comments_url),
    )


def _teaser(entry: Entry, summary: str, content: str) -> str:
    """The summary, unless the content begins better: it is cut, too short, or the title again."""
    poor = len(summary) < SHORT_SUMMARY or is_cut(summary) or summary == entry.title
    return content if content and poor else summary


def _title(entry: Entry, text: str, url: str) -> str:
    title = one_line(entry.title)
    if title:
        return cut(title, MAX_TITLE)
    return cut(excerpt(text), TITLE_FROM_TEXT) or urlsplit(url).hostname or ""


def _categories(names: Iterable[str]) -> tuple[str, ...]:
    cleaned = (cut(one_line(name), MAX_CATEGORY) for name in names)
    return tuple(dict.fromkeys(filter(None, cleaned)))[:MAX_CATEGORIES]


def _believed(moment: datetime | None, now: datetime) -> datetime | None:
    return moment if moment and moment <= now + BELIEVED_AHEAD else None
