from __future__ import annotations

import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hook_posts import (
    CERTIFICATE_URL,
    NOW,
    SES_BOUNCE,
    SUBSCRIBE_URL,
    TOPIC,
    amazon_certificate,
    amazon_key,
    confirmation,
    make_certificate,
    sns,
)

from digest.deliveries.hooks.event import Malformed, NotNow, Refused
from digest.deliveries.hooks.sns import (
    is_at_sns,
    is_certificate_url,
    read_confirmation,
    verify,
)

Verdict = Refused | Malformed | NotNow | None


async def judged(body: bytes, *, pem: bytes | None = None, away: bool = False) -> Verdict:
    async def certificate(url: str) -> bytes | None:
        assert url == CERTIFICATE_URL
        return None if away else pem or amazon_certificate()

    return await verify(body, topic=TOPIC, now=NOW, certificate=certificate)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Subject": "Amazon SES Email Event"},
        {"kind": "SubscriptionConfirmation", "SubscribeURL": SUBSCRIBE_URL, "Token": "1"},
        {"kind": "UnsubscribeConfirmation", "SubscribeURL": SUBSCRIBE_URL, "Token": "1"},
    ],
)
async def test_what_amazon_signed_is_believed(version: str, changes: dict[str, str]) -> None:
    about = {name: text for name, text in changes.items() if name != "kind"}
    kind = changes.get("kind", "Notification")
    assert await judged(sns("ä\nb", kind=kind, version=version, about=about)) is None


async def test_a_subject_that_is_null_is_none() -> None:
    assert await judged(sns("text", after={"Subject": None})) is None


@pytest.mark.parametrize(
    "after",
    [
        {"Message": "{}"},
        {"MessageId": "another"},
        {"Subject": "added"},
        {"Timestamp": "2026-11-23T09:31:00.000Z"},
        {"Type": "UnsubscribeConfirmation", "SubscribeURL": SUBSCRIBE_URL, "Token": "1"},
        {"SignatureVersion": "1"},
        {"SignatureVersion": "3"},
        {"SignatureVersion": 2},
        {"Signature": ""},
        {"Signature": None},
        {"Signature": "no base64!"},
        {"Signature": "ÄÖÜ"},
    ],
)
async def test_whatever_was_changed_afterwards_is_refused(after: dict[str, object]) -> None:
    assert isinstance(await judged(sns(SES_BOUNCE, after=after)), Refused)


async def test_another_topic_is_refused_though_amazon_signed_it() -> None:
    assert await judged(sns("text", TopicArn=TOPIC + "-of-others")) == Refused(
        reason="the topic is another one"
    )


@pytest.mark.parametrize("hours", [-2.1, 0.5, 24])
async def test_a_message_of_another_time_is_refused(hours: float) -> None:
    at = (NOW + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert isinstance(await judged(sns("text", Timestamp=at)), Refused)


async def test_the_last_attempt_of_an_hour_is_believed() -> None:
    at = (NOW - timedelta(minutes=70)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert await judged(sns("text", Timestamp=at)) is None


async def test_another_key_is_refused() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert isinstance(await judged(sns("text", key=key)), Refused)
    assert isinstance(await judged(sns("text"), pem=make_certificate(key)), Refused)


@pytest.mark.parametrize("days", [-3, 3])
async def test_a_certificate_of_another_time_is_refused(days: int) -> None:
    since = NOW + timedelta(days=days)
    pem = make_certificate(amazon_key(), since=since, until=since + timedelta(days=1))
    assert isinstance(await judged(sns("text"), pem=pem), Refused)


@pytest.mark.parametrize("pem", [b"no certificate", b"-----BEGIN CERTIFICATE-----\n", b"\xff"])
async def test_what_is_no_certificate_is_refused(pem: bytes) -> None:
    assert isinstance(await judged(sns("text"), pem=pem), Refused)


async def test_a_certificate_with_another_kind_of_key_is_refused() -> None:
    pem = make_certificate(ec.generate_private_key(ec.SECP256R1()))
    assert isinstance(await judged(sns("text"), pem=pem), Refused)


async def test_without_the_certificate_amazon_is_to_try_again() -> None:
    assert isinstance(await judged(sns("text"), away=True), NotNow)


ELSEWHERE = [
    "https://sns.evil.example/x.pem",
    "https://sns.us-east-1.amazonaws.com.evil.example/x.pem",
    "http://sns.us-east-1.amazonaws.com/x.pem",
    "HTTPS://sns.us-east-1.amazonaws.com/x.pem",
    "https://sns.us-east-1.amazonaws.com@evil.example/x.pem",
    "https://evil.example@sns.us-east-1.amazonaws.com/x.pem",
    "https://evil.example\\@sns.us-east-1.amazonaws.com/x.pem",
    "https://evil.example#@sns.us-east-1.amazonaws.com/x.pem",
    "https://sns.us-east-1.amazonaws.com:8443/x.pem",
    "https://sns.us-east-1.amazonaws.com/x.pem?redirect=https://evil.example/",
    "https://sns.us-east-1.amazonaws.com/x.pem#.pem",
    "https://sns.us-east-1.amazonaws.com/x.pem\n",
    "https://sns.us-east-1.amazonaws.com\n.evil.example/x.pem",
    "https://sns.us-east-1.amazonaws.com/x.txt",
    "https://sns.us-east-1.amazonaws.com",
    "https://sns.us-east-1.amazonaws.org/x.pem",
    "https://sns.us-east-1.amazonaws.com.br/x.pem",
    "https://snsxus-east-1.amazonaws.com/x.pem",
    "https://evil.sns.us-east-1.amazonaws.com/x.pem",
    # anybody's bucket with the name "sns"
    "https://sns.s3.amazonaws.com/x.pem",
    "https://sns.s3-us-west-2.amazonaws.com/x.pem",
    "https://sns.s3.us-west-2.amazonaws.com/x.pem",
    "//sns.us-east-1.amazonaws.com/x.pem",
    "",
]


@pytest.mark.parametrize("url", ELSEWHERE)
async def test_a_certificate_that_anybody_could_have_put_there_is_not_fetched(url: str) -> None:
    assert not is_certificate_url(url)
    assert isinstance(await judged(sns("text", after={"SigningCertURL": url})), Refused)


@pytest.mark.parametrize("url", [None, 1, [CERTIFICATE_URL], {"url": CERTIFICATE_URL}])
async def test_an_address_that_is_no_text_is_refused(url: object) -> None:
    assert isinstance(await judged(sns("text", after={"SigningCertURL": url})), Refused)


@pytest.mark.parametrize(
    "host",
    [
        "sns.us-east-1.amazonaws.com",
        "sns.us-gov-west-1.amazonaws.com",
        "sns.cn-north-1.amazonaws.com.cn",
        "sns.ap-southeast-12.amazonaws.com",
    ],
)
def test_every_region_is_at_amazon(host: str) -> None:
    assert is_certificate_url(f"https://{host}/SimpleNotificationService-01ab.pem")
    assert is_at_sns(f"https://{host}/")
    assert not is_at_sns(f"https://{host}.evil.example/")


def test_only_a_subscription_is_confirmed_and_only_at_amazon() -> None:
    found = read_confirmation(confirmation())
    assert isinstance(found, tuple)
    assert found[1] == SUBSCRIBE_URL
    assert read_confirmation(sns(SES_BOUNCE)) is None
    assert read_confirmation(sns("x", kind="UnsubscribeConfirmation")) is None
    assert read_confirmation(b"[") is None
    for url in [*ELSEWHERE, None, 7]:
        assert isinstance(read_confirmation(confirmation(SubscribeURL=url)), Refused)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"Type=Notification",
        b"{}",
        json.dumps({"Type": "Notification"}).encode(),
        json.dumps({"Type": ["Notification"]}).encode(),
        json.dumps({"Type": "Hello", "TopicArn": TOPIC}).encode(),
    ],
)
async def test_what_is_no_message_of_sns_is_malformed(body: bytes) -> None:
    assert isinstance(await judged(body), Malformed)


async def test_half_a_surrogate_pair_is_only_a_wrong_signature() -> None:
    assert isinstance(await judged(sns("text", after={"Message": "\ud800"})), Refused)
