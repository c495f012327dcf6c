from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import html5lib
import pytest
from web_visit import HARBOUR, STADTBLATT, Visit, visit

from digest.model.newsletter import Topic
from digest.model.subscriber import SubscriptionState


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Visit]:
    async with visit(tmp_path) as opened:
        opened.web.state.beat = 0
        yield opened


async def test_the_only_newsletter_is_the_front_page(web: Visit) -> None:
    front, own = await web.get("/"), await web.get("/stadtblatt")
    assert (front.status_code, own.status_code) == (200, 200)
    assert front.text == own.text
    assert "Stadtblatt am Morgen" in front.text
    assert 'action="/subscribe"' in front.text


async def test_several_newsletters_are_listed(tmp_path: Path) -> None:
    async with visit(tmp_path, STADTBLATT, HARBOUR) as web:
        front = await web.get("/")
        assert 'href="/stadtblatt"' in front.text
        assert 'href="/harbour"' in front.text
        assert "täglich, wöchentlich" in front.text


async def test_no_newsletter_at_all_is_said(web: Visit) -> None:
    web.offer()
    assert "There is no newsletter here yet." in (await web.get("/")).text


async def test_one_sees_how_often_it_comes_and_when_next(web: Visit) -> None:
    page = (await web.get("/stadtblatt")).text
    assert "das nächste Mal am Dienstag, 24. November 2026, um 07:00 Uhr" in page
    assert "das nächste Mal am Montag, 30. November 2026, um 07:00 Uhr" in page


async def test_one_sees_the_headlines_of_the_latest_edition(web: Visit) -> None:
    edition = await web.publish(*(f"Meldung {number}" for number in range(8)))
    page = (await web.get("/stadtblatt")).text
    assert [f"Meldung {number}" in page for number in range(8)] == [True] * 4 + [False] * 4
    assert "Und 4 weitere Meldungen." in page
    assert f'href="/archive/stadtblatt/{edition.id}"' in page


async def test_one_sees_how_much_there_is_to_read(tmp_path: Path) -> None:
    async with visit(tmp_path, STADTBLATT, HARBOUR) as web:
        made = await web.publish(*(f"Meldung {number}" for number in range(7)))
        assert "7 Meldungen" in made.written.html
        assert "1 Minute<" in made.written.html
        for path in ("/stadtblatt", "/"):  # of the mail, and not of all that it leads to
            assert "7 Meldungen · 1 Minute<" in (await web.get(path)).text
        assert "Minute" not in (await web.get("/harbour")).text


async def test_a_headline_is_text_and_never_markup(web: Visit) -> None:
    await web.publish("<script>alert(1)</script> & {{ 7*7 }}")
    page = (await web.get("/stadtblatt")).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; {{ 7*7 }}" in page


async def test_a_sign_up_asks_and_waits(web: Visit) -> None:
    answer = await web.post(
        "/subscribe", email="Anna@Example.ORG", newsletter="stadtblatt", frequency="weekly"
    )
    assert answer.status_code == 200
    assert "Bitte sehen Sie in Ihr Postfach" in answer.text
    known = await web.known()
    assert known.subscriber.address == "Anna@example.org"
    assert known.state is SubscriptionState.PENDING
    assert known.frequency == "weekly"


async def test_the_record_holds_the_very_words_that_stood_beside_the_button(web: Visit) -> None:
    page = (await web.get("/stadtblatt")).text
    version = re.findall(r'name="words" value="([0-9a-f]{12})"', page)[0]
    fields = {"newsletter": "stadtblatt", "words": version}
    await web.post("/subscribe", email="anna@example.org", **fields)
    event = (await web.record())[0]
    assert (event.kind, event.door) == ("requested", "web")
    assert "„Stadtblatt am Morgen“" in event.detail
    assert event.detail in page


@pytest.mark.parametrize("typed", ["", " ", "\u00a0 \t"])
async def test_an_empty_field_brings_the_form_back(web: Visit, typed: str) -> None:
    answer = await web.post("/subscribe?lang=en", email=typed, newsletter="stadtblatt")
    assert answer.status_code == 422
    assert "The field for your email address was empty." in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert 'aria-describedby="problem promise"' in answer.text


@pytest.mark.parametrize("typed", ["anna", "anna@example", "a@b.example\r\nBcc: c@d.example"])
async def test_what_is_no_address_gets_the_answer_of_one(web: Visit, typed: str) -> None:
    answer = await web.post("/subscribe", email=typed, newsletter="stadtblatt")
    real = await web.post("/subscribe", email="anna@example.org", newsletter="stadtblatt")
    shown = typed.replace("\r", "\ufffd").replace("\n", "\ufffd")
    assert answer.status_code == real.status_code == 200
    assert answer.text == real.text.replace("anna@example.org", shown)


async def test_what_was_typed_comes_back_as_text_and_not_for_ever(web: Visit) -> None:
    answer = await web.post("/subscribe", email='"><b>x', newsletter="stadtblatt")
    assert "<bdi>&#34;&gt;&lt;b&gt;x</bdi>" in answer.text
    answer = await web.post("/subscribe", email="ä" * 300, newsletter="stadtblatt")
    assert f"<bdi>{'ä' * 254}</bdi>" in answer.text


async def test_what_was_chosen_stays_chosen_while_the_address_is_missing(web: Visit) -> None:
    topical(web)
    wishes = {"frequency": "weekly", "language": "en", "topic": "rat"}
    answer = await web.post("/subscribe", email="", newsletter="stadtblatt", **wishes)
    kept = re.findall(r'value="(\w+)"(?: lang="en")? (?:checked|selected)', answer.text)
    assert kept == ["weekly", "rat", "en"]


async def test_who_fills_in_the_hidden_field_gets_the_same_answer_and_nothing_else(
    web: Visit,
) -> None:
    human = await web.post("/subscribe", email="anna@example.org", newsletter="stadtblatt")
    machine = await web.post(
        "/subscribe", email="bot@example.org", newsletter="stadtblatt", website="https://x.example"
    )
    assert machine.status_code == human.status_code
    assert machine.text == human.text.replace("anna@example.org", "bot@example.org")
    assert await web.all_of("bot@example.org") == []


def topical(web: Visit) -> None:
    topics = (Topic(name="hafen", title="Hafen & Schiffe"), Topic(name="rat", title="Rathaus"))
    web.offer(replace(STADTBLATT, topics=topics))


async def test_all_topics_are_ticked_at_first_and_there_are_none_where_none_are(web: Visit) -> None:
    assert 'name="topic"' not in (await web.get("/stadtblatt")).text
    topical(web)
    page = (await web.get("/stadtblatt")).text
    assert re.findall(r'name="topic" value="(\w+)"( checked)?', page) == [
        ("hafen", " checked"),
        ("rat", " checked"),
        ("other", " checked"),
    ]
    assert "Hafen &amp; Schiffe" in page


@pytest.mark.parametrize(
    ("ticked", "chosen"),
    [
        (["hafen"], ("hafen",)),
        (["rat", "other", "rat", "sport", "\0"], ("other", "rat")),
        (["hafen", "rat", "other"], ()),
        ([], ()),
    ],
)
async def test_the_chosen_topics_are_kept_and_all_of_them_are_everything(
    web: Visit, ticked: list[str], chosen: tuple[str, ...]
) -> None:
    topical(web)
    form = {"email": "anna@example.org", "newsletter": "stadtblatt", "topic": ticked}
    assert (await web.client.post("/subscribe", data=form)).status_code == 200
    assert (await web.known()).topics == chosen


async def test_a_rhythm_or_language_that_is_not_offered_becomes_the_default(web: Visit) -> None:
    await web.post(
        "/subscribe",
        email="anna@example.org",
        newsletter="stadtblatt",
        frequency="x",
        language="xx",
    )
    known = await web.known()
    assert (known.frequency, known.subscriber.language) == ("daily", "de")


async def test_the_mail_speaks_the_language_that_was_chosen(web: Visit) -> None:
    await web.post("/subscribe", email="anna@example.org", newsletter="stadtblatt", language="en")
    assert (await web.known()).subscriber.language == "en"


async def test_the_only_newsletter_need_not_be_named_and_an_unknown_one_is_not_found(
    web: Visit,
) -> None:
    assert (await web.post("/subscribe", email="anna@example.org")).status_code == 200
    assert (
        await web.post("/subscribe", email="anna@example.org", newsletter="x")
    ).status_code == 404


async def test_a_page_speaks_the_readers_language(web: Visit) -> None:
    own = await web.get("/stadtblatt")
    browser = await web.get("/stadtblatt", **{"accept-language": "en-GB,de;q=0.5"})
    asked = await web.get("/stadtblatt?lang=de", **{"accept-language": "en-GB"})
    assert [re.findall(r'<html lang="(..)"', page.text) for page in (own, browser, asked)] == [
        ["de"],
        ["en"],
        ["de"],
    ]
    assert "Your email address" in browser.text
    assert browser.headers["vary"] == "Accept-Language"
    assert browser.headers["content-language"] == "en"


async def test_a_language_that_was_asked_for_stays_with_the_links_and_the_form(web: Visit) -> None:
    page = (await web.get("/stadtblatt?lang=en")).text
    assert 'action="/subscribe?lang=en"' in page
    assert 'href="/archive/stadtblatt?lang=en"' in page


async def test_links_keep_the_path_under_which_the_pages_are_reached(tmp_path: Path) -> None:
    async with visit(tmp_path, public_url="https://www.site.example/post/") as web:
        page = (await web.get("/stadtblatt")).text
        assert 'action="/post/subscribe"' in page
        assert 'href="/post/archive/stadtblatt"' in page


async def test_pages_carry_their_one_style_and_nothing_else(web: Visit) -> None:
    await web.publish("Eins", "Zwei")
    for path in ("/", "/stadtblatt", "/archive", "/archive/stadtblatt", "/nothing-here"):
        got = await web.get(path)
        policy = got.headers["content-security-policy"]
        style = re.findall(r"<style>(.*?)</style>", got.text, re.DOTALL)
        assert len(style) == 1
        assert b64encode(sha256(style[0].encode()).digest()).decode() in policy
        assert "default-src 'none'" in policy
        assert "<script" not in got.text
        assert re.search(r"\sstyle=|\son\w+=|<img|<iframe|@import|url\(", got.text) is None
        assert got.headers.get("set-cookie") is None
        assert got.headers["referrer-policy"] == "no-referrer"
        assert got.headers["x-content-type-options"] == "nosniff"
        assert len(got.content) < 30_000


async def test_pages_are_html_as_a_browser_wants_it(web: Visit) -> None:
    await web.publish("Eins & <Zwei>")
    found = await web.ask()
    paths = ["/", "/archive", "/nothing", web.confirm_path(found), web.unsubscribe_path(found)]
    for path in [*paths, web.preferences_path(await web.admit("bert@example.org"))]:
        html5lib.HTMLParser(strict=True).parse((await web.get(path)).text)


async def test_every_field_has_a_label(web: Visit) -> None:
    page = (await web.get("/stadtblatt")).text
    fields = re.findall(r'<(?:input|select)[^>]* id="(\w+)"', page)
    assert fields == ["email", "language", "website"]
    assert [f'for="{name}"' in page for name in fields] == [True] * 3


async def test_head_is_get_without_the_page(web: Visit) -> None:
    for path in ("/", "/stadtblatt", "/archive", "/healthz", "/readyz"):
        head, got = await web.client.head(path), await web.get(path)
        assert (head.status_code, head.headers["content-type"]) == (
            got.status_code,
            got.headers["content-type"],
        )


async def test_the_address_of_the_answer_leads_back_to_the_form(web: Visit) -> None:
    assert (await web.get("/subscribe")).text == (await web.get("/")).text
