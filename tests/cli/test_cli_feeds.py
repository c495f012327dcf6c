"""`digest feed find`, `export`, `import`, `gather` and the feeds of `status`: the real command."""

from __future__ import annotations

import io
import sqlite3
import tomllib
from pathlib import Path
from typing import Any

import pytest
from loopback import Page, Relay, Site, recent
from rich.console import Console
from shell import Desk, newsletters

from digest.cli.status import feeds_table

OPML = """<opml version="2.0"><body>
<outline text="Stellen [b]"><outline type="rss" text="Jobs" xmlUrl="https://jobs.example/feed"/>
</outline>
<outline type="rss" text="Da" xmlUrl="http://DA.example/feed/"/>
<outline type="rss" text="Zweimal" xmlUrl="https://jobs.example/feed#x"/>
<outline type="rss" text="Datei" xmlUrl="file:///etc/passwd"/>
</body></opml>"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def toml(desk: Desk) -> str:
    return (desk.folder / "newsletters.toml").read_text(encoding="utf-8")


# --------------------------------------------------------------- find


def test_find_tells_the_feeds_of_a_site(desk: Desk, site: Site) -> None:
    site.pages["/"] = Page(
        b'<link rel="alternate" type="application/rss+xml" href="/feed">'
        b'<link rel="alternate" type="application/rss+xml" href="/gone">'
    )
    site.feed("/feed", *recent("Eins [/b]"))
    found = desk.call("feed", "find", site.url, "--json", DIGEST_FEED_ALLOW_PRIVATE="true")
    assert found.code == 0
    first, second = found.json
    assert {
        "url",
        "title",
        "kind",
        "entries",
        "newest_utc",
        "language",
        "found_by",
        "error",
    } <= set(first)
    assert (first["url"], first["kind"], first["entries"]) == (f"{site.url}/feed", "rss", 1)
    assert (first["found_by"], first["error"], second["error"][:8]) == ("link", None, "HTTP 404")
    spoken = desk.call("feed", "find", site.url, DIGEST_FEED_ALLOW_PRIVATE="true")
    assert spoken.out.splitlines()[0] == f"{site.url}/feed"
    assert "Stadtblatt (rss, 1 entry, newest " in spoken.out


def test_find_says_in_one_line_that_there_is_none(desk: Desk, site: Site) -> None:
    site.pages["/"] = Page(b"<html>nichts</html>")
    done = desk.call("feed", "find", site.url, DIGEST_FEED_ALLOW_PRIVATE="true")
    assert (done.code, done.out, len(done.err.splitlines())) == (1, "", 1)
    assert "no feed was found" in done.err
    done = desk.call("feed", "find", site.url, "--json")
    assert (done.code, done.out, len(done.err.splitlines())) == (1, "", 1)
    assert "DIGEST_FEED_ALLOW_PRIVATE" in done.err


# --------------------------------------------------------------- lists


def test_import_adds_what_is_new_and_says_what_became_of_each(desk: Desk) -> None:
    desk.set_up("https://da.example/feed")
    (desk.folder / "list.opml").write_text(OPML, encoding="utf-8")
    before = toml(desk)
    dry = desk.call("feed", "import", "list.opml", "--dry-run", "--json")
    assert (dry.code, toml(desk)) == (0, before)
    done = desk.call("feed", "import", "list.opml", "--json")
    assert done.json["rows"] == dry.json["rows"]
    assert [(each["action"], each["section"]) for each in done.json["rows"]] == [
        ("add", "Stellen [b]"),
        ("skip", None),
        ("skip", None),
        ("reject", None),
    ]
    assert [each["reason"] for each in done.json["rows"]] == [
        None,
        "is there already as https://da.example/feed",
        "stands in this list twice",
        "is not an http or https address",
    ]
    assert [done.json[name] for name in ("added", "skipped", "rejected")] == [1, 2, 1]
    (newsletter,) = tomllib.loads(toml(desk))["newsletter"]
    assert newsletter["feeds"] == [
        "https://da.example/feed",
        {"url": "https://jobs.example/feed", "section": "Stellen [b]"},
    ]
    again = desk.call("feed", "import", "list.opml")
    assert again.code == 0
    assert "Stellen [b]" in again.out
    assert "0 added, 3 skipped, 1 rejected" in again.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        (b"<html/>", "not an OPML document"),
        (b"<opml><body/></opml>", "lists no feed"),
        (b'<!DOCTYPE o [<!ENTITY x SYSTEM "/etc/passwd">]><opml>&x;</opml>', "entities"),
    ],
)
def test_import_refuses_in_one_line(desk: Desk, content: bytes | None, said: str) -> None:
    desk.set_up("https://da.example/feed")
    before = toml(desk)
    if content is not None:
        (desk.folder / "list.opml").write_bytes(content)
    done = desk.call("feed", "import", "list.opml", "--json")
    assert (done.code, done.out, len(done.err.splitlines())) == (1, "", 1)
    assert said in done.err
    assert toml(desk) == before


def test_several_newsletters_have_to_be_named(desk: Desk) -> None:
    desk.set_up("https://da.example/feed")
    two = toml(desk) + newsletters("https://b.example/feed").replace('"stadtblatt"', '"zwei"')
    (desk.folder / "newsletters.toml").write_text(two, encoding="utf-8")
    (desk.folder / "list.opml").write_text(OPML, encoding="utf-8")
    for command in (("import", "list.opml"), ("export",)):
        done = desk.call("feed", *command)
        assert (done.code, "say --newsletter" in done.err) == (2, True)
        done = desk.call("feed", *command, "--newsletter=drei")
        assert (done.code, "there is no newsletter 'drei'" in done.err) == (2, True)
    assert desk.call("feed", "import", "list.opml", "--newsletter=zwei").code == 0
    first, second = tomllib.loads(toml(desk))["newsletter"]
    assert (len(first["feeds"]), len(second["feeds"])) == (1, 3)


def test_what_is_exported_can_be_imported(desk: Desk, site: Site) -> None:
    url = site.feed("/feed?a=1&b=2", *recent("Eins"))
    desk.set_up(url)
    (desk.folder / "list.opml").write_text(OPML, encoding="utf-8")
    assert desk.call("gather").code == 0
    assert desk.call("feed", "import", "list.opml").code == 0
    done = desk.call("feed", "export")
    assert (done.code, done.err) == (0, "")
    assert 'text="Stadtblatt"' in done.out
    assert desk.call("feed", "export", "--out", "out.opml").code == 0
    assert (desk.folder / "out.opml").read_text(encoding="utf-8").count("<outline") == 4
    before = toml(desk)
    rows = desk.call("feed", "import", "out.opml", "--json").json["rows"]
    assert {(each["action"], each["reason"]) for each in rows} == {("skip", "is there already")}
    assert toml(desk) == before
    desk.set_up("https://other.example/feed")
    rows = desk.call("feed", "import", "out.opml", "--json").json["rows"]
    # those in no folder stand together
    assert [(each["url"], each["section"], each["action"]) for each in rows] == [
        (url, None, "add"),
        ("http://DA.example/feed/", None, "add"),
        ("https://jobs.example/feed", "Stellen [b]", "add"),
    ]
    assert desk.call("feed", "export", "--out", "/no/folder/out.opml").code == 1


# --------------------------------------------------------------- trouble


def change(desk: Desk, statement: str, *values: Any) -> None:
    with sqlite3.connect(desk.folder / "digest.db") as database:
        database.execute(statement, values)
    database.close()


def test_who_gathers_by_cron_is_told_of_trouble_too(desk: Desk, site: Site, relay: Relay) -> None:
    site.pages["/feed"] = Page(status=500)
    desk.set_up(site.url + "/feed", smtp_port=relay.port, operator="chef@stadtblatt.example")
    desk.call("gather")
    change(desk, "UPDATE feeds SET failures = 7, failing_since = '2026-01-01 00:00:00.000000'")
    assert desk.call("gather", "--all", "--json").err == ""
    assert desk.call("send", "--json").code == 1  # the one feed cannot be read
    assert relay.got == ["chef@stadtblatt.example"]
    assert "HTTP 500" in relay.mails[0].text


def test_send_tells_of_trouble_too(desk: Desk, site: Site, relay: Relay) -> None:
    site.feed("/feed", *recent("Eins"))
    bad = site.url + "/bad"
    desk.set_up(site.url + "/feed", bad, smtp_port=relay.port, operator="chef@stadtblatt.example")
    desk.call("gather")
    statement = "UPDATE feeds SET failures = 7, failing_since = ? WHERE url = ?"
    change(desk, statement, "2026-01-01 00:00:00.000000", bad)
    assert desk.call("send", "--dry-run").code == 0
    assert relay.got == []
    assert desk.call("send").code == 0
    assert relay.got == ["chef@stadtblatt.example"]


def test_status_says_how_each_feed_stands(desk: Desk, site: Site) -> None:
    urls = [site.feed(f"/{n}", *recent(f"Eins {n}")) for n in range(5)]
    desk.set_up(*urls, "https://never.example/feed")
    desk.call("gather")
    at = "2026-11-20 08:00:00.000000"
    change(desk, "UPDATE feeds SET failures=3, failing_since=?, error='[b]' WHERE id=1", at)
    change(desk, "UPDATE feeds SET retired_at=?, error='HTTP 410' WHERE id=2", at)
    change(desk, "INSERT INTO floods (feed_id, began_at, articles, usual) VALUES (3, ?, 63, 2)", at)
    change(desk, "UPDATE feeds SET moved_to='https://neu.example/feed' WHERE id=4")
    tally = "INSERT INTO tallies (feed_id, since, at, published, held, how) VALUES (?,?,?,63,63,?)"
    change(desk, tally, 5, at, at, "wordpress")
    change(desk, tally, 4, at, at, "")
    known = {each["url"]: each for each in desk.call("status", "--json").json["feeds"]}
    feeds = [known[each] for each in sorted(urls)]
    states = {each["url"]: each["state"] for each in feeds}
    assert sorted(states.values()) == ["failing", "held", "moved", "retired", "well"]
    assert known["https://never.example/feed"]["state"] in {"well", "failing"}
    (held,) = (each["held"] for each in feeds if each["held"])
    assert held["articles"] == 63
    assert held["to_do"].startswith("digest feed release http")
    (tallied,) = (each["tally"] for each in feeds if each["tally"] and each["tally"]["known_by"])
    assert (tallied["published"], tallied["held"]) == (63, 63)
    spoken = desk.call("status").out
    for words in (
        "failing since 2026-11-20 08:00: [b]",
        "gone for good since 2026-11-20 08:00",
        "63 articles held since 2026-11-20 08:00: `digest feed release http",
        "moved to https://neu.example/feed",
        "site published 63, we hold 63 since 2026-11-20 08:00 (known by wordpress)",
        "last new article ",
    ):
        assert words in spoken


def test_long_addresses_do_not_break_the_table(desk: Desk) -> None:
    url = "https://blatt.example/" + "very/" * 60 + "feed?x=[b]&y=1"
    desk.set_up(url)
    (feed,) = desk.call("status", "--json").json["feeds"]
    assert feed["url"] == url
    feed["error"], feed["state"], feed["failing_since_utc"] = "e" * 300, "failing", feed["url"][:16]
    out = io.StringIO()
    console = Console(width=80, file=out)
    console.print(feeds_table([feed]), markup=False)
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    first = "".join(line.split("│")[1].strip() for line in lines if line.startswith("│"))
    assert first == url
