"""Turns an edition into three files that a person or a script can look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from digest.messages.plain import link_to
from digest.model.article import Article
from digest.model.edition import Draft, Written
from digest.model.newsletter import Newsletter


def describe(
    newsletter: Newsletter, draft: Draft, *, schedule: str, number: int, made_at: datetime
) -> dict[str, object]:
    """What an edition holds, for scripts: times as `YYYY-MM-DDTHH:MM:SSZ`."""
    return {
        "newsletter": newsletter.slug,
        "title": newsletter.title,
        "schedule": schedule,
        "number": number,
        "language": newsletter.language,
        "made_utc": utc(made_at),
        "subject": draft.subject,
        "preheader": draft.preheader,
        "limit": newsletter.limit,
        "articles": [
            _describe(article, place) for place, article in enumerate(draft.articles, start=1)
        ],
        "left_out": [
            {"title": each.article.title, "link": each.article.url, "reason": each.reason}
            for each in draft.left_out
        ],
    }


def _describe(article: Article, place: int) -> dict[str, object]:
    return {
        "position": place,
        "section": article.section,
        "title": article.title,
        "link": article.url,
        #: as it stands in the mail: https, where the publisher wrote http
        "mail_link": link_to(article.url),
        "published_utc": utc(article.published_at) if article.dated else None,
        "excerpt": article.excerpt,
        "image": asdict(article.image) if article.image else None,
        "author": article.author,
        "categories": list(article.categories),
        "source": article.source,
        "minutes": article.minutes,
    }


def utc(at: datetime) -> str:
    """A time as `YYYY-MM-DDTHH:MM:SSZ`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def lay_out(folder: Path, shown: Written, facts: Mapping[str, object]) -> None:
    """Write edition.html, edition.txt and edition.json into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "edition.html").write_text(shown.html, encoding="utf-8", newline="")
    (folder / "edition.txt").write_text(shown.text, encoding="utf-8", newline="")
    text = json.dumps(facts, ensure_ascii=False, indent=2)
    (folder / "edition.json").write_text(text + "\n", encoding="utf-8")
