"""Turns what a server said about a recipient into its cause; for replies and reports alike.

Codes alone mislead: "5.x means that he is gone" is right for four in ten real reports. So the words
are asked first, and where there is a doubt the answer is one that costs nobody a subscription.
"""

from __future__ import annotations

import re

from digest.deliveries.reports.absences import DOUBT, NULL_MX, RESTING, TABLE
from digest.deliveries.reports.addresses import ADDRESS
from digest.deliveries.reports.phrases import LASTING, SAID
from digest.deliveries.reports.wording import any_of
from digest.model.report import Cause

#: replies from here on are for good
FOR_GOOD = 500
#: characters of what was said that are looked at
MAX_TEXT = 2_500

_ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_CODE = re.compile(
    r"(?<![\w.:/(\[=-])([45][0-5]\d)(?=[ \-:;,#_]|$)"
    r"(?!-\d{3}\D)(?! ?(?:bytes|kb|mb|sec|hours|days))"
)
#: a name of a machine says nothing of why; "antispam.example" is no spam
_MACHINE = re.compile(
    r"(?:\bhost |\bto |\bfrom |\bby |\bserver |dns; ?|mta; ?)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
    r"|(?<![\w.-])[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}(?=\.? ?[\[(]\d)"
)
#: given up after long trying; nobody said no
_EXPIRED = any_of(
    r"""
    timed? ?out|timeout|expired|retry time
    connection (?:was )?(?:refused|reset|dropped|lost|closed|aborted)
    no route to host|network is unreachable|unreachable|not re(?:achable|sponding)
    (?:unable to|could not|cannot|can't) connect|connect\w* fail
    within the (?:time|allowed)
    too long|in the queue|giving up after|for \d+ (?:day|hour)
    lookup fail|try again|temporar
    could not find a gateway
    service (?:currently |temporarily )?(?:not |un)available
    out of memory|system (?:error|problem)|local (?:error|problem)|error in processing
    configuration error
    """
)

_BY_STATUS: dict[str, Cause] = {
    "5.1.1": Cause.GONE,
    "5.1.10": Cause.GONE,  # the domain says that it takes no mail (RFC 7505 4.1)
    "5.1.2": Cause.NOWHERE,
    "5.1.3": Cause.CLOSED,
    "5.1.6": Cause.CLOSED,
    "5.1.7": Cause.BLOCKED,  # 5.1.7, 5.1.8: of the sender's address
    "5.1.8": Cause.BLOCKED,
    "5.2.1": Cause.CLOSED,
    "5.2.2": Cause.FULL,
    "5.2.3": Cause.MESSAGE,
    "5.3.1": Cause.PASSING,
    "5.3.2": Cause.PASSING,
    "5.3.4": Cause.MESSAGE,
    "5.4.6": Cause.MESSAGE,  # a loop
}
#: the subject of a status (RFC 3463 3)
_BY_SUBJECT = {
    "4": Cause.PASSING,
    "5": Cause.PROTOCOL,
    "6": Cause.MESSAGE,
    "7": Cause.BLOCKED,
}
_BY_CODE = {552: Cause.MESSAGE, 556: Cause.GONE, 530: Cause.BLOCKED, 535: Cause.BLOCKED}


def cause_of(code: int | None, status: str | None, text: str) -> Cause:
    """Why a recipient was refused.

    `code` is the reply of SMTP, `status` the enhanced one (RFC 3463), `text` what was said; each
    may be missing, and codes are looked for in the text then. Takes any text, of any length.
    """
    said = normalise(text)
    code = code or find_code(said)
    if status is None or status.endswith(".0.0"):
        status = find_status(said) or status
    temporary = code < FOR_GOOD if code else (status or "").startswith("4")
    said = f"{status} {said}"
    return (
        _by_words(said, temporary=temporary)
        or (_temporary(status) if temporary else None)
        or (Cause.PASSING if _EXPIRED.search(said) else None)
        or _by_number(code, status)
    )


def normalise(text: str) -> str:
    """What was said, fit for the rules: one line in lower case, no addresses, no machines."""
    said = ADDRESS.sub(" ", text[: 2 * MAX_TEXT])[:MAX_TEXT].lower().replace("\u2019", "'")
    return " ".join(_MACHINE.sub(" ", " ".join(said.split())).replace("<>", " ").split())


def find_code(text: str) -> int | None:
    """The first reply code of SMTP in a text that says no."""
    found = _CODE.search(text[: 2 * MAX_TEXT])
    return int(found[1]) if found else None


def find_status(text: str) -> str | None:
    """The first enhanced status (RFC 3463) in a text that says more than 5.0.0."""
    found = [each[1] for each in _ENHANCED.finditer(text[: 2 * MAX_TEXT])]
    return next((each for each in found if not each.endswith(".0.0")), next(iter(found), None))


def _by_words(said: str, *, temporary: bool) -> Cause | None:
    """The cause by words alone; who is gone is gone only where the code does not say: for now."""
    if LASTING.search(said):
        return Cause.NOWHERE
    for pattern, cause in SAID:
        if pattern.search(said):
            return cause
    return None if temporary else _absent(said)


def _absent(said: str) -> Cause | None:
    for pattern, cause in TABLE:
        if pattern.search(said):
            return _sure(cause, said)
    return Cause.PASSING if RESTING.search(said) else None


def _sure(cause: Cause, said: str) -> Cause:
    """The same cause, or a softer one where the words leave a door open."""
    if cause is Cause.NOWHERE and NULL_MX.search(said):
        return Cause.GONE
    doubt = {Cause.NOWHERE: DOUBT, Cause.CLOSED: RESTING}.get(cause)
    return Cause.PASSING if doubt and doubt.search(said) else cause


def _temporary(status: str | None) -> Cause:
    return Cause.PACE if (status or "").startswith("4.7") else Cause.PASSING


def _by_number(code: int | None, status: str | None) -> Cause:
    if status and (cause := _BY_STATUS.get(status) or _BY_SUBJECT.get(status.split(".")[1])):
        return cause
    if code in _BY_CODE:
        return _BY_CODE[code]
    return Cause.PROTOCOL if code and code < 510 else Cause.REFUSED  # noqa: PLR2004 -- 50x: syntax
