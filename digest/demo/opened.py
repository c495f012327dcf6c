"""Turns the bytes of one mail into what a mail program shows of it; no mail makes it raise.

All texts that come out are a stranger's words as they are: whoever shows them escapes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from html.parser import HTMLParser
from typing import Final, TypeVar

#: what a list shows of a text
PREHEADER_LENGTH: Final = 140
#: how much of a part is looked at for the preheader, in characters
_LOOKED_AT: Final = 200_000
_INVISIBLE: Final = "\u034f\u200b-\u200f\u00ad\u2060\ufeff\u2007"
#: senders fill up their preheader with invisible signs, so that nothing else follows it
_FILLER: Final = re.compile(rf"(?:[{_INVISIBLE}] ?){{4,}}")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedMessage:
    """What is shown of one mail. What it lacks, or what cannot be read, is "" or None."""

    sender: str
    address: str
    to: str
    subject: str
    preheader: str
    html: str | None
    text: str | None
    #: where one POST unsubscribes, if the mail says that one is enough (RFC 8058)
    one_click: str | None
    #: name and value of every header field as they came, folds included
    fields: tuple[tuple[str, str], ...]


def open_message(raw: bytes) -> OpenedMessage:
    """Turn the bytes of a mail into what is shown of it."""
    mail = message_from_bytes(raw, policy=policy.default)
    html, text = _part(mail, "html"), _part(mail, "plain")
    sender = _field(mail, "From")
    name, address = _attempt(lambda: parseaddr(sender), ("", ""))
    return OpenedMessage(
        sender=name or address or sender,
        address=address,
        to=_field(mail, "To"),
        subject=_field(mail, "Subject"),
        preheader=_preheader(html, text),
        html=html,
        text=text,
        one_click=_one_click(mail),
        fields=_fields(raw),
    )


def _attempt(read: Callable[[], _T], otherwise: _T) -> _T:
    try:
        return read()
    except Exception:  # noqa: BLE001 -- on hostile mail the library raises whatever it stumbles over
        return otherwise


def _field(mail: EmailMessage, name: str) -> str:
    return " ".join(_attempt(lambda: str(mail.get(name, "")), "").split())


def _part(mail: EmailMessage, kind: str) -> str | None:
    """The first part that is text of this kind and no attachment."""
    part = _attempt(lambda: mail.get_body((kind,)), None)
    if part is None:
        return None
    content = _attempt(part.get_content, None)
    if not isinstance(content, str):  # an unknown charset: show what can be shown
        data: object = _attempt(lambda: part.get_payload(decode=True), None)
        content = data.decode("utf-8", "replace") if isinstance(data, bytes) else ""
    # the library keeps bytes that do not belong to the charset as surrogates
    return content.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _one_click(mail: EmailMessage) -> str | None:
    if _field(mail, "List-Unsubscribe-Post").lower() != "list-unsubscribe=one-click":
        return None
    found = re.search(r"<(https?://[^<>\s]+)>", _field(mail, "List-Unsubscribe"))
    return found[1] if found else None


def _fields(raw: bytes) -> tuple[tuple[str, str], ...]:
    """Header fields without decoding or unfolding (RFC 5322 section 2.2)."""
    head = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0].decode("utf-8", "replace")
    lines = re.split(r"\r?\n(?![ \t])", head)
    pairs = (line.partition(":") for line in lines if line.strip())
    return tuple((name, value.strip()) for name, _, value in pairs)


def _preheader(html: str | None, text: str | None) -> str:
    """What a mail program puts beside the subject: the first words of the body."""
    words = _words(html[:_LOOKED_AT]) if html is not None else (text or "")[:_LOOKED_AT]
    line = " ".join(words.split())
    line = re.sub(f"[{_INVISIBLE}]", "", _FILLER.split(line, maxsplit=1)[0]).strip()
    return line if len(line) <= PREHEADER_LENGTH else line[: PREHEADER_LENGTH - 1].rstrip() + "…"


def _words(html: str) -> str:
    reader = _Words()
    _attempt(lambda: reader.feed(html), None)
    _attempt(reader.close, None)
    return "".join(reader.found)


class _Words(HTMLParser):
    """Collects the text of a page's body."""

    _SILENT: Final = frozenset({"head", "style", "script", "title"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._silenced_by: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag == "body":
            self._silenced_by.clear()
        elif tag in self._SILENT:
            self._silenced_by.append(tag)
        else:
            self.found.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silenced_by:
            self._silenced_by.remove(tag)

    def handle_data(self, data: str) -> None:
        if not self._silenced_by:
            self.found.append(data)
