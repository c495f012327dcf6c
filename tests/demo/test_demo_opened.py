"""A mail is opened as a mail program would open it, and none makes it stumble."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.demo.opened import PREHEADER_LENGTH, open_message

MAIL = """\
From: =?utf-8?q?K=C3=A4the_M=C3=BCller?= <kaethe@post.example>
To: anna@leser.example
Subject: =?utf-8?b?R3LDvMOfZQ==?= aus
 Weserau
List-Unsubscribe: <https://post.example/u/abc>, <mailto:u@post.example>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Gr=C3=BC=C3=9Fe
--b
Content-Type: text/html; charset=utf-8

<html><head><title>Kopf</title><style>p{}</style></head><body>
<div style="display:none">Heute neu:
 drei Dinge&nbsp;&zwnj;&nbsp;&zwnj;&nbsp;&zwnj;&nbsp;&zwnj;&nbsp;&zwnj;</div><h1>Titel</h1></body>
--b--
""".replace("\n", "\r\n").encode()


def html_mail(page: str) -> bytes:
    return b"Content-Type: text/html; charset=utf-8\r\n\r\n" + page.encode()


def test_a_whole_mail_is_opened() -> None:
    opened = open_message(MAIL)
    assert (opened.sender, opened.address) == ("Käthe Müller", "kaethe@post.example")
    assert (opened.to, opened.subject) == ("anna@leser.example", "Grüße aus Weserau")
    assert opened.text is not None
    assert opened.text.strip() == "Grüße"
    assert opened.html is not None
    assert "<h1>Titel</h1>" in opened.html
    assert opened.preheader == "Heute neu: drei Dinge"
    assert opened.one_click == "https://post.example/u/abc"


def test_header_fields_are_shown_as_they_came() -> None:
    fields = dict(open_message(MAIL).fields)
    assert fields["Subject"] == "=?utf-8?b?R3LDvMOfZQ==?= aus\r\n Weserau"
    assert [name for name, _ in open_message(MAIL).fields][:3] == ["From", "To", "Subject"]


@pytest.mark.parametrize(
    ("page", "preheader"),
    [
        ("Nur Text", "Nur Text"),
        ("<p>eins</p><p>zwei</p>", "eins zwei"),
        ("<style>p{color:red}</style><script>x()</script><p>da</p>", "da"),
        ("<head><body>da", "da"),
        ("", ""),
    ],
)
def test_the_preheader_is_what_a_reader_sees_first(page: str, preheader: str) -> None:
    assert open_message(html_mail(page)).preheader == preheader


def test_a_long_preheader_is_cut() -> None:
    preheader = open_message(html_mail("<p>" + "Wort " * 100)).preheader
    assert len(preheader) <= PREHEADER_LENGTH
    assert preheader.endswith("Wort…")


def test_one_click_needs_both_fields_and_a_web_address() -> None:
    post = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    assert open_message(b"List-Unsubscribe: <https://a.example/u>\r\n\r\n").one_click is None
    assert open_message(post + b"List-Unsubscribe: <mailto:u@a.example>\r\n\r\n").one_click is None
    assert open_message(post + b"List-Unsubscribe: <javascript:x()>\r\n\r\n").one_click is None


def test_an_unknown_charset_shows_what_can_be_shown() -> None:
    opened = open_message(
        b"Content-Type: text/plain; charset=klingon\r\n\r\nGr\xc3\xbc\xc3\x9fe \xff"
    )
    assert opened.text == "Grüße \ufffd"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n\r\n",
        b"\x00\xff\xfe",
        b"From: \xff\xfe <\xe4@\xe4>\r\nTo: ,,,;:<>\r\n\r\n",
        b'From: "\r\nTo: group:;\r\nSubject: =?x?q?\xff?=\r\nDate: 99 Foo\r\n\r\n',
        b"Content-Type: multipart/alternative\r\n\r\nno boundary",
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n--a\r\n--a--",
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!=",
        b"Content-Type: ;;;=\r\nContent-Disposition: =;\r\nMessage-ID: [\r\n\r\nx",
        b'Content-Type: text/plain; charset="utf-8\x00"\r\n\r\nx',
        b"Content-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\n",
    ],
)
def test_broken_mail_is_opened_too(raw: bytes) -> None:
    opened = open_message(raw)
    # whatever comes out can be written to a page
    assert isinstance(
        "".join((opened.subject, opened.html or "", opened.preheader)).encode(), bytes
    )


@given(
    st.sampled_from(["From", "To", "Subject", "Content-Type", "List-Unsubscribe", "Date"]),
    st.binary(max_size=60),
    st.binary(max_size=120),
)
def test_any_bytes_are_opened(name: str, value: bytes, body: bytes) -> None:
    opened = open_message(name.encode() + b": " + value + b"\r\n\r\n" + body)
    shown = (opened.sender, opened.address, opened.to, opened.subject, opened.text or "")
    "".join((*shown, opened.html or "", opened.preheader)).encode()
