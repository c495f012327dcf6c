"""The operator's page of what would go out: who may see it, as what, and that it is harmless."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from web_visit import HARBOUR, NOW, STADTBLATT, Visit, visit

from digest.jobs.preview import LIFE, preview_link
from digest.messages.cascade import read_mail
from digest.messages.render import builtin_templates
from digest.model.article import NewArticle
from digest.store import articles, feeds

HOSTILE = '"></iframe><script>alert(1)</script>{{ 7*7 }}'


def path(web: Visit) -> str:
    link = preview_link(web.world, STADTBLATT)
    assert link.startswith("http://news.example/preview/")
    return link.removeprefix("http://news.example")


async def hold(web: Visit, *titles: str) -> None:
    """Articles that nobody was sent."""
    url = STADTBLATT.feeds[0].url
    found = [
        NewArticle(
            key=title,
            link_key=None,
            url=f"https://stadtblatt.example/{place}",
            title=title,
            excerpt=f"Mehr zu {title}.",
            image=None,
            author=None,
            categories=(),
            published_at=NOW - timedelta(minutes=place),
            words=120,
        )
        for place, title in enumerate(titles)
    ]
    async with web.world.store.write() as connection:
        await feeds.know(connection, [url], now=NOW)
        feed = (await feeds.find(connection, [url], due_at=None))[0]
        await articles.keep(connection, feed.id, found, now=NOW)


def frames(page: str) -> list[str]:
    """The documents in the frames."""
    return [unescape(each) for each in re.findall(r'srcdoc="([^"]*)"', page)]


async def test_what_would_go_out_is_shown_side_by_side_with_its_checks(tmp_path: Path) -> None:
    async with visit(tmp_path) as web:
        await hold(web, "Turnier im Hafen", "Rathaus wird gestrichen")
        answer = await web.get(f"{path(web)}?lang=en")
        assert answer.status_code == 200
        light, phone, dark, bare = frames(answer.text)
        assert light == phone
        assert "Turnier im Hafen" in light
        assert "@media (prefers-color-scheme" not in light + dark
        assert 'content="only dark"' in dark
        assert "src=" not in bare
        assert answer.text.count('sandbox=""') == 4
        assert "Rathaus wird gestrichen" in re.findall(r"<pre.*?</pre>", answer.text, re.DOTALL)[0]
        assert "The HTML has" in answer.text
        assert "SpamAssassin" in answer.text
        assert "This would go out now." in answer.text


async def test_the_page_is_kept_by_nobody_and_runs_nothing(tmp_path: Path) -> None:
    async with visit(tmp_path) as web:
        await hold(web, "Turnier im Hafen")
        answer = await web.get(path(web))
        policy = answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-robots-tag"] == "noindex"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "<script" not in answer.text
        assert "Disallow: /preview" in (await web.get("/robots.txt")).text


async def test_the_page_speaks_the_operators_language(tmp_path: Path) -> None:
    async with visit(tmp_path) as web:
        await hold(web, "Turnier im Hafen")
        answer = await web.get(path(web), **{"Accept-Language": "de"})
        assert "Das würde jetzt hinausgehen." in answer.text
        assert "Oktette" in answer.text


async def test_a_link_ends_after_a_day(tmp_path: Path) -> None:
    async with visit(tmp_path) as web:
        await hold(web, "Turnier im Hafen")
        link = path(web)
        web.clock.at += LIFE - timedelta(seconds=1)
        assert (await web.get(link)).status_code == 200
        web.clock.at += timedelta(seconds=1)
        late = await web.get(f"{link}?lang=en")
        assert late.status_code == 404
        assert "This link does not work any more" in late.text
        assert (await web.post(link, theme="plain")).status_code == 404


async def test_no_other_token_opens_it_and_it_opens_nothing_else(tmp_path: Path) -> None:
    async with visit(tmp_path) as web:
        anna, link = await web.admit(), path(web)
        signer, token = web.world.signer, link.rpartition("/")[2]
        until = int((NOW + LIFE).timestamp())
        for wrong in (
            token[:-1],
            token[:-1] + ("A" if token[-1] != "A" else "E"),
            "A" * 38,
            signer.preferences_token(anna.ref),
            signer.proof_token(until.to_bytes(12)),
            signer.preview_token("harbour", until),
        ):
            assert (await web.get(f"/preview/{wrong}")).status_code == 404, wrong
        for door in ("unsubscribe", "preferences", "confirm", "desk/proof"):
            assert (await web.get(f"/{door}/{token}")).status_code == 404


async def test_a_token_shows_its_own_newsletter_alone(tmp_path: Path) -> None:
    async with visit(tmp_path, STADTBLATT, HARBOUR) as web:
        await hold(web, "Turnier im Hafen")
        assert "Turnier im Hafen" in (await web.get(path(web))).text
        other = preview_link(web.world, HARBOUR).removeprefix("http://news.example")
        shown = await web.get(other)
        assert "Harbour Notes" in shown.text
        web.offer(HARBOUR)
        assert (await web.get(path(web))).status_code == 404


async def test_a_reader_is_named_and_his_links_are_nobodys(tmp_path: Path) -> None:
    async with visit(tmp_path) as web:
        anna = await web.admit()
        await hold(web, "Turnier im Hafen")
        answer = await web.post(f"{path(web)}?lang=en", reader="anna@example.org", theme="plain")
        assert answer.status_code == 200
        assert "As anna@example.org gets it" in answer.text
        assert "This mail went to anna@example.org" in unescape(frames(answer.text)[0]) or (
            "anna@example.org" in frames(answer.text)[0]
        )
        for token in (
            web.world.signer.unsubscribe_token(anna.ref),
            web.world.signer.preferences_token(anna.ref),
        ):
            assert token not in answer.text
        found = re.findall(r"/(?:unsubscribe|preferences)/[\w-]{38}", answer.text)
        assert found
        for each in set(found):
            assert (await web.get(each)).status_code == 404
            assert (await web.post(each)).status_code in (200, 404)
        assert (await web.known()).state == anna.state


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"reader": "nobody@example.org"}, "There is no such reader"),
        ({"reader": "@@"}, "There is no such reader"),
        ({"theme": "../../notices/confirm"}, "There is no such theme."),
    ],
)
async def test_what_cannot_be_shown_is_said(
    tmp_path: Path, fields: dict[str, str], says: str
) -> None:
    async with visit(tmp_path) as web:
        await hold(web, "Turnier im Hafen")
        answer = await web.post(f"{path(web)}?lang=en", **fields)
        assert answer.status_code == 422
        assert says in answer.text
        assert frames(answer.text) == []


async def test_another_theme_and_another_language_can_be_chosen(tmp_path: Path) -> None:
    own = tmp_path / "templates" / "editions" / "eigen"
    own.mkdir(parents=True)
    for each in (builtin_templates() / "editions" / "plain").iterdir():
        (own / each.name).write_text(each.read_text("utf-8"), "utf-8")
    body = (own / "body.html").read_text("utf-8")
    (own / "body.html").write_text(body.replace("<ol", '<ol id="eigen"'), "utf-8")
    async with visit(tmp_path) as web:
        await hold(web, "Turnier im Hafen", "Rathaus wird gestrichen")
        plain = frames((await web.get(path(web))).text)[0]
        answer = await web.post(path(web), theme="eigen", language="en")
        mine = frames(answer.text)[0]
        assert "<option selected>eigen" in answer.text
        assert ('id="eigen"' in plain, 'id="eigen"' in mine) == (False, True)
        assert ("Auf einen Blick" in plain, "At a glance" in mine) == (True, True)
        (own / "body.html").write_text("{{ nonsense }}", "utf-8")
        broken = await web.post(f"{path(web)}?lang=en", theme="eigen")
        assert broken.status_code == 422
        assert "The theme is broken" in broken.text


async def test_where_nothing_is_new_the_last_edition_is_shown(tmp_path: Path) -> None:
    async with visit(tmp_path) as web:
        nothing = await web.get(f"{path(web)}?lang=en")
        assert nothing.status_code == 422
        assert "There is nothing to show yet" in nothing.text
        await web.publish("Turnier im Hafen")
        answer = await web.get(f"{path(web)}?lang=en")
        assert "Nothing is new: this went out last" in answer.text
        assert "Turnier im Hafen" in frames(answer.text)[0]


async def test_a_hostile_title_stays_in_its_frame(tmp_path: Path) -> None:
    async with visit(tmp_path) as web:
        await hold(web, HOSTILE)
        answer = await web.get(path(web))
        tree = read_mail(answer.text)
        assert len(list(tree.iter("iframe"))) == 4
        assert list(tree.iter("script")) == []
        assert [list(read_mail(each).iter("script")) for each in frames(answer.text)] == [[]] * 4


async def test_looking_stores_nothing(tmp_path: Path) -> None:
    async with visit(tmp_path) as web:
        await hold(web, "Turnier im Hafen")
        for _ in range(2):
            assert (await web.get(path(web))).status_code == 200
        made = await web.publish("Rathaus wird gestrichen")
        assert made.number == 1
