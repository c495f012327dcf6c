"""Turns the two parts of a mail into findings about their links; it asks nobody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from digest.messages.cascade import read_mail
from digest.model.finding import Finding
from digest.words import format_number, translations

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from digest.messages.cascade import Element
    from digest.model.message import Links

_QUOTED: Final = 100
_URL: Final = re.compile(r"https?://[^\s<>\"]+")
#: so many of a kind are named one by one
_MOST: Final = 10


def links_of(html: str) -> tuple[str, ...]:
    """The addresses of all links of a mail, each once, in their order."""
    found = (
        each.get("href", "").strip() for each in read_mail(html).iter("a") if "href" in each.attrib
    )
    return tuple(dict.fromkeys(found))


def is_of_one_reader(url: str, links: Links) -> bool:
    """Whether an address carries the token of a reader: nobody but he may ask for it."""
    return url.startswith((links.unsubscribe, links.preferences))


def check_links(
    html: str, text: str, links: Links, *, public_url: str, language: str
) -> tuple[Finding, ...]:
    """Findings in `language`: each link leads somewhere, says where, and stands in both parts."""
    anchors = [each for each in read_mail(html).iter("a") if "href" in each.attrib]
    said = [
        *_where_they_lead(links_of(html), public_url, language),
        *_what_they_say(anchors, language),
        *_ways_out(html, text, links, language),
        *_in_both(links_of(html), text, language),
    ]
    if said:
        return tuple(said)
    gettext = translations(language).gettext
    what = gettext("Links: %(count)s, all https, all with words, all in both parts.")
    return (Finding(level="ok", what=what % {"count": format_number(len(anchors), language)}),)


def _where_they_lead(urls: Sequence[str], public_url: str, language: str) -> Iterator[Finding]:
    gettext = translations(language).gettext
    ours = public_url.startswith("http:")
    if ours:
        yield Finding(
            level="warning",
            what=gettext("Our own links are not https."),
            where=public_url,
            do=gettext("Set DIGEST_PUBLIC_URL to an address with https before readers get mail."),
        )
    for url in urls:
        if is_good(url) or (ours and url.startswith(public_url)):
            continue
        http = url.lower().startswith("http://")
        yield Finding(
            level="warning" if http else "error",
            what=gettext("A link is not https.") if http else gettext("A link leads nowhere."),
            where=url[:_QUOTED] or 'href=""',
            do=gettext("Write a whole address with https, or no link."),
        )


def is_good(url: str) -> bool:
    """Whether a link of a mail leads somewhere: https with a host, or a mail address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme == "mailto":
        return "@" in parts.path
    return parts.scheme == "https" and bool(parts.hostname)


def _what_they_say(anchors: Sequence[Element], language: str) -> Iterator[Finding]:
    gettext = translations(language).gettext
    for each in anchors:
        if each.get("aria-hidden") == "true" or _name(each):
            continue
        yield Finding(
            level="error",
            what=gettext("A link says nothing: whoever hears the mail read cannot use it."),
            where=each.get("href", "")[:_QUOTED],
            do=gettext("Give it words, or its picture an alt text."),
        )


def _name(anchor: Element) -> str:
    """What a link is called by those who hear it."""
    alts = " ".join(each.get("alt", "") for each in anchor.iter("img"))
    return " ".join(f"{anchor.get('aria-label', '')} {anchor.text_content()} {alts}".split())


def _ways_out(html: str, text: str, links: Links, language: str) -> Iterator[Finding]:
    gettext = translations(language).gettext
    there = links_of(html)
    for url, what in (
        (links.unsubscribe, gettext("The unsubscribe link is missing.")),
        (links.preferences, gettext("The link to the settings is missing.")),
    ):
        # the settings are also asked for with a wish: `?do=pause`
        in_html = any(each == url or each.startswith(f"{url}?") for each in there)
        for part, is_in in (("HTML", in_html), (gettext("text"), url in text)):
            if not is_in:
                yield Finding(
                    level="error",
                    what=what,
                    where=part,
                    do=gettext("Put it into the theme: nobody may be kept from leaving."),
                )


def _in_both(urls: Sequence[str], text: str, language: str) -> Iterator[Finding]:
    gettext = translations(language).gettext
    there = set(_URL.findall(text))
    gone = [
        url for url in urls if is_good(url) and not url.startswith("mailto:") and url not in there
    ]
    # what asks for less of a topic may stand in one part alone
    gone = [url for url in gone if "?do=" not in url]
    for url in gone[:_MOST]:
        yield Finding(
            level="warning",
            what=gettext("A link of the HTML part is not in the text part."),
            where=url[:_QUOTED],
            do=gettext("Who reads the text is to get the same."),
        )
