"""Turns texts and links into messages: RFC 5322 bytes, the same ones whenever they are asked for.

Time, secrets and addresses come in as arguments. It writes lines that end in CRLF, ASCII alone
(text as quoted-printable, so that neither 8BITMIME nor long lines matter), and each field once.
"""

from __future__ import annotations

import hashlib
import re
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

from digest.messages import fields, plain
from digest.messages.quoted import encode_passage
from digest.model.message import Message
from digest.words import translations

if TYPE_CHECKING:
    from datetime import datetime

    from digest.messages.quoted import Passage
    from digest.model.edition import Edition
    from digest.model.message import Links, Notice, WayBack
    from digest.model.newsletter import Newsletter

#: characters; what is longer no mail program shows
_SUBJECT: Final = 150
_NOT_A_TOKEN: Final = re.compile(r"[^A-Za-z0-9.-]+")
#: a sender id of Google's feedback loop has 5 to 15 characters
_SENDER_ID: Final = (5, 15)


def write_edition_message(
    *,
    edition: Edition,
    newsletter: Newsletter,
    html: Passage,
    text: Passage,
    links: Links,
    to_address: str,
    subscriber_ref: bytes,
    public_url: str,
    way_back: WayBack | None = None,
    test: bool = False,
) -> Message:
    """Write an edition as one person gets it; `html` and `text` are what `assemble.fill` made.

    Equal arguments give equal bytes: a retry keeps its Message-ID, date and boundary. `test` marks
    the subject and takes a Message-ID of its own, so that the real one still arrives. Without a
    `way_back` bounces go to the sender. Raises AddressRefused for an address that needs
    SMTPUTF8. This is the readable way to write it; for many readers `plate` gives the same bytes.
    """
    header = edition_header(
        edition,
        newsletter,
        links,
        to_address=to_address,
        seed=seed_of(edition, subscriber_ref, test=test),
        public_url=public_url,
        way_back=way_back,
        test=test,
    )
    data = b"".join((header, b"\r\n", *edition_body(edition, html, text)))
    return envelope(data, newsletter, to_address, way_back)


def seed_of(edition: Edition, subscriber_ref: bytes, *, test: bool = False) -> str:
    """What makes an edition's Message-ID this reader's."""
    mark = b":test" if test else b""
    return hashed(edition.nonce.encode() + b":" + subscriber_ref + mark)


def edition_header(
    edition: Edition,
    newsletter: Newsletter,
    links: Links,
    *,
    to_address: str,
    seed: str,
    public_url: str,
    way_back: WayBack | None,
    test: bool = False,
) -> bytes:
    """All fields of an edition as one person gets it, without the empty line after them.

    Of the links it says `unsubscribe` and `archive`. Raises AddressRefused.
    """
    subject = plain.shorten(plain.one_line(edition.written.subject), _SUBJECT)
    if test:
        words = translations(edition.language)
        subject = words.gettext("[Test] %(subject)s") % {"subject": subject}
    header = [
        *common_header(newsletter, to_address, subject, date=edition.made_at, seed=seed),
        ("Precedence", "list"),
        *_list(newsletter, links.unsubscribe, way_back, public_url=public_url),
        ("List-Archive", fields.raw(f"<{links.archive}>")),
        ("List-Post", "NO"),
        ("Feedback-ID", _feedback_id(str(edition.id), edition.schedule, newsletter)),
    ]
    return fields.write_fields(header + _mime(_boundary(edition)))


def edition_body(edition: Edition, html: Passage, text: Passage) -> list[bytes]:
    """Both parts of an edition, in pieces whose odd ones are the values of the texts."""
    return _body(html, text, _boundary(edition))


def _boundary(edition: Edition) -> str:
    # the same for all readers, so that their mails differ in what is theirs alone
    return _bounded(hashed(edition.nonce.encode() + b":boundary"))


def write_notice_message(
    notice: Notice,
    newsletter: Newsletter,
    *,
    to_address: str,
    message_id_seed: str,
    date: datetime,
    unsubscribe_url: str,
    public_url: str,
    way_back: WayBack | None = None,
) -> Message:
    """Write a service mail to one person. Equal arguments give equal bytes.

    Its List-Unsubscribe does something: it withdraws the request that the mail is about, so that
    whoever never asked can end it with his mail program's own button. Raises AddressRefused.
    """
    seed = hashed(f"{notice.kind}:{message_id_seed}".encode())
    header = [
        *common_header(newsletter, to_address, notice.subject, date=date, seed=seed),
        *_list(newsletter, unsubscribe_url, way_back, public_url=public_url),
        ("Feedback-ID", _feedback_id(notice.kind, "notice", newsletter)),
    ]
    data = flatten(header, notice.html, notice.text, seed=seed)
    return envelope(data, newsletter, to_address, way_back)


def envelope(
    data: bytes, newsletter: Newsletter, to_address: str, way_back: WayBack | None
) -> Message:
    """The message with whom it comes from and goes to; bounces go the way back, else the sender."""
    return Message(
        mail_from=way_back.return_path if way_back else newsletter.sender.address,
        rcpt_to=to_address,
        data=data,
        envelope_id=way_back.envelope_id if way_back else None,
    )


def hashed(seed: bytes) -> str:
    """32 hexadecimal digits that say nothing about what they are made of."""
    return hashlib.sha256(seed).hexdigest()[:32]


def common_header(
    newsletter: Newsletter, to_address: str, subject: str, *, date: datetime, seed: str
) -> list[tuple[str, str]]:
    """The fields of every mail (RFC 5322 section 3.6, RFC 3834 section 5)."""
    sender = newsletter.sender
    reply_to = [("Reply-To", fields.address(newsletter.reply_to))] if newsletter.reply_to else []
    return [
        ("From", fields.mailbox("From", sender.name, sender.address)),
        ("To", fields.address(to_address)),
        *reply_to,
        ("Subject", fields.text("Subject", plain.shorten(plain.one_line(subject), _SUBJECT + 8))),
        ("Date", format_datetime(date)),
        ("Message-ID", fields.raw(f"<{seed}@{sender.domain}>")),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
    ]


def _list(
    newsletter: Newsletter, unsubscribe: str, way_back: WayBack | None, *, public_url: str
) -> list[tuple[str, str]]:
    """What a mail program makes its own button of (RFC 2919, RFC 2369, RFC 8058)."""
    ways = fields.raw(f"<{unsubscribe}>")
    if way_back is not None and way_back.unsubscribe is not None:
        mailed = fields.raw(f"<mailto:{way_back.unsubscribe}?subject=unsubscribe>")
        ways = f"{ways},\r\n {mailed}"
    return [
        ("List-Id", fields.list_id(newsletter.title, newsletter.list_id)),
        ("List-Unsubscribe", ways),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("List-Help", fields.raw(f"<{public_url.rstrip('/')}/{newsletter.slug}>")),
    ]


def _feedback_id(first: str, third: str, newsletter: Newsletter) -> str:
    """`first:newsletter:third:sender`: no part names a person, the last one never changes."""
    sender = _token(newsletter.sender.domain.replace(".", "-"))
    shortest, longest = _SENDER_ID
    if len(sender) < shortest:
        sender += "-digest"
    parts = (_token(first), _token(newsletter.slug), _token(third), sender[:longest])
    return fields.raw(":".join(parts))


def _token(text: str) -> str:
    return _NOT_A_TOKEN.sub("-", text)[:40] or "-"


def flatten(header: list[tuple[str, str]], html: str, text: str, *, seed: str) -> bytes:
    """The whole message; the seed becomes its boundary."""
    boundary = _bounded(seed)
    body = _body((html,), (text,), boundary)
    return b"".join((fields.write_fields(header + _mime(boundary)), b"\r\n", *body))


def _bounded(seed: str) -> str:
    """A boundary. Its "=_" cannot occur in quoted-printable (RFC 2045, section 6.7)."""
    return f"=_{seed}"


def _mime(boundary: str) -> list[tuple[str, str]]:
    return [
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative;\r\n boundary="{boundary}"'),
    ]


def _body(html: Passage, text: Passage, boundary: str) -> list[bytes]:
    """Text first, for mail programs show the last part that they understand (RFC 2046, 5.1.4)."""
    line = b"--" + boundary.encode()
    whole = [b""]
    for kind, passage in (("plain", text), ("html", html)):
        first, *rest = encode_passage(passage)
        whole[-1] += line + b"\r\n" + _part(kind) + first
        whole += rest
    whole[-1] += line + b"--\r\n"
    return whole


def _part(kind: str) -> bytes:
    """The header of a part."""
    header = [
        ("Content-Type", f'text/{kind}; charset="utf-8"'),
        ("Content-Transfer-Encoding", "quoted-printable"),
    ]
    return fields.write_fields(header) + b"\r\n"
