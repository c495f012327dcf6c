from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hook_posts import (
    BREVO_BOUNCE,
    MAILGUN_FAILED,
    NOW,
    POSTMARK_BOUNCE,
    SENDGRID_BOUNCE,
    SES_BOUNCE,
    SIGNING_KEY,
    Post,
    basic,
    mailgun,
    sendgrid,
    sendgrid_public,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.deliveries.hooks import brevo, postmark, ses
from digest.deliveries.hooks import mailgun as mailgun_hooks
from digest.deliveries.hooks import sendgrid as sendgrid_hooks
from digest.deliveries.hooks.event import Event, Malformed, Refused
from digest.deliveries.hooks.keys import HookKeys, Provider
from digest.deliveries.hooks.payload import address_of, gather_traces, made_id, moment_of, text_of
from digest.deliveries.hooks.secret import check_authorization

Read = Callable[[bytes], list[Event] | Malformed]


def test_a_provider_is_there_when_it_has_a_key() -> None:
    keys = HookKeys(mailgun=" key ", brevo=" ", ses_topic="")
    assert [each for each in Provider if keys.has(each)] == [Provider.MAILGUN]
    assert keys.of(Provider.MAILGUN) == "key"
    full = HookKeys(ses_topic="1", postmark="2", mailgun="3", sendgrid="4", brevo="5")
    assert [full.of(each) for each in Provider] == ["1", "2", "3", "4", "5"]


def test_keys_do_not_show_themselves() -> None:
    assert "geheim" not in repr(HookKeys(mailgun="geheim"))


@pytest.mark.parametrize(
    ("header", "secret"),
    [
        (basic("hook:geheim"), "hook:geheim"),
        (basic("hook:gehéim:7"), "hook:gehéim:7"),
        ("basic  " + basic("hook:geheim")[6:], "hook:geheim"),
        ("Bearer a-token", "a-token"),
        ("bearer a:token", "a:token"),
    ],
)
def test_the_agreed_secret_is_let_in(header: str, secret: str) -> None:
    assert check_authorization(header, secret) is None


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Bearer",
        "Bearer ",
        "Basic !!!",
        "Basic ÄÖÜ",
        basic("hook:geheim") + "AAAA",
        basic("hook:geheim2"),
        basic("hook:gehei"),
        basic("Hook:geheim"),
        basic(""),
        "Bearer \x80\xff",
        "Digest hook:geheim",
        "hook:geheim",
    ],
)
def test_another_secret_is_not(header: str | None) -> None:
    assert isinstance(check_authorization(header, "hook:geheim"), Refused)
    assert isinstance(check_authorization(header, ""), Refused)


def test_mailgun_signs_with_the_key() -> None:
    body = mailgun(MAILGUN_FAILED)
    assert mailgun_hooks.verify(body, key=SIGNING_KEY, now=NOW) is None
    assert isinstance(mailgun_hooks.verify(body, key="another", now=NOW), Refused)


def test_mailgun_signs_for_a_subaccount_with_the_key_of_the_account() -> None:
    body = mailgun(MAILGUN_FAILED, name="parent-signature")
    assert mailgun_hooks.verify(body, key=SIGNING_KEY, now=NOW) is None


@pytest.mark.parametrize(("hours", "good"), [(-13, False), (-8, True), (0.1, True), (0.2, False)])
def test_mailgun_is_believed_as_long_as_it_tries_again(hours: float, good: bool) -> None:  # noqa: FBT001
    body = mailgun(MAILGUN_FAILED, at=NOW + timedelta(hours=hours))
    assert (mailgun_hooks.verify(body, key=SIGNING_KEY, now=NOW) is None) is good


@pytest.mark.parametrize(
    "proof",
    [
        None,
        [],
        {},
        {"timestamp": 1, "token": 2, "signature": 3},
        {"timestamp": "1e9", "token": "f" * 50, "signature": ""},
        {"timestamp": "٣", "token": "f" * 50, "signature": "ä"},
        {"timestamp": "1795426200", "token": "", "signature": "0" * 64},
    ],
)
def test_mailgun_without_a_signature_is_refused(proof: object) -> None:
    body = json.dumps({"signature": proof, "event-data": MAILGUN_FAILED}).encode()
    assert isinstance(mailgun_hooks.verify(body, key=SIGNING_KEY, now=NOW), Refused)


def test_a_token_of_mailgun_names_one_event_only() -> None:
    forged = MAILGUN_FAILED | {"id": "another", "recipient": "victim@example.org"}
    first, second = (mailgun_hooks.read_events(mailgun(each)) for each in (MAILGUN_FAILED, forged))
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert first[0].id == second[0].id
    later = mailgun_hooks.read_events(mailgun(MAILGUN_FAILED, token="e1" * 25))
    assert isinstance(later, list)
    assert later[0].id != first[0].id


def signed_by_sendgrid(post: Post, *, key: str | None = None) -> bool:
    verdict = sendgrid_hooks.verify(
        post.body,
        signature=post.headers.get(sendgrid_hooks.SIGNATURE),
        timestamp=post.headers.get(sendgrid_hooks.TIMESTAMP),
        key=sendgrid_public() if key is None else key,
        now=NOW,
    )
    return verdict is None


def test_sendgrid_signs_timestamp_and_body() -> None:
    post = sendgrid([SENDGRID_BOUNCE])
    assert signed_by_sendgrid(post)
    assert not signed_by_sendgrid(replace(post, body=post.body + b" "))
    later = {sendgrid_hooks.TIMESTAMP: str(int(NOW.timestamp()) + 1)}
    assert not signed_by_sendgrid(replace(post, headers=post.headers | later))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {sendgrid_hooks.SIGNATURE: "", sendgrid_hooks.TIMESTAMP: "1795426200"},
        {sendgrid_hooks.SIGNATURE: "AAAA", sendgrid_hooks.TIMESTAMP: "1795426200"},
        {sendgrid_hooks.SIGNATURE: "Ä", sendgrid_hooks.TIMESTAMP: "1795426200"},
        {sendgrid_hooks.SIGNATURE: "AAAA", sendgrid_hooks.TIMESTAMP: "٣"},
        {sendgrid_hooks.SIGNATURE: "AAAA"},
    ],
)
def test_sendgrid_without_a_signature_is_refused(headers: dict[str, str]) -> None:
    assert not signed_by_sendgrid(replace(sendgrid([]), headers=headers))


@pytest.mark.parametrize("hours", [-27, 1])
def test_sendgrid_of_another_time_is_refused(hours: int) -> None:
    assert not signed_by_sendgrid(sendgrid([], at=NOW + timedelta(hours=hours)))


def test_sendgrid_tries_for_a_day() -> None:
    assert signed_by_sendgrid(sendgrid([], at=NOW - timedelta(hours=24)))


def test_sendgrid_with_another_key_is_refused() -> None:
    post = sendgrid([], key=ec.generate_private_key(ec.SECP256R1()))
    assert not signed_by_sendgrid(post)
    for key in ("", "no key", "AAAA", sendgrid_public()[:-8], "Ä"):
        assert not signed_by_sendgrid(post, key=key)


def test_a_key_on_another_curve_is_none_of_sendgrid() -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    assert not signed_by_sendgrid(sendgrid([], key=key), key=sendgrid_public(key))


def enveloped(message: object) -> bytes:
    envelope = {"Type": "Notification", "MessageId": "m-1", "Message": json.dumps(message)}
    return json.dumps(envelope).encode()


def plain(message: object) -> bytes:
    return json.dumps(message).encode()


def listed(message: object) -> bytes:
    return json.dumps([message]).encode()


READERS: list[tuple[Read, Callable[[object], bytes], dict[str, object]]] = [
    (ses.read_events, enveloped, SES_BOUNCE),
    (postmark.read_events, plain, POSTMARK_BOUNCE),
    (mailgun_hooks.read_events, mailgun, MAILGUN_FAILED),
    (sendgrid_hooks.read_events, listed, SENDGRID_BOUNCE),
    (brevo.read_events, plain, BREVO_BOUNCE),
]
BY_READER = pytest.mark.parametrize(
    ("read", "wrap", "sample"), READERS, ids=[each.value for each in Provider]
)


@BY_READER
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"a=1&b=2",
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b"[" * 100_000,
        b"1" * 10_000,
        b'"text"',
    ],
    ids=["empty", "bytes", "cut", "form", "lists", "objects", "open", "number", "text"],
)
def test_what_is_no_json_is_malformed_for_everybody(
    read: Read, wrap: Callable[[object], bytes], sample: object, body: bytes
) -> None:
    del wrap, sample
    assert isinstance(read(body), Malformed)


def values() -> st.SearchStrategy[object]:
    scalars = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(st.characters(exclude_categories=()))
        | st.sampled_from(
            ["a@b", "<a@B>", "5.1.1", "5", "5..1", "2026-11-23", "9" * 4000, 10**4000]
        )
    )
    return st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


def places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a JSON value."""
    pairs: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    return [path, *(each for key, inner in pairs for each in places(inner, (*path, key)))]


def put(value: object, path: tuple[str | int, ...], new: object) -> object:
    """The same value with another one at this place."""
    if not path:
        return new
    key, *rest = path
    if isinstance(value, dict):
        return value | {key: put(value[key], tuple(rest), new)}
    assert isinstance(value, list)
    return [put(each, tuple(rest), new) if i == key else each for i, each in enumerate(value)]


def check_clean(found: list[Event] | Malformed) -> None:
    """Whatever came, it can be stored and compared."""
    if isinstance(found, Malformed):
        return
    for event in found:
        assert event.report.genuine
        assert "@" in event.address
        assert event.at is None or event.at.tzinfo is UTC
        texts = [event.id, event.address, *event.report.traces, *event.report.addresses]
        texts += [each.text for each in event.report.failures]
        assert len(event.report.traces) <= 40
        for text in texts:
            text.encode()
            assert "\0" not in text
            assert "\n" not in text
            assert len(text) <= 1000


@BY_READER
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_json_is_read_or_malformed_and_never_raises(
    read: Read, wrap: Callable[[object], bytes], sample: dict[str, object], data: st.DataObject
) -> None:
    new = data.draw(values())
    check_clean(read(wrap(new)))
    check_clean(read(json.dumps(new).encode()))
    check_clean(read(wrap(put(sample, data.draw(st.sampled_from(places(sample))), new))))


@BY_READER
@pytest.mark.parametrize("new", [None, True, 7, -1e308, "", "\ud800\0", [], [[]], {}, {"a": [1]}])
def test_a_wrong_type_in_any_place_leaves_out_what_it_spoils(
    read: Read, wrap: Callable[[object], bytes], sample: dict[str, object], new: object
) -> None:
    for path in places(sample):
        check_clean(read(wrap(put(sample, path, new))))


@BY_READER
def test_the_same_event_told_again_has_the_same_id(
    read: Read, wrap: Callable[[object], bytes], sample: dict[str, object]
) -> None:
    assert read(wrap(sample)) == read(wrap(sample))


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("a@B.Example", "a@b.example"),
        (" <A@B.example> ", "A@b.example"),
        ('"Bob" <bob@b.example>', "bob@b.example"),
        ("Bob <bob@b.example>, Eve <eve@b.example>", ""),
        ("bob@b.example, eve@b.example", ""),
        ("nobody", ""),
        ("@b.example", ""),
        ("a@", ""),
        ("a" * 250 + "@b.example", ""),
        (7, ""),
    ],
)
def test_an_address_is_one_address(value: object, address: str) -> None:
    assert address_of(value) == address


@pytest.mark.parametrize(
    "value",
    [
        1795426200,
        1795426200.0,
        1795426200000,
        "1795426200",
        "2026-11-23T09:30:00Z",
        "2026-11-23T09:30:00.0000001Z",
        "2026-11-23T10:30:00+01:00",
        "2026-11-23 09:30:00",
    ],
)
def test_a_time_is_read_in_every_form(value: object) -> None:
    assert moment_of(value) == datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        "",
        "soon",
        float("nan"),
        float("inf"),
        10**400,
        -1,
        0,
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_what_is_no_time_of_ours_is_none(value: object) -> None:
    assert moment_of(value) is None


def test_texts_are_on_one_line_and_short() -> None:
    assert text_of("a\r\nb\0\u202ec") == "a bc"
    assert len(text_of("a" * 10_000)) == 500
    assert [text_of(each) for each in (7, True, 1.5, None)] == ["7", "", "", ""]


def test_traces_come_from_lists_and_objects_and_are_not_too_many() -> None:
    assert gather_traces("a", {"x": "b", "y": ["c", "a"]}, None) == ("a", "b", "c")
    assert gather_traces([[[["too deep"]]]]) == ()
    assert len(gather_traces([str(each) for each in range(1000)])) == 40


def test_made_ids_keep_their_parts_apart() -> None:
    assert made_id("ab", "c") != made_id("a", "bc")
