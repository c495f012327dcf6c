from dataclasses import replace

import pytest

from digest.deliveries import commands
from digest.model.message import Message


def message(
    data: bytes = b"Subject: x\r\n\r\nx\r\n",
    *,
    rcpt_to: str = "anna@example.org",
    mail_from: str = "bounce+1@example.org",
) -> Message:
    return Message(mail_from=mail_from, rcpt_to=rcpt_to, data=data)


def test_the_words_are_those_of_rfc_5321() -> None:
    assert commands.mail(message(), declare_size=False) == b"MAIL FROM:<bounce+1@example.org>\r\n"
    assert commands.mail(message(), declare_size=True) == (
        b"MAIL FROM:<bounce+1@example.org> SIZE=17\r\n"
    )
    assert commands.mail(message(mail_from=""), declare_size=False) == b"MAIL FROM:<>\r\n"
    assert commands.rcpt(message()) == b"RCPT TO:<anna@example.org>\r\n"


@pytest.mark.parametrize(
    ("address", "enhanced"),
    [
        ("änna@example.org", "5.6.7"),
        ("anna@exämple.org", "5.6.7"),
        ("\uff41@example.org", "5.6.7"),
        ("", "5.1.3"),
        ("anna", "5.1.3"),
        ("anna@", "5.1.3"),
        ("an na@example.org", "5.1.3"),
        ("a@example.org>\r\nRCPT TO:<b@example.org", "5.1.3"),
        ("a@example.org\n", "5.1.3"),
        ("a@example.org> NOTIFY=NEVER", "5.1.3"),
        ("a\x00@example.org", "5.1.3"),
    ],
)
def test_an_address_that_cannot_go_on_the_wire_is_refused(address: str, enhanced: str) -> None:
    refused = commands.refusal(message(rcpt_to=address))
    assert refused is not None
    assert (refused.code, refused.enhanced) == (553, enhanced)


@pytest.mark.parametrize("address", ["anna@example.org", "a+b@xn--bcher-kva.example", "o'n@x.org"])
def test_an_ascii_address_may_go(address: str) -> None:
    assert commands.refusal(message(rcpt_to=address)) is None


@pytest.mark.parametrize("sender", ["x", "ä@example.org", "a@example.org>\r\nDATA", "a b@x.org"])
def test_a_malformed_sender_is_our_fault(sender: str) -> None:
    with pytest.raises(ValueError, match="sender"):
        commands.mail(message(mail_from=sender), declare_size=False)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a\r\n", b"a\r\n"),
        (b"a\r\n.\r\nb\r\n", b"a\r\n..\r\nb\r\n"),
        (b".a\r\n..b\r\n", b"..a\r\n...b\r\n"),
        (b"a.b\r\n", b"a.b\r\n"),
    ],
)
def test_a_dot_at_the_head_of_a_line_is_doubled(data: bytes, expected: bytes) -> None:
    assert commands.body(message(data)) == expected


@pytest.mark.parametrize(
    "data",
    [b"", b"a", b"a\n", b"a\r\nb", b"a\rb\r\n", b"a\r\n.\nb\r\n", b"a\n\r\n", b"a\r\r\n", b"\n\r"],
)
def test_a_line_without_its_end_is_our_fault(data: bytes) -> None:
    with pytest.raises(ValueError, match="CRLF"):
        commands.body(message(data))


def test_a_message_beyond_the_limit_is_too_large() -> None:
    assert commands.too_large(message(), None) is None
    assert commands.too_large(message(), 17) is None
    refused = commands.too_large(message(), 16)
    assert refused is not None
    assert (refused.code, refused.enhanced) == (552, "5.3.4")


def test_reports_are_asked_for_only_where_the_server_gives_them() -> None:
    plain = message()
    named = replace(plain, envelope_id="ab+c=d", rcpt_to="a+b=c@example.org")
    assert commands.mail(plain, declare_size=False, reports=True) == (
        b"MAIL FROM:<bounce+1@example.org>\r\n"
    )
    assert commands.rcpt(plain, reports=True) == b"RCPT TO:<anna@example.org>\r\n"
    assert commands.mail(named, declare_size=False) == b"MAIL FROM:<bounce+1@example.org>\r\n"
    assert commands.rcpt(named) == b"RCPT TO:<a+b=c@example.org>\r\n"


def test_what_is_asked_for_is_written_in_xtext() -> None:
    named = replace(message(), envelope_id="ab+c=d e", rcpt_to="a+b=c@example.org")
    assert commands.mail(named, declare_size=True, reports=True) == (
        b"MAIL FROM:<bounce+1@example.org> SIZE=17 RET=HDRS ENVID=ab+2Bc+3Dd+20e\r\n"
    )
    assert commands.rcpt(named, reports=True) == (
        b"RCPT TO:<a+b=c@example.org> NOTIFY=FAILURE,DELAY ORCPT=rfc822;a+2Bb+3Dc@example.org\r\n"
    )
