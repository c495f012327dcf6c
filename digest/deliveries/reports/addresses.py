"""Finds mail addresses in strangers' text, in linear time; what it finds is not checked."""

from __future__ import annotations

import re
from collections.abc import Iterable

from digest.deliveries.reports.wording import any_of

#: the longest text that is searched
MAX_TEXT = 200_000

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{}~.-]"
_DOMAIN = r"(?:\[[0-9a-fA-F:.IPv]{3,60}\]|#?[^\W_][\w.-]{0,250})"
#: the look-behind lets a search begin only where a word begins: linear, however long a word is
ADDRESS = re.compile(
    rf"(?:\"[^\"\n]{{1,64}}\"|(?<!{_LOCAL}){_LOCAL}{{1,128}}+)@{_DOMAIN}", re.ASCII
)
_PREFIX = re.compile(r"(?:smtp|mailto|rfc822|to)=", re.IGNORECASE)
#: who sends reports, or is named in one as the one to ask
_DAEMON = any_of(
    r"""
    mailer[-_.]?d(?:ae|ea)mon
    poo?st[-_.]?master
    mail[-_.]?(?:daemon|master|admin(?:istrator)?)
    mail[-_.]?delivery(?:[-_.]?s(?:ub)?system)?
    m?daemon
    mmdf
    system[-_.]?administrator
    """
)
#: who is named in reports and is nobody's mailbox either
_ROLE = any_of(r"no[-_.]?reply[-_.]?bounces?|abuse")


def tidy(address: str) -> str:
    """One spelling: no quotes around it, no dot at its end, the domain in lower case."""
    local, _, domain = address.strip().strip("<>").rpartition("@")
    local = _PREFIX.sub("", local.lstrip("'`*!/=").removeprefix("mailto:"))
    return f"{local}@{domain.rstrip('.-_').lower()}"


def find(text: str) -> list[str]:
    """The addresses of a text in their order, each once."""
    found = (tidy(match[0]) for match in ADDRESS.finditer(text[:MAX_TEXT]))
    return list(dict.fromkeys(each for each in found if not each.startswith("@")))


def find_in(texts: Iterable[str]) -> list[str]:
    """The addresses of several texts."""
    return list(dict.fromkeys(each for text in texts for each in find(text)))


def first(text: str) -> str | None:
    """The first address of a text."""
    found = ADDRESS.search(text[:MAX_TEXT])
    address = tidy(found[0]) if found else "@"
    return None if address.startswith("@") else address


def is_daemon(address: str) -> bool:
    """True for the mailbox of a mail system."""
    return _DAEMON.fullmatch(address.partition("@")[0]) is not None


def is_role(address: str) -> bool:
    """True for a mailbox that no reader has: that of a mail system, or one for what comes back."""
    return is_daemon(address) or _ROLE.fullmatch(address.partition("@")[0]) is not None
