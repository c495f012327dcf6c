"""`digest preview` with the real command: the page beside the mail, the checks, and the link."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest
from loopback import Relay, Site, recent
from shell import Desk

from digest.messages.render import builtin_templates


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def ready(desk: Desk, site: Site, relay: Relay) -> Desk:
    desk.set_up(site.feed("/feed", *recent("Eins & Zwei", "Drei")), smtp_port=relay.port)
    desk.admit("anna")
    return desk


def own_theme(folder: Path, old: str, new: str) -> None:
    """A theme beside the newsletter's, with one thing changed."""
    mine = folder / "templates" / "editions" / "eigen"
    mine.mkdir(parents=True)
    for each in (builtin_templates() / "editions" / "plain").iterdir():
        (mine / each.name).write_text(each.read_text("utf-8").replace(old, new), "utf-8")


def test_the_checks_stand_in_the_document_and_beside_the_mail(ready: Desk, tmp_path: Path) -> None:
    done = ready.call("preview", "--out", "out", "--json")
    assert done.code == 0
    levels = {each["level"] for each in done.json["checks"]}
    assert "error" not in levels
    assert any("octets" in each["what"] for each in done.json["checks"])
    page = (tmp_path / "out" / "preview.html").read_text("utf-8")
    assert "Oktette" in page
    assert page.count("srcdoc=") == 4
    assert "Eins &amp;amp; Zwei" in page
    # the other files are what they were
    stored = json.loads((tmp_path / "out" / "edition.json").read_text("utf-8"))
    assert "checks" not in stored
    assert stored["subject"] == done.json["subject"]


def test_the_page_of_a_reader_has_none_of_his_links(ready: Desk, tmp_path: Path) -> None:
    assert ready.call("preview", "--out", "out", "--as", "anna@example.org").code == 0
    mail = (tmp_path / "out" / "edition.html").read_text("utf-8")
    page = unescape((tmp_path / "out" / "preview.html").read_text("utf-8"))
    token = r"/(?:unsubscribe|preferences)/([\w-]{38})"
    hers, shown = set(re.findall(token, mail)), set(re.findall(token, page))
    assert hers
    assert shown
    assert not hers & shown
    assert "anna@example.org" in page


def test_the_page_needs_nothing_else_and_runs_nothing(ready: Desk, tmp_path: Path) -> None:
    ready.call("preview", "--out", "out")
    page = (tmp_path / "out" / "preview.html").read_text("utf-8")
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "<form" not in page
    assert not re.search(r'<(?:link|img|a)\b[^>]*(?:src|href)="(?!#)', page)


def test_strict_fails_where_a_check_finds_an_error(ready: Desk, tmp_path: Path) -> None:
    assert ready.call("preview", "--strict").code == 0
    own_theme(tmp_path, "color: {{ look.light.ink }}", "color: #dddddd")
    with (tmp_path / ".env").open("a") as settings:
        settings.write(f"\nDIGEST_TEMPLATES_DIR={tmp_path / 'templates'}\n")
    plain = ready.call("preview", "--strict", "--theme", "plain")
    pale = ready.call("preview", "--strict", "--theme", "eigen")
    lenient = ready.call("preview", "--theme", "eigen")
    assert (plain.code, pale.code, lenient.code) == (0, 1, 0)
    assert "#dddddd on #ffffff" in pale.err


def test_a_theme_that_there_is_not_is_one_line(ready: Desk) -> None:
    done = ready.call("preview", "--theme", "../notices")
    assert (done.code, done.out) == (2, "")
    assert "there is no such theme; there are" in done.complaint
    assert "plain" in done.complaint


def test_a_link_to_the_page_is_printed(ready: Desk) -> None:
    done = ready.call("preview", "--web")
    assert done.code == 0
    assert re.fullmatch(r"https?://[^ ]+/preview/[\w-]{38}\n", done.out)
