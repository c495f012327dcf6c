"""DKIM signatures hold where two others check them, and break at whatever is changed."""

from __future__ import annotations

import base64
import ctypes
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from dkim.canonicalization import Relaxed
from hypothesis import example, given, settings
from hypothesis import strategies as st
from message_samples import ADDRESS, LINKS, PUBLIC_URL, TOKEN, edition, newsletter, ordinary

from digest.errors import SettingsError
from digest.messages.assemble import assemble
from digest.messages.keys import (
    Key,
    dns_record,
    make_ed25519_key,
    make_rsa_key,
    read_key,
    read_keys,
    record_name,
    split_record,
)
from digest.messages.mime import write_edition_message, write_notice_message
from digest.messages.sign import relaxed_body, sign
from digest.model.message import Notice

if TYPE_CHECKING:
    from pathlib import Path

#: past on each machine: a signature from the future is refused
AT = datetime(2024, 3, 1, 6, 0, 4, tzinfo=UTC)
DOMAIN = "example.org"

FIELDS = (
    "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted",
    "X-Auto-Response-Suppress", "Precedence", "List-Id", "List-Unsubscribe",
    "List-Unsubscribe-Post", "List-Help", "List-Archive", "List-Post", "Feedback-ID",
    "MIME-Version", "Content-Type",
)  # fmt: skip


@cache
def rsa_pem() -> bytes:
    return make_rsa_key()


@cache
def keys() -> tuple[Key, Key]:
    return (
        read_key("digest1", rsa_pem(), "rsa.pem"),
        read_key("digest1-ed25519", make_ed25519_key(), "ed25519.pem"),
    )


@cache
def written() -> bytes:
    """An edition as one person gets it, unsigned."""
    made = replace(edition(ordinary(6)), made_at=AT)
    page, text = assemble(made, LINKS, address=ADDRESS)
    return write_edition_message(
        edition=made,
        newsletter=newsletter(),
        html=(page,),
        text=(text,),
        links=LINKS,
        to_address=ADDRESS,
        subscriber_ref=b"r" * 12,
        public_url=PUBLIC_URL,
    ).data


@cache
def signed() -> bytes:
    return sign(written(), keys(), domain=DOMAIN, at=AT)


def in_dns(name: bytes, timeout: int = 5) -> bytes | None:  # noqa: ARG001 -- dkimpy's call
    records = {f"{record_name(key, DOMAIN)}.".encode(): dns_record(key) for key in keys()}
    return records[name].encode()


def holds(data: bytes, which: int) -> bool:
    """Whether dkimpy takes the signature of that number."""
    try:
        return bool(dkim.DKIM(data).verify(which, dnsfunc=in_dns))
    except dkim.DKIMException:
        return False


def tags(data: bytes, which: int) -> dict[str, str]:
    field = re.findall(rb"(?ms)^DKIM-Signature:.*?\r\n(?![ \t])", data)[which].decode()
    pairs = (each.partition("=") for each in field.partition(":")[2].split(";"))
    return {name.strip(): re.sub(r"\s", "", value) for name, _, value in pairs}


# ------------------------------------------------------------------- what goes out


def test_both_signatures_of_an_edition_hold() -> None:
    assert signed().endswith(written())
    assert (holds(signed(), 0), holds(signed(), 1)) == (True, True)
    first, second = tags(signed(), 0), tags(signed(), 1)
    assert (first["a"], first["s"]) == ("rsa-sha256", "digest1")
    assert (second["a"], second["s"]) == ("ed25519-sha256", "digest1-ed25519")
    for each in (first, second):
        assert set(each) == {"v", "a", "c", "d", "s", "t", "h", "bh", "b"}
        assert (each["v"], each["c"], each["d"]) == ("1", "relaxed/relaxed", DOMAIN)
        assert each["t"] == str(int(AT.timestamp()))
    assert first["bh"] == second["bh"]


def test_the_signature_of_a_notice_holds() -> None:
    data = write_notice_message(
        Notice(kind="confirm", subject="Bitte bestätigen", text="Ein Wort.\n", html="<p>Ein Wort."),
        newsletter(),
        to_address=ADDRESS,
        message_id_seed="4711",
        date=AT,
        unsubscribe_url=f"{PUBLIC_URL}/unsubscribe/{TOKEN}",
        public_url=PUBLIC_URL,
    ).data
    once = sign(data, keys()[:1], domain=DOMAIN, at=AT)
    assert holds(once, 0)
    assert once.count(b"DKIM-Signature:") == 1


def test_every_field_that_is_there_is_covered_and_the_ones_that_count_are_sealed() -> None:
    names = tags(signed(), 0)["h"].split(":")
    for each in FIELDS:
        assert each.lower() in names
    for each in (
        "from", "to", "reply-to", "subject", "date", "message-id", "list-unsubscribe",
        "list-unsubscribe-post", "content-type",
    ):  # fmt: skip
        assert names.count(each) == 2
    # nobody may add one where there is none
    assert names.count("cc") == 1
    bare = sign(b"From: a@example.org\r\n\r\n", keys()[:1], domain=DOMAIN, at=AT)
    assert tags(bare, 0)["h"].startswith("from:from:to:cc:reply-to:subject:date:")
    assert holds(bare, 0)
    assert not holds(bare.replace(b"\r\nFrom:", b"\r\nReply-To: b@example.net\r\nFrom:"), 0)


def test_no_line_of_a_signature_is_long_or_ends_otherwise_than_in_crlf() -> None:
    field = signed().removesuffix(written())
    assert field.isascii()
    assert field.endswith(b"==\r\n")
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", field)
    assert max(map(len, field.split(b"\r\n"))) <= 78


def test_a_long_domain_and_selector_still_make_a_signature_that_holds() -> None:
    long = ".".join(["langer-name-ohne-ende" * 2] * 4)
    key = replace(keys()[0], selector=".".join(["zwanzig-zeichen-lang"] * 6))
    data = sign(written(), [key], domain=long, at=AT)
    record = dns_record(key).encode()
    name = f"{record_name(key, long)}.".encode()
    assert dkim.verify(data, dnsfunc=lambda asked, timeout=5: {name: record}[asked])  # noqa: ARG005


def test_equal_arguments_give_equal_bytes_and_another_time_gives_others() -> None:
    assert sign(written(), keys(), domain=DOMAIN, at=AT) == signed()
    reread = read_key("digest1", rsa_pem(), "rsa.pem")
    assert sign(written(), [reread, keys()[1]], domain=DOMAIN, at=AT) == signed()
    assert sign(written(), keys(), domain=DOMAIN, at=AT + timedelta(seconds=1)) != signed()
    assert sign(written(), (), domain=DOMAIN, at=AT) == written()


# ------------------------------------------------------------------- what breaks it


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("field", FIELDS)
def test_a_changed_field_breaks_it(field: str, which: int) -> None:
    header, _, body = signed().partition(b"\r\n\r\n")
    start = re.search(rf"(?m)^{field}: ".encode(), header)
    assert start
    changed = bytearray(header)
    changed[start.end()] ^= 1
    assert not holds(bytes(changed) + b"\r\n\r\n" + body, which)
    # and so does taking it away
    gone = re.sub(rf"(?ms)^{field}: .*?(\r\n(?![ \t])|\Z)".encode(), b"", header, count=1)
    assert not holds(gone.removesuffix(b"\r\n") + b"\r\n\r\n" + body, which)


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_a_changed_octet_of_the_body_breaks_it(data: st.DataObject) -> None:
    header, _, body = signed().partition(b"\r\n\r\n")
    letters = [place for place, octet in enumerate(body) if octet not in b" \t\r\n"]
    place = data.draw(st.sampled_from(letters))
    changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
    assert not holds(header + b"\r\n\r\n" + changed, 0)
    assert not holds(header + b"\r\n\r\n" + body + b"more\r\n", 1)


@pytest.mark.parametrize(
    "field",
    [
        "From: Fremd <x@example.net>", "To: x@example.net", "Cc: x@example.net",
        "Reply-To: x@example.net", "Subject: Anders", "Date: Mon, 04 Mar 2024 06:00:04 +0000",
        "Message-ID: <x@example.net>", "MIME-Version: 1.0", "Content-Type: text/plain",
        "List-Unsubscribe: <https://example.net/u>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["above", "between", "below"])
def test_a_second_field_breaks_it_wherever_it_stands(field: str, place: str) -> None:
    header, _, body = signed().partition(b"\r\n\r\n")
    added = field.encode()
    if place == "above":
        forged = added + b"\r\n" + header
    elif place == "between":
        forged = header.replace(b"\r\nFrom:", b"\r\n" + added + b"\r\nFrom:", 1)
    else:
        forged = header + b"\r\n" + added
    for which in (0, 1):
        assert not holds(forged + b"\r\n\r\n" + body, which)


def test_what_relays_do_on_the_way_does_not_break_it() -> None:
    header, _, body = signed().partition(b"\r\n\r\n")
    onward = (
        b"Return-Path: <bounces@example.org>\r\n"
        b"Received: from a.example by b.example with ESMTPS; Fri, 01 Mar 2024 06:00:09 +0000\r\n"
        + header.replace(b"MIME-Version: 1.0", b"mime-version:\t1.0  ")
        + b"\r\nX-Spam-Status: No\r\n\r\n"
        + body.replace(b"\r\n", b" \t\r\n", 3)
        + b"\r\n\r\n"
    )
    assert (holds(onward, 0), holds(onward, 1)) == (True, True)


# ------------------------------------------------------------------- any message

_SPACE = st.text(" \t", max_size=3)
_WORD = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=12)


@st.composite
def header_fields(draw: st.DrawFn) -> bytes:
    """A field of a name that counts or of another one, folded and spaced as it comes."""
    name = draw(st.sampled_from([*FIELDS, "Cc", "List-Owner", "X-Other", "Sender", "References"]))
    name = draw(st.sampled_from([name, name.lower(), name.upper()]))
    value = draw(_SPACE) + draw(_WORD)
    for _ in range(draw(st.integers(0, 4))):
        fold = draw(st.sampled_from(["", "", "\r\n"]))
        value += draw(_SPACE) + fold + draw(st.sampled_from(" \t")) + draw(_SPACE) + draw(_WORD)
    return f"{name}:{value}{draw(_SPACE)}\r\n".encode()


#: lines as they go over the wire: 8-bit octets too, and all that canonicalising looks at
_LINES = st.lists(
    st.lists(
        st.sampled_from([b" ", b"\t", b"  ", b".", b"a", b"=20", b"\xc3\xa4", b"-", b"wort"]),
        max_size=6,
    ).map(b"".join),
    max_size=8,
).map(lambda lines: b"".join(line + b"\r\n" for line in lines))


@given(st.lists(header_fields(), max_size=12), _LINES)
@example([], b"")
@example([], b"\r\n")
@example([], b" \r\n\t\r\n\r\n")
@example([b"Subject: \t \r\n\t \r\n \tx  y\r\n", b"SUBJECT:z \r\n"], b" a\t b \r\n\r\nc\r\n\r\n")
@settings(max_examples=60, deadline=None)
def test_any_message_can_be_signed(fields: list[bytes], body: bytes) -> None:
    data = b"From: a@example.org\r\n" + b"".join(fields) + b"\r\n" + body
    once = sign(data, keys(), domain=DOMAIN, at=AT)
    assert once.endswith(data)
    assert (holds(once, 0), holds(once, 1)) == (True, True)


@given(_LINES)
def test_a_body_is_relaxed_as_others_do_it(body: bytes) -> None:
    assert relaxed_body(body) == Relaxed.canonicalize_body(body)
    # the line end that a body lacks is added on the wire (RFC 5321 section 4.1.1.4)
    assert relaxed_body(body.removesuffix(b"\r\n")) == relaxed_body(body)


@pytest.mark.parametrize(
    ("body", "relaxed"),
    [
        (b"", b""),
        (b"\r\n\r\n", b""),
        (b" \t", b""),
        (b" \t\r\n \r\n", b""),
        (b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n"),
        (b"\r\n\r\nx", b"\r\n\r\nx\r\n"),
        (b"x" + b" " * 70_000 + b"y" + b"\r\n" * 70_000, b"x y\r\n"),
    ],
)
def test_the_ends_of_a_body(body: bytes, relaxed: bytes) -> None:
    assert relaxed_body(body) == relaxed


@pytest.mark.parametrize(
    "data",
    [
        b"Subject: no From\r\n\r\nx\r\n",
        b"\r\nx\r\n",
        b"From: a@example.org\r\nno field\r\n\r\n",
        b" From: a@example.org\r\n\r\n",
        b"From: a@example.org\r\n: x\r\n\r\n",
    ],
)
def test_what_is_no_message_is_not_signed(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"header field|without From"):
        sign(data, keys(), domain=DOMAIN, at=AT)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        sign(written(), keys(), domain=DOMAIN, at=AT.replace(tzinfo=None))


# ------------------------------------------------------------------- a second opinion


class OpenDkim:
    """libopendkim, told the records by a file; it knows RSA alone."""

    QUERY_METHOD, QUERY_INFO, FROM_FILE, SET = 6, 7, 1, 1

    def __init__(self, folder: Path) -> None:
        self.lib = ctypes.CDLL("libopendkim.so.11")
        for name in ("dkim_init", "dkim_verify", "dkim_getresultstr"):
            getattr(self.lib, name).restype = ctypes.c_void_p
        records = folder / "records"
        records.write_text(f"{record_name(keys()[0], DOMAIN)} {dns_record(keys()[0])}\n")
        self.handle = ctypes.c_void_p(self.lib.dkim_init(None, None))
        method, path = ctypes.c_int(self.FROM_FILE), str(records).encode()
        for option, value, size in (
            (self.QUERY_METHOD, ctypes.byref(method), ctypes.sizeof(method)),
            (self.QUERY_INFO, path, len(path)),
        ):
            done = self.lib.dkim_options(
                self.handle, self.SET, option, value, ctypes.c_size_t(size)
            )
            assert done == 0

    def check(self, data: bytes) -> str:
        """What it says of the message, `Success` where a signature holds."""
        status = ctypes.c_int(0)
        one = ctypes.c_void_p(
            self.lib.dkim_verify(self.handle, b"test", None, ctypes.byref(status))
        )
        answer = self.lib.dkim_chunk(one, data, ctypes.c_size_t(len(data)))
        answer = answer or self.lib.dkim_chunk(one, b"", ctypes.c_size_t(0))
        answer = answer or self.lib.dkim_eom(one, None)
        self.lib.dkim_free(one)
        text = ctypes.cast(self.lib.dkim_getresultstr(answer), ctypes.c_char_p).value
        assert text is not None
        return text.decode()

    def close(self) -> None:
        self.lib.dkim_close(self.handle)


def test_opendkim_takes_it_and_refuses_what_was_changed(tmp_path: Path) -> None:
    try:
        other = OpenDkim(tmp_path)
    except OSError:
        pytest.skip("Debian's libopendkim11 is not installed")
    once = sign(written(), keys()[:1], domain=DOMAIN, at=AT)
    odd = sign(
        b"from:\ta@example.org\r\nSUBJECT : x \r\n\t  y\r\n\r\n a \t b \r\n\r\n \r\n",
        keys()[:1],
        domain=DOMAIN,
        at=AT,
    )
    found = [
        other.check(each)
        for each in (
            once,
            signed(),
            odd,
            once + b"more\r\n",
            b"Subject: Anders\r\n" + once,
            once.replace(b"One-Click", b"Two-Click", 1),
        )
    ]
    other.close()
    assert found == ["Success"] * 3 + ["Bad signature"] * 3


# ------------------------------------------------------------------- keys


def pem_of(secret: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: str = "") -> bytes:
    return secret.private_bytes(
        Encoding.PEM,
        PrivateFormat.PKCS8,
        BestAvailableEncryption(password.encode()) if password else NoEncryption(),
    )


def test_a_made_key_is_read_and_its_record_tells_the_public_half() -> None:
    first, second = keys()
    assert (first.kind, second.kind) == ("rsa", "ed25519")
    loaded = load_pem_private_key(rsa_pem(), None)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    assert loaded.key_size == 2048
    public = loaded.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert dns_record(first) == f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"
    assert re.fullmatch(r"v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}=", dns_record(second))
    assert record_name(first, DOMAIN) == "digest1._domainkey.example.org"
    strings = split_record(dns_record(first))
    assert [len(each) <= 255 for each in strings] == [True, True]
    assert "".join(strings) == dns_record(first)
    assert split_record(dns_record(second)) == [dns_record(second)]


def test_an_rsa_key_as_openssl_used_to_write_it_is_read() -> None:
    loaded = load_pem_private_key(rsa_pem(), None)
    old = loaded.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert dns_record(read_key("s", old, "old.pem")) == dns_record(keys()[0])


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: b"", "no private key in PEM"),
        (lambda: b"\x00\xff" * 40, "no private key in PEM"),
        (lambda: rsa_pem()[:900], "no private key in PEM"),
        (
            lambda: (
                keys()[0]
                .secret.public_key()
                .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            ),
            "no private key in PEM",
        ),
        (lambda: pem_of(ec.generate_private_key(ec.SECP256R1())), "neither RSA nor Ed25519"),
        (lambda: pem_of(rsa.generate_private_key(65537, 1024)), "has 1024 bits"),  # noqa: S505 -- refused
        (lambda: pem_of(ec.generate_private_key(ec.SECP256R1()), "geheim"), "has a password"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_in_one_line(make: object, reason: str) -> None:
    assert callable(make)
    with pytest.raises(SettingsError, match=reason) as refused:
        read_key("digest1", make(), "dkim-digest1.pem")
    assert "dkim-digest1.pem" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "selector",
    ["", ".", "a.", "a..b", "-a", "a-", "a b", "a_b", "ä", "a;b", "a" * 64, "a\n", "a/b"],
)
def test_a_selector_is_dns_labels(selector: str) -> None:
    with pytest.raises(SettingsError, match="selector"):
        read_key(selector, rsa_pem(), "x.pem")


def test_selectors_and_files_are_paired_in_their_order() -> None:
    ed25519 = make_ed25519_key()
    found = read_keys("digest1, 2024.mail", [("a.pem", rsa_pem()), ("b.pem", ed25519)])
    assert [(each.selector, each.kind) for each in found] == [
        ("digest1", "rsa"),
        ("2024.mail", "ed25519"),
    ]
    assert read_keys("", []) == read_keys("  ", []) == ()


@pytest.mark.parametrize(
    ("selectors", "files", "reason"),
    [
        ("digest1", 0, "1 names and DIGEST_DKIM_KEY_FILE has 0"),
        ("", 1, "one selector for each key file"),
        ("digest1,", 1, "in the same order"),
        ("digest1,", 2, "selector ''"),
        ("Digest1,DIGEST1", 2, "twice"),
    ],
)
def test_pairs_that_do_not_go_together_are_refused(selectors: str, files: int, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        read_keys(selectors, [("a.pem", rsa_pem())] * files)


def test_ed25519_alone_is_refused_because_many_receivers_do_not_know_it() -> None:
    with pytest.raises(SettingsError, match="no RSA key"):
        read_keys("digest1", [("a.pem", make_ed25519_key())])
