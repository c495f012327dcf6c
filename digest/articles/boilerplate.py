"""Turns a text into what its author wrote: without what systems and desks put around it.

It knows kinds, not sites: frames of blog software, share buttons, credits, bylines, datelines,
advertisements. Patterns look at the ends of a line only, so that a long one takes no longer than
its length; what may be a sentence about such things stays.
"""

from __future__ import annotations

import re

from digest.articles.phrases import (
    ADVERTISEMENTS,
    AGENCY,
    BUTTONS,
    BY,
    CREDIT,
    FOLLOW,
    FRAMES,
    MORE,
    NAMES,
    NETWORK,
    PLACE,
    SHARE,
    SUBSCRIBE,
)

#: characters at either end of a line that are looked at
_HEAD, _TAIL = 300, 500

_ANY_CASE = re.IGNORECASE
_AS_IT_IS = re.RegexFlag(0)
#: where a line begins, or a sentence in it
_START = r"(?:^|(?<=\s))"
_AFTER_SENTENCE = r"(?<=[.!?…])"
_CREDITED = rf"(?i:{CREDIT})(?:\s?[:/©]|\s)[^()\[\]]{{0,80}}"
_PHOTO = r"(?:photo|image|picture|foto|bild|illustration)"
_HAS_SHARE = r"(?=.*(?:share|teilen|tweet|clic|klick|partager|compartir|condividi))"
_ARTICLE = r"(?:article|story|artikel|beitrag|text|video)"


def _compiled(flags: re.RegexFlag, *patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, flags) for pattern in patterns)


#: a line that is nothing else
_LINES = _compiled(
    _ANY_CASE,
    rf"\W*{MORE}\b.{{0,200}}",
    rf"\W*{BUTTONS}\W*",
    rf"\W*(?:story continues below )?{ADVERTISEMENTS}\W*(?:scroll to continue|ende|end)?\W*",
    rf".{{0,40}}\b{_ARTICLE}\b.{{0,30}}\bcontinues (?:below|after)\b.{{0,60}}",
    rf".{{0,40}}\b{_ARTICLE}\b.{{0,30}}\b(?:nach|unter) der (?:werbung|anzeige)\b.{{0,60}}",
    rf"{_HAS_SHARE}\W*(?:{SHARE}[\W_]*){{2,20}}",
    rf"(?:\W*{NETWORK}\W+){{2,}}{NETWORK}?\W*",
    rf"\W{{0,3}}{CREDIT}(?:\s?[:/|©]|\s[–-]\s)[^)\]]{{0,80}}(?<![.!?])[)\]]?",  # noqa: RUF001
    r"©.{0,80}",
    rf"{_PHOTO} (?:by|von|courtesy of|via) .{{0,80}}",
    rf"{BY}:? (?:der |the )?(?:redaktion|staff|news desk|newsroom).{{0,40}}",
    rf"{SUBSCRIBE}.{{0,120}}\b(?:newsletters?|inbox|postfach|feed|kanal|channel|podcasts?)\b"
    r".{0,120}",
    r"(?:get|receive|want|erhalten sie|holen sie sich)\b.{0,80}\b(?:in|to|into) (?:your|ihr) "
    r"(?:inbox|postfach)\b.{0,60}",
    r"(?:unseren |our |notre |la nostra )?newsletter(?: (?:abonnieren|bestellen|sign-?up))?\W*",
    rf"{FOLLOW}.{{0,120}}",
    r"\W*\d{1,3}[ -]?(?:min(?:ute)?s?\.?|minuten)[ -](?:read|lesezeit|de lecture|di lettura"
    r"|de lectura)\W*",
    r"\W*(?:lesezeit|reading time|temps de lecture|lesedauer)\W+(?:ca\. )?\d{1,3}\D{0,12}",
    r"(?:stand|veröffentlicht|aktualisiert|published|updated|posted|last (?:updated|modified)"
    r"|publié|pubblicato|publicado)\b\W*(?:on|am|at|le|il|el)?\W*\d.{0,40}",
    rf"\W*(?:listen to|watch|hören sie|sehen sie) (?:this|the|diesen?) {_ARTICLE}.{{0,40}}",
    r"(?:article url|comments url|points|# comments):.{0,400}",  # what forums tell of a link
    r"https?://\S+",
)
#: what ends a line, behind a sentence or alone
_TAILS = _compiled(
    _ANY_CASE,
    *(rf"{_START}{frame}.*$" for frame in FRAMES),
    r"(?:^|(?<=[.!?…] ))(?:originally|first) (?:published|posted|appeared) (?:at|on|in)\b.*$",
    # Inside a line only after the end of a sentence: people do read more.
    rf"(?<=[.!?…\])”“\"])\s*[\[(»→>–-]*\s*{MORE}\b.{{0,120}}$",  # noqa: RUF001
    rf"\s*[\[(»→]\s*{MORE}\b[^.!?]{{0,60}}$",
    r"\s*[\[(](?:mehr|more|suite|altro|más|link|comments)[\])]\s*$",
    r"\s+view original post\b.{0,60}$",
    r"(?:^|(?<=[.!?…] ))(?:see|visit|hosted (?:on|by)|learn more about your ad|privacy policy at"
    r"|support (?:this podcast|us on))\b.{0,80}(?:privacy|adchoices|patreon|steady|listener"
    r"|choices)\b.{0,120}$",
    rf"(?<=[.!?…“\"])\s*[(\[]{AGENCY}[\w/, -]{{0,30}}[)\]]\.?$",
    rf"\s*[(\[]{_CREDITED}[)\]]\.?$",
)
#: labels and initials that desks put behind the last sentence, names, and keywords
_SIGNED = _compiled(
    _AS_IT_IS,
    rf"{_AFTER_SENTENCE}\s*\([^().!?:]{{2,60}}\)$",
    rf"{_AFTER_SENTENCE}\s+(?:Von|By|Par|Por|Di) {NAMES}(?:\s*\([^()]{{2,60}}\))?\.?$",
    r"(?:(?:^|\s+)#\w+){2,}$",
)
#: what stands before the first sentence
_HEADS = _compiled(
    _AS_IT_IS,
    rf"^{PLACE},?\s?[(\[/]\s?{AGENCY}(?:[/ .,-][\w/. -]{{0,24}})?[)\]]?\s?[–—:-]{{1,2}}\s*+"  # noqa: RUF001 -- dashes that people write
    r"(?![a-zäöüß])",
    rf"^[(\[]?{AGENCY}[)\]]?(?:/\w{{2,10}})?\s?[–—:/-]{{1,2}}\s+",  # noqa: RUF001
    rf"^[(\[]{AGENCY}[\w/, -]{{0,20}}[)\]]\s*",
    rf"^{BY}:? {NAMES}(?:, [A-ZÄÖÜ][\w/ -]{{2,30}})?(?:\s*[|•·–—]\s*|$)",  # noqa: RUF001
    r"^[A-ZÄÖÜ]{3,}(?:[ ,.]+[A-ZÄÖÜ][A-Za-zÄÖÜ.]*){0,3} — (?=[A-ZÄÖÜ“„\"])",
    rf"^[(\[]{_CREDITED}[)\]]\s*",
    r"^arXiv:\S+ Announce Type: [\w-]+\s*(?:Abstract:\s*)?",
    r"^\W?\d{1,3}[ -]min(?:ute)?s? read\W+",
)


def tidy(text: str, *, title: str = "") -> str:
    """`text` (lines are blocks) as one line, without what was put around it.

    A first line that only says the `title` again goes too.
    """
    lines = [kept for line in text.split("\n") if (kept := _tidy_line(line))]
    if lines[1:] and title and lines[0].casefold() == title.casefold():
        del lines[0]
    return _beheaded(_unsigned(" ".join(lines)))


def _tidy_line(line: str) -> str:
    if len(line) <= _TAIL and any(pattern.fullmatch(line) for pattern in _LINES):
        return ""
    line = _beheaded(line)
    kept, tail = line[:-_TAIL], line[-_TAIL:]
    for _ in range(3):  # what was behind what is gone now
        before = tail
        for pattern in _TAILS:
            tail = pattern.sub("", tail).rstrip()
        if tail == before:
            break
    return (kept + tail).strip()


def _beheaded(line: str) -> str:
    head, rest = line[:_HEAD], line[_HEAD:]
    for pattern in _HEADS:
        head = pattern.sub("", head, count=1)
    return (head + rest).strip()


def _unsigned(text: str) -> str:
    kept, tail = text[:-_TAIL], text[-_TAIL:]
    for pattern in _SIGNED:
        tail = pattern.sub("", tail).rstrip()
    return kept + tail
