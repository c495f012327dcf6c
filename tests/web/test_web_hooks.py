from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from hook_posts import (
    BREVO_BOUNCE,
    CERTIFICATE_URL,
    MAILGUN_FAILED,
    POSTMARK_BOUNCE,
    SENDGRID_BOUNCE,
    SES_BOUNCE,
    SIGNING_KEY,
    SUBSCRIBE_URL,
    TOPIC,
    Post,
    amazon_certificate,
    basic,
    confirmation,
    mailgun,
    sendgrid,
    sendgrid_public,
    sns,
)
from web_visit import Visit, visit

from digest.deliveries.hooks.event import Event
from digest.deliveries.hooks.keys import HookKeys, Provider
from digest.errors import StoreBusy
from digest.feeds.fetch import Answer, Fetcher
from digest.jobs import join
from digest.jobs.world import World
from digest.model.feed import FeedFailure, Fetched
from digest.model.subscriber import SubscriptionState
from digest.store import subscribers, suppressions
from digest.web.app import make_web
from digest.web.hooks import add_hooks

HOOKS = "/hooks/{provider}"

KEYS = HookKeys(
    ses_topic=TOPIC,
    postmark="hook:geheim",
    mailgun=SIGNING_KEY,
    sendgrid=sendgrid_public(),
    brevo="a-token",
)


def good_posts() -> dict[Provider, Post]:
    """One bounce by each provider."""
    return {
        Provider.SES: Post(body=sns(SES_BOUNCE)),
        Provider.POSTMARK: Post(
            body=json.dumps(POSTMARK_BOUNCE).encode(),
            headers={"Authorization": basic("hook:geheim")},
        ),
        Provider.MAILGUN: Post(body=mailgun(MAILGUN_FAILED)),
        Provider.SENDGRID: sendgrid([SENDGRID_BOUNCE]),
        Provider.BREVO: Post(
            body=json.dumps(BREVO_BOUNCE).encode(), headers={"Authorization": "Bearer a-token"}
        ),
    }


class Amazon(Fetcher):
    """Answers at the addresses of Amazon SNS that are known, as far as it is there."""

    def __init__(self) -> None:
        super().__init__(allow_private=False, user_agent="test")
        self.asked: list[str] = []
        self.there = True
        self.leads_to: str | None = None

    async def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None
    ) -> Answer:
        assert (etag, last_modified) == (None, None)
        self.asked.append(url)
        found = {CERTIFICATE_URL: amazon_certificate(), SUBSCRIBE_URL: b"<ok/>"}.get(url)
        if found is None or not self.there:
            return FeedFailure(reason="HTTP 404")
        end = self.leads_to or url
        return Fetched(body=found, url=end, content_type=None, etag=None, last_modified=None)


@dataclass
class Journey:
    """Takes the events down; each id once."""

    taken: dict[str, Event] = field(default_factory=dict)
    doors: list[str] = field(default_factory=list)
    away: bool = False

    async def __call__(self, world: World, events: Sequence[Event], /, *, door: str) -> int:
        assert world.newsletters
        if self.away:
            raise StoreBusy("another process holds the database")
        self.doors.append(door)
        new = {each.id: each for each in events if each.id not in self.taken}
        self.taken |= new
        return len(new)


@dataclass(frozen=True)
class House:
    visit: Visit
    journey: Journey
    amazon: Amazon

    async def post(self, provider: str, post: Post) -> httpx.Response:
        return await self.visit.client.post(
            f"/hooks/{provider}", content=post.body, headers=post.headers
        )


async def opened(folder: Path, keys: HookKeys) -> AsyncIterator[House]:
    async with visit(folder) as web:
        journey, amazon = Journey(), Amazon()
        web.web.state.world = replace(web.world, fetcher=amazon)
        ours = [each for each in web.web.router.routes if getattr(each, "path", "") == HOOKS]
        web.web.router.routes.remove(ours[0])
        add_hooks(web.web, keys=keys, take=journey)
        yield House(web, journey, amazon)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async for each in opened(tmp_path, KEYS):
        yield each


@pytest.fixture
async def closed(tmp_path: Path) -> AsyncIterator[House]:
    async for each in opened(tmp_path, HookKeys(mailgun=SIGNING_KEY)):
        yield each


EACH = pytest.mark.parametrize("provider", list(Provider))


@EACH
async def test_what_a_provider_tells_reaches_the_journey_once(
    house: House, provider: Provider
) -> None:
    post = good_posts()[provider]
    first, again = await house.post(provider, post), await house.post(provider, post)
    assert (first.status_code, first.json()) == (200, {"events": 1})
    assert (again.status_code, again.json()) == (200, {"events": 0})
    (event,) = house.journey.taken.values()
    assert event.address == "gone@example.org"
    assert house.journey.doors == [provider, provider]


@EACH
async def test_without_the_proof_nothing_is_told_and_nothing_happens(
    house: House, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    good = good_posts()[provider]
    told = json.loads(good.body)
    bare = told if isinstance(told, list) else told | {"signature": {}, "Signature": "AAAA"}
    forged = Post(body=json.dumps(bare).encode())
    with caplog.at_level(logging.INFO, "digest.web"):
        got = await house.post(provider, forged)
    assert (got.status_code, got.text) == (403, "forbidden\n")
    assert house.journey.taken == {}
    (line,) = [each.getMessage() for each in caplog.records if each.name == "digest.web"]
    assert line.startswith(f"hook={provider} status=403 reason=")
    assert "@" not in line


@pytest.mark.parametrize(
    ("provider", "headers"),
    [
        (Provider.POSTMARK, {"Authorization": basic("hook:geheim2")}),
        (Provider.BREVO, {"Authorization": "Bearer another"}),
        (Provider.SENDGRID, {"X-Twilio-Email-Event-Webhook-Timestamp": "1795426201"}),
    ],
)
async def test_a_wrong_header_is_refused(
    house: House, provider: Provider, headers: dict[str, str]
) -> None:
    good = good_posts()[provider]
    got = await house.post(provider, replace(good, headers=good.headers | headers))
    assert got.status_code == 403
    assert house.journey.taken == {}


@pytest.mark.parametrize(
    ("provider", "good", "bad"),
    [
        (Provider.SES, b"gone@Example", b"anna@Example"),
        (Provider.SENDGRID, b"gone@example", b"anna@example"),
    ],
)
async def test_a_body_that_was_changed_is_refused(
    house: House, provider: Provider, good: bytes, bad: bytes
) -> None:
    post = good_posts()[provider]
    assert good in post.body
    got = await house.post(provider, replace(post, body=post.body.replace(good, bad)))
    assert got.status_code == 403
    assert house.journey.taken == {}


async def test_a_token_of_mailgun_brings_no_second_event(house: House) -> None:
    forged = mailgun(MAILGUN_FAILED | {"recipient": "victim@example.org", "id": "other"})
    await house.post("mailgun", good_posts()[Provider.MAILGUN])
    assert (await house.post("mailgun", Post(body=forged))).json() == {"events": 0}
    assert [each.address for each in house.journey.taken.values()] == ["gone@example.org"]


@EACH
async def test_a_body_of_more_than_a_megabyte_is_too_large(
    house: House, provider: Provider
) -> None:
    post = good_posts()[provider]
    full = post.body + b" " * (1_000_000 - len(post.body))
    assert (await house.post(provider, replace(post, body=full))).status_code in {200, 403}
    got = await house.post(provider, replace(post, body=full + b" "))
    assert (got.status_code, got.text) == (413, "too large\n")


@pytest.mark.parametrize("body", [b"", b"{", b"email=a", b"[" * 10_000 + b"]" * 10_000, b"7"])
@EACH
async def test_what_cannot_be_understood_is_said_so(
    house: House, provider: Provider, body: bytes
) -> None:
    headers = good_posts()[provider].headers
    if provider is Provider.SENDGRID:
        headers = {}
    got = await house.post(provider, Post(body=body, headers=headers))
    assert got.status_code == (403 if provider is Provider.SENDGRID else 400)
    assert house.journey.taken == {}


async def test_what_sendgrid_signed_and_nobody_understands_is_said_so(house: House) -> None:
    got = await house.post("sendgrid", sendgrid({"event": "bounce"}))
    assert (got.status_code, got.text) == (400, "not understood\n")


@pytest.mark.parametrize("provider", ["ses", "postmark", "sendgrid", "brevo", "SES", "x", "ses/y"])
async def test_who_is_not_known_or_has_no_key_finds_no_door(closed: House, provider: str) -> None:
    known = {each.value: post for each, post in good_posts().items()}
    got = await closed.post(provider, known.get(provider, Post(body=b"{}")))
    assert got.status_code == 404
    assert closed.journey.taken == {}
    assert closed.amazon.asked == []
    assert (await closed.post("mailgun", known["mailgun"])).status_code == 200


async def test_a_door_for_machines_shows_nothing_to_look_at(house: House) -> None:
    assert (await house.visit.get("/hooks/ses")).status_code in {404, 405}


@EACH
async def test_while_the_store_is_away_the_provider_is_to_try_again(
    house: House, provider: Provider
) -> None:
    post = good_posts()[provider]
    house.journey.away = True
    got = await house.post(provider, post)
    assert got.status_code == (429 if provider is Provider.BREVO else 503)
    assert int(got.headers["retry-after"]) > 0
    house.journey.away = False
    assert (await house.post(provider, post)).json() == {"events": 1}


async def test_what_is_not_about_delivery_asks_the_store_nothing(house: House) -> None:
    house.journey.away = True
    got = await house.post("mailgun", Post(body=mailgun({"event": "opened"})))
    assert (got.status_code, got.json()) == (200, {"events": 0})


async def test_the_certificate_of_amazon_is_fetched_once(house: House) -> None:
    for number in range(3):
        post = Post(body=sns(SES_BOUNCE, MessageId=str(number)))
        assert (await house.post("ses", post)).status_code == 200
    assert house.amazon.asked == [CERTIFICATE_URL]


async def test_without_the_certificate_amazon_is_to_try_again(house: House) -> None:
    post = good_posts()[Provider.SES]
    house.amazon.there = False
    assert (await house.post("ses", post)).status_code == 503
    house.amazon.there, house.amazon.leads_to = True, "https://evil.example/x.pem"
    assert (await house.post("ses", post)).status_code == 503
    house.amazon.leads_to = None
    assert (await house.post("ses", post)).status_code == 200


async def test_a_certificate_elsewhere_is_never_asked_for(house: House) -> None:
    for url in (
        "https://sns.evil.example/x.pem",
        "https://sns.us-east-1.amazonaws.com.evil.example/x.pem",
        "http://sns.eu-central-1.amazonaws.com/x.pem",
        "https://sns.eu-central-1.amazonaws.com@evil.example/x.pem",
    ):
        post = Post(body=sns(SES_BOUNCE, after={"SigningCertURL": url}))
        assert (await house.post("ses", post)).status_code == 403
    assert house.amazon.asked == []


async def test_a_subscription_to_our_topic_is_confirmed_once(house: House) -> None:
    post = Post(body=confirmation())
    for _ in range(2):
        got = await house.post("ses", post)
        assert (got.status_code, got.json()) == (200, {"events": 0})
    assert house.amazon.asked == [CERTIFICATE_URL, SUBSCRIBE_URL]


async def test_a_subscription_that_could_not_be_confirmed_is_asked_for_again(house: House) -> None:
    await house.post("ses", good_posts()[Provider.SES])
    house.amazon.there = False
    assert (await house.post("ses", Post(body=confirmation()))).status_code == 503
    house.amazon.there = True
    assert (await house.post("ses", Post(body=confirmation()))).status_code == 200
    assert house.amazon.asked[-2:] == [SUBSCRIBE_URL, SUBSCRIBE_URL]


@pytest.mark.parametrize(
    "changes",
    [
        {"TopicArn": TOPIC + "-of-others"},
        {"SubscribeURL": "https://evil.example/?Action=ConfirmSubscription"},
        {"SubscribeURL": "https://sns.eu-central-1.amazonaws.com@evil.example/?a=1"},
    ],
)
async def test_no_other_subscription_is_confirmed(house: House, changes: dict[str, str]) -> None:
    got = await house.post("ses", Post(body=confirmation(**changes)))
    assert got.status_code == 403
    assert set(house.amazon.asked) <= {CERTIFICATE_URL}


async def test_the_end_of_a_subscription_is_heard_and_not_undone(house: House) -> None:
    body = sns("bye", kind="UnsubscribeConfirmation", SubscribeURL=SUBSCRIBE_URL, Token="1")
    assert (await house.post("ses", Post(body=body))).json() == {"events": 0}
    assert house.amazon.asked == [CERTIFICATE_URL]


async def test_a_complaint_at_the_door_ends_what_the_reader_gets(tmp_path: Path) -> None:
    """The whole way, as the service puts it together: door, signature, journey, books."""
    async with visit(tmp_path) as web:
        await join.admit(
            web.world,
            address="gone@example.org",
            newsletter=web.world.newsletters[0],
            door="cli",
            detail="a test",
        )
        pages = make_web(replace(web.world, hooks=KEYS))
        complaint = json.dumps({**BREVO_BOUNCE, "event": "spam"}).encode()
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=pages), base_url="http://news.example"
        ) as client:
            forged = await client.post(
                "/hooks/brevo", content=complaint, headers={"Authorization": "Bearer wrong"}
            )
            told = await client.post(
                "/hooks/brevo", content=complaint, headers={"Authorization": "Bearer a-token"}
            )
        assert (forged.status_code, told.status_code, told.json()) == (403, 200, {"events": 1})
        known_as = web.world.signer.suppression_hash("gone@example.org")
        async with web.world.store.read() as connection:
            (found,) = await subscribers.by_address(connection, "gone@example.org")
            assert await suppressions.suppression(connection, known_as) == "complained"
        assert found.state is SubscriptionState.UNSUBSCRIBED
