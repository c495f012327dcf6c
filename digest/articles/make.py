"""Turns a parsed feed into articles: safe texts, one picture, an identity; trusts nothing of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from digest.articles import names
from digest.articles.boilerplate import tidy
from digest.articles.clean import clean
from digest.articles.excerpt import cut, excerpt, is_cut
from digest.articles.identify import Identity, identify
from digest.articles.images import choose_image
from digest.articles.links import link_of, untracked, web_url
from digest.articles.reading import count_words
from digest.model.article import NewArticle
from digest.model.feed import Entry, ParsedFeed
from digest.model.text import one_line, plain_text

MAX_TITLE = 300
TITLE_FROM_TEXT = 80
#: a summary shorter than this says less than the beginning of the text
SHORT_SUMMARY = 40
#: a text of fewer words is a teaser, and kept as its excerpt alone
TEASER = 100
#: clocks differ a little; what lies further ahead is a mistake, or a wrong zone
BELIEVED_AHEAD = timedelta(minutes=10)
#: before the first feeds: an epoch, a zero, a template that nobody filled in
BELIEVED_SINCE = datetime(1995, 1, 1, tzinfo=UTC)


def make_articles(parsed: ParsedFeed, *, feed_url: str, now: datetime) -> tuple[NewArticle, ...]:
    """The articles of one document in its order; exact repeats become one. `now` is UTC.

    `feed_url` may be a file's name. An entry that leads nowhere leads to the site or the feed; its
    `url` is "" where these are no web addresses either.
    """
    identities = identify(parsed.entries, feed_url=feed_url, site_url=parsed.site_url)
    articles: dict[str, NewArticle] = {}
    for entry, identity in zip(parsed.entries, identities, strict=True):
        if identity.key not in articles:
            articles[identity.key] = _article(entry, identity, parsed, now)
    return tuple(articles.values())


def _article(entry: Entry, identity: Identity, parsed: ParsedFeed, now: datetime) -> NewArticle:
    title = one_line(entry.title)
    summary = tidy(plain_text(entry.summary_html), title=title)
    content = tidy(plain_text(entry.content_html), title=title)
    # never the feed itself: nobody reads XML, and it may stand where only we can go
    url = _for_readers(link_of(entry) or web_url(parsed.site_url)) or ""
    words = max(count_words(summary), count_words(content))
    return NewArticle(
        key=identity.key,
        link_key=identity.link_key,
        signs=identity.signs,
        url=url,
        title=_title(title, summary or content, url),
        excerpt=excerpt(_teaser(title, summary, content)),
        image=choose_image(entry.images),
        author=names.author(entry.author),
        categories=names.categories(entry.categories),
        published_at=_believed(entry.published_at, now),
        words=words,
        html=_text(entry, summary, content, base=url) if words >= TEASER else "",
        comments_url=_for_readers(web_url(entry.comments_url)),
        language=names.language(entry.language, parsed.language),
        comments=entry.comments,
    )


def _for_readers(url: str | None) -> str | None:
    return untracked(url) if url else None


def _text(entry: Entry, summary: str, content: str, *, base: str) -> str:
    """The longer of the two as HTML; nothing where its publisher broke it off."""
    if len(content) >= len(summary):
        return "" if is_cut(content) else clean(entry.content_html, base=base or None)
    return "" if is_cut(summary) else clean(entry.summary_html, base=base or None)


def _teaser(title: str, summary: str, content: str) -> str:
    """The summary, unless the content begins better: it is cut, too short, or the title again."""
    if not content:
        return summary
    poor = len(summary) < SHORT_SUMMARY or is_cut(summary) or summary == title
    return content if poor or content.startswith(summary) else summary


def _title(title: str, text: str, url: str) -> str:
    if title:
        return cut(title, MAX_TITLE)
    return cut(excerpt(text), TITLE_FROM_TEXT) or urlsplit(url).hostname or ""


def _believed(moment: datetime | None, now: datetime) -> datetime | None:
    if moment is None or moment < BELIEVED_SINCE or moment > now + BELIEVED_AHEAD:
        return None
    return moment
