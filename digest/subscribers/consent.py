"""Turns a newsletter and a language into what somebody agrees to who subscribes; records nothing.

The same words stand beside our own button, in the form for other sites and in the consent record.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from digest.words import translations

if TYPE_CHECKING:
    from digest.model.newsletter import Newsletter


def consent(newsletter: Newsletter, language: str) -> str:
    """What somebody agrees to, word for word: shown beside the button and kept in the record."""
    return translations(language).gettext(
        "With “Subscribe” you ask for “%(title)s” by email. We first send you one mail with a link:"
        " only if you confirm there do you get the newsletter. You can leave at any time, with one"
        " click in every mail."
    ) % {"title": newsletter.title}


def consent_to_follow(newsletter: Newsletter, title: str, language: str) -> str:
    """What somebody agrees to who wants news like the article of this title, word for word."""
    return translations(language).gettext(
        "With “Follow” you ask for news like “%(title)s” from “%(newsletter)s” by email. We first"
        " send you one mail with a link: only if you confirm there do you get it. You can stop at"
        " any time, with one click in every mail."
    ) % {"title": title, "newsletter": newsletter.title}


def version_of(words: str) -> str:
    """What tells these words from others: the first 12 hex digits of their SHA-256."""
    return sha256(words.encode()).hexdigest()[:12]
