"""Messages are RFC 5322 bytes that arrive as they were meant, whatever their texts."""

from __future__ import annotations

import email
import re
from dataclasses import replace
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from message_samples import (
    ADDRESS,
    HOSTILE,
    LINKS,
    MADE_AT,
    NONCE,
    PUBLIC_URL,
    TOKEN,
    edition,
    newsletter,
    ordinary,
)

from digest.errors import AddressRefused
from digest.messages import fields
from digest.messages.assemble import assemble
from digest.messages.mime import write_edition_message, write_notice_message
from digest.messages.plain import one_line, shorten
from digest.model.message import Message, Notice
from digest.model.newsletter import Newsletter, Sender

EDITION = edition(ordinary(2))
ALL = st.text(st.characters(), max_size=400)

ONCE = (
    "From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "List-Id",
    "List-Unsubscribe", "List-Unsubscribe-Post", "List-Help", "List-Archive", "List-Post",
    "Auto-Submitted", "Precedence", "X-Auto-Response-Suppress", "Feedback-ID", "Reply-To",
)  # fmt: skip


def message(
    *,
    subject: str = "Betreff",
    of: Newsletter | None = None,
    to: str = ADDRESS,
    ref: bytes = b"r" * 12,
    test: bool = False,
) -> Message:
    made = replace(EDITION, written=replace(EDITION.written, subject=subject))
    page, text = assemble(made, LINKS, address=to)
    return write_edition_message(
        edition=made,
        newsletter=of or newsletter(),
        html=(page,),
        text=(text,),
        links=LINKS,
        to_address=to,
        subscriber_ref=ref,
        public_url=PUBLIC_URL,
        test=test,
    )


def read(data: bytes) -> EmailMessage:
    found = email.message_from_bytes(data, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def header_of(data: bytes) -> dict[str, str]:
    """Each field as it goes over the wire, unfolded; twice the same name is a failure."""
    found: dict[str, str] = {}
    for line in data.partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n"):
        if line.startswith(" "):
            found[list(found)[-1]] += line
        else:
            name, _, value = line.partition(": ")
            assert name not in found
            found[name] = value
    return found


def check_wire(data: bytes) -> None:
    assert data.isascii()
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", data)
    header, _, body = data.partition(b"\r\n\r\n")
    assert max(map(len, header.split(b"\r\n"))) <= 998
    assert max(map(len, body.split(b"\r\n"))) <= 78
    for word in re.findall(rb"=\?[^?\s]+\?[^?\s]+\?[^?\s]*\?=", header):
        assert len(word) <= 75


def test_the_fields_go_out_raw() -> None:
    header = header_of(message().data)
    assert header["List-Unsubscribe"] == f"<{PUBLIC_URL}/unsubscribe/{TOKEN}>"
    assert header["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert header["List-Id"] == "Die besten KI-News <ki-news.example.org>"
    assert header["List-Help"] == f"<{PUBLIC_URL}/ki-news>"
    assert header["List-Archive"] == f"<{PUBLIC_URL}/archive/ki-news>"
    assert header["List-Post"] == "NO"
    assert header["Feedback-ID"] == "7:ki-news:daily:example-org"
    assert header["To"] == ADDRESS
    assert header["Reply-To"] == "redaktion@example.org"
    assert header["Date"] == "Mon, 23 Nov 2026 06:00:04 +0000"
    assert header["Auto-Submitted"] == "auto-generated"
    assert header["Precedence"] == "list"
    assert header["X-Auto-Response-Suppress"] == "All"
    assert set(header) == set(ONCE)


def test_a_link_too_long_for_a_nice_line_stays_raw() -> None:
    links = replace(LINKS, unsubscribe=f"{PUBLIC_URL}/unsubscribe/{'t' * 300}")
    data = write_edition_message(
        edition=EDITION, newsletter=newsletter(), html=("h",), text=("t",), links=links,
        to_address=ADDRESS, subscriber_ref=b"", public_url=PUBLIC_URL,
    ).data  # fmt: skip
    assert f"\r\nList-Unsubscribe: <{links.unsubscribe}>\r\n".encode() in data


def test_parts_are_text_then_html_and_arrive_unchanged() -> None:
    found = read(message().data)
    page, text = assemble(EDITION, LINKS, address=ADDRESS)
    assert found.get_content_type() == "multipart/alternative"
    plain, html = found.iter_parts()
    assert [each.get_content_type() for each in (plain, html)] == ["text/plain", "text/html"]
    assert plain.get_content().replace("\r\n", "\n").strip() == text.strip()
    assert html.get_content().replace("\r\n", "\n").strip() == page.strip()
    for each in (plain, html):
        assert each["content-transfer-encoding"] == "quoted-printable"
        assert each.get_content_charset() == "utf-8"
    assert not found.defects


@pytest.mark.parametrize(
    "body", ["", "x", "x" * 5000, "ä" * 5000, "a\rb\nc\r\nd", ".\r\n..\nFrom x", "a \t\n"]
)
def test_any_body_arrives(body: str) -> None:
    data = write_edition_message(
        edition=EDITION, newsletter=newsletter(), html=(body,), text=(body,), links=LINKS,
        to_address=ADDRESS, subscriber_ref=b"", public_url=PUBLIC_URL,
    ).data  # fmt: skip
    check_wire(data)
    lines = re.sub(r"\r\n|\r", "\n", body).rstrip("\n")
    for part in read(data).iter_parts():
        assert part.get_content().replace("\r\n", "\n") == lines


def test_equal_arguments_give_equal_bytes() -> None:
    assert message() == message()


def test_a_message_id_belongs_to_edition_and_subscriber() -> None:
    first, same, other = message(), message(subject="Anderer"), message(ref=b"s" * 12)
    assert read(first.data)["message-id"] == read(same.data)["message-id"]
    assert read(first.data)["message-id"] != read(other.data)["message-id"]
    assert re.fullmatch(r"<[0-9a-f]{32}@example\.org>", read(first.data)["message-id"])
    assert NONCE not in read(first.data)["message-id"]


def test_a_test_mail_is_marked_and_keeps_out_of_the_way() -> None:
    trial = read(message(test=True).data)
    assert trial["subject"] == "[Test] Betreff"
    assert trial["message-id"] != read(message().data)["message-id"]


def test_the_envelope_is_the_readers_and_the_senders() -> None:
    made = message()
    assert (made.mail_from, made.rcpt_to) == ("news@example.org", ADDRESS)


@pytest.mark.parametrize("subject", HOSTILE)
def test_hostile_subjects_are_shown_as_they_are(subject: str) -> None:
    data = message(subject=subject).data
    check_wire(data)
    assert read(data)["subject"] == shorten(one_line(subject), 150)


@given(subject=ALL, title=ALL, name=ALL)
@example(subject="a" * 400, title="ü" * 400, name='\\"<>@,;:' * 9)
@example(subject="=?utf-8?q?x?=", title="=?utf-8?q?x?=", name="=?utf-8?q?x?=")
@example(subject="a " * 200, title='"', name="a" * 400)
def test_no_text_breaks_a_header(subject: str, title: str, name: str) -> None:
    of = newsletter(title=title, sender=Sender(name=name, address="news@example.org"))
    data = message(subject=subject, of=of).data
    check_wire(data)
    header, found = header_of(data), read(data)
    assert set(header) == set(ONCE)
    assert [each.addr_spec for each in found["from"].addresses] == ["news@example.org"]
    shown = str(make_header(decode_header(parseaddr(header["From"])[0])))
    assert shown == one_line(name)
    assert found["subject"] == shorten(one_line(subject), 150)
    assert header["List-Id"].endswith("<ki-news.example.org>")
    assert len(header["List-Id"]) <= 255
    assert found["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    "address",
    [
        "jürgen@example.net", "a@exämple.net", "a b@example.net", "a@b@example.net", "",
        "a@example.net\r\nBcc: b@example.net", "a@example.net>", '"a b"@example.net', "a",
        "a,b@example.net", "x" * 250 + "@example.net",
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_written_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        message(to=address)


@pytest.mark.parametrize("address", ["o'neill+tag@example.net", "a.b_c=d/e@xn--exmple-cua.net"])
def test_unusual_addresses_go_out_raw(address: str) -> None:
    assert header_of(message(to=address).data)["To"] == address


@pytest.mark.parametrize(
    "bad", ["<https://x.example/a b\r\nX: y>", "<https://x.example/ä>", "", " ", "a\x00"]
)
def test_no_structured_field_takes_what_would_break_it(bad: str) -> None:
    with pytest.raises(ValueError, match="not fit"):
        fields.raw(bad)


@pytest.mark.parametrize(
    "pairs",
    [
        [("a", "1"), ("A", "2")],
        [("A", "1\r\nB: 2")],
        [("A", "1\r\n \r\n 2")],
        [("A", "1\n 2")],
        [("A", "x" * 999)],
        [("A: b", "1")],
        [("A", "ä")],
    ],
)
def test_no_field_is_written_that_breaks_the_header(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(ValueError, match=r"^A"):
        fields.write_fields(pairs)


def test_a_feedback_id_has_four_clean_parts() -> None:
    of = newsletter(
        slug="a:b c", sender=Sender(name="x", address="n@newsletter.musterfirma.example")
    )
    assert header_of(message(of=of).data)["Feedback-ID"] == "7:a-b-c:daily:newsletter-must"


def test_a_notice_can_be_answered_with_the_button_of_a_mail_program() -> None:
    notice = Notice(kind="confirm", subject="Bitte bestätigen: Ä", html="<p>ä</p>", text="ä\n")

    def write(seed: str) -> Message:
        return write_notice_message(
            notice,
            newsletter(),
            to_address=ADDRESS,
            message_id_seed=seed,
            date=MADE_AT,
            unsubscribe_url="https://news.example.org/unsubscribe/xyz",
            public_url="https://news.example.org",
        )

    made = write("17")
    check_wire(made.data)
    header = header_of(made.data)
    assert header["List-Unsubscribe"] == "<https://news.example.org/unsubscribe/xyz>"
    assert header["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert [name for name in header if name in ("List-Post", "List-Archive", "Precedence")] == []
    assert header["Auto-Submitted"] == "auto-generated"
    assert read(made.data)["subject"] == "Bitte bestätigen: Ä"
    again = write("18")
    assert header_of(again.data)["Message-ID"] != header["Message-ID"]
