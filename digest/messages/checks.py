"""Turns a mail as one reader gets it into findings: what readers would notice, and what is well.

It asks nobody and changes nothing; links are asked, and spam is judged, where acts are allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from digest.messages.check_contrast import check_contrast
from digest.messages.check_links import check_links
from digest.messages.check_pictures import check_pictures
from digest.messages.layout import SIZE
from digest.model.finding import Finding
from digest.words import format_number, translations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from digest.model.message import Links

#: octets of HTML behind which Gmail shows nothing
CLIPPED: Final = 102_000
#: characters of a subject: what telephones show of it, and what most programs do
_SUBJECT: Final = 40
_LONG_SUBJECT: Final = 90
#: characters of a preheader: fewer leave room for what follows, more are never seen
_PREHEADER: Final = (30, 200)
#: columns of a text part
_COLUMNS: Final = 72
_QUOTED: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail as one reader gets it, every slot filled."""

    subject: str
    preheader: str
    html: str
    text: str
    #: those that were filled in
    links: Links
    public_url: str


def check_mail(mail: Mail, *, language: str) -> tuple[Finding, ...]:
    """Findings in `language`, the gravest first. Raises ValueError for HTML that is none."""
    found = [
        *_size(mail.html, language),
        *_subject(mail, language),
        *_preheader(mail, language),
        *check_links(
            mail.html, mail.text, mail.links, public_url=mail.public_url, language=language
        ),
        *check_contrast(mail.html, language=language),
        *check_pictures(mail.html, language=language),
        *_text(mail.text, language),
    ]
    return in_order(found)


def in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """The gravest first, else as they came."""
    return tuple(sorted(findings, key=lambda each: ("error", "warning", "ok").index(each.level)))


def _size(html: str, language: str) -> Iterator[Finding]:
    gettext = translations(language).gettext
    octets = len(html.encode())
    figures = {"octets": format_number(octets, language), "most": format_number(SIZE, language)}
    if octets < SIZE:
        said = gettext("The HTML has %(octets)s octets, fewer than %(most)s.") % figures
        yield Finding(level="ok", what=said)
        return
    figures["most"] = format_number(CLIPPED, language)
    yield Finding(
        level="error" if octets >= CLIPPED else "warning",
        what=gettext("The HTML has %(octets)s octets; Gmail cuts a mail at %(most)s.") % figures,
        where="HTML",
        do=gettext("Lower `limit`, or repeat shorter styles and class names in the theme."),
    )


def _subject(mail: Mail, language: str) -> Iterator[Finding]:
    gettext = translations(language).gettext
    where, count = gettext("subject"), len(mail.subject)
    figures = {"count": count, "shown": _SUBJECT}
    if not mail.subject.strip():
        yield Finding(
            level="error",
            what=gettext("There is no subject."),
            where=where,
            do=gettext("Let subject.txt of the theme say something."),
        )
    elif count > _LONG_SUBJECT:
        said = gettext("The subject has %(count)s characters; telephones show %(shown)s of them.")
        yield Finding(
            level="warning",
            what=said % figures,
            where=where,
            do=gettext("Begin with what matters, and write less."),
        )
    else:
        said = gettext("The subject has %(count)s characters; telephones show %(shown)s of them.")
        yield Finding(level="ok", what=said % figures)


def _preheader(mail: Mail, language: str) -> Iterator[Finding]:
    gettext = translations(language).gettext
    where, said = gettext("preheader"), mail.preheader.strip()
    least, most = _PREHEADER
    if not said:
        yield Finding(
            level="warning",
            what=gettext("There is no preheader: mail programs show the first words they find."),
            where=where,
        )
    elif said in mail.subject:
        yield Finding(
            level="warning",
            what=gettext("The preheader says no more than the subject."),
            where=where,
            do=gettext("Let it add to the subject."),
        )
    else:
        what = gettext("The preheader has %(count)s characters; %(least)s to %(most)s are shown.")
        yield Finding(
            level="ok" if least <= len(said) <= most else "warning",
            what=what % {"count": len(said), "least": least, "most": most},
            where="" if least <= len(said) <= most else where,
        )


def _text(text: str, language: str) -> Iterator[Finding]:
    gettext = translations(language).gettext
    where = gettext("text")
    if not text.strip():
        yield Finding(
            level="error",
            what=gettext("There is no text part."),
            where=where,
            do=gettext("Let body.txt of the theme say what body.html does."),
        )
        return
    # an address cannot be broken without harm
    wide = [each for each in text.split("\n") if len(each) > _COLUMNS and "://" not in each]
    for each in wide[:3]:
        yield Finding(
            level="warning",
            what=gettext("A line of the text is wider than %(columns)s columns.")
            % {"columns": _COLUMNS},
            where=f"{where}: {each[:_QUOTED]}",
            do=gettext("Put it through the filter `wrap`."),
        )
    if not wide:
        lines = format_number(text.count("\n"), language)
        said = gettext("The text has %(lines)s lines, none wider than %(columns)s columns.")
        yield Finding(level="ok", what=said % {"lines": lines, "columns": _COLUMNS})
