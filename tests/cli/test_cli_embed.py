"""The form for other sites, as the command prints it."""

from __future__ import annotations

from pathlib import Path

import html5lib
import pytest
from shell import Desk, newsletters

TOPICS = """
[newsletter.topics.rathaus]
title = "Rathaus & Ämter"
words = ["Rathaus"]
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    one = Desk(tmp_path)
    one.set_up("https://stadtblatt.example/feed", public_url="https://post.example/")
    return one


def test_both_ways_are_printed_and_nothing_else_on_standard_output(desk: Desk) -> None:
    done = desk.run("embed")
    assert done.code == 0
    form, tag, rest = done.out.split("\n\n")
    assert (form[:12], tag[:12], rest) == ("<form method", "<script src=", "")
    assert "plain HTML" in done.err
    assert desk.call("embed", "--html").out == form + "\n"
    assert desk.call("embed", "--script").out == tag + "\n"
    assert desk.call("embed", "--html", "--script").out == done.out
    assert desk.call("embed", "--html").err == ""


def test_the_form_leads_to_the_public_address_in_the_language_that_was_chosen(
    desk: Desk,
) -> None:
    found = desk.call("embed", "--language=en", "--json").json
    assert (found["newsletter"], found["language"]) == ("stadtblatt", "en")
    assert 'action="https://post.example/subscribe?lang=en"' in found["html"]
    assert "Your email address" in found["html"]
    assert 'src="https://post.example/embed/stadtblatt.js?lang=en"' in found["script"]
    assert 'href="https://post.example/stadtblatt?lang=en"' in found["script"]
    assert 'lang="de"' in desk.call("embed", "--html").out


def test_what_is_printed_is_html_without_fault(desk: Desk) -> None:
    toml = (desk.folder / "newsletters.toml").read_text(encoding="utf-8")
    (desk.folder / "newsletters.toml").write_text(toml + TOPICS, encoding="utf-8")
    out = desk.call("embed").out
    assert "Rathaus &amp; Ämter" in out
    html5lib.HTMLParser(strict=True).parse(
        f"<!doctype html><html lang=de><head><title>t</title></head><body>{out}</body></html>"
    )


def test_it_needs_neither_a_database_nor_a_secret(desk: Desk) -> None:
    assert (
        desk.call("embed", DIGEST_SECRET_KEY="", DIGEST_DATABASE_URL="postgresql://x/y").code == 0
    )
    assert not (desk.folder / "digest.db").exists()


def test_a_form_that_leads_to_an_unsafe_page_is_warned_of(desk: Desk) -> None:
    done = desk.call("embed", "--html", DIGEST_PUBLIC_URL="http://post.example")
    assert (done.code, "not https" in done.complaint) == (0, True)


def test_what_there_is_not_is_named(desk: Desk) -> None:
    for option, words in (("--language=fr", "we speak de, en"), ("--newsletter=x", "stadtblatt")):
        done = desk.call("embed", option)
        assert (done.code, done.out, words in done.complaint) == (2, "", True)
    two = newsletters("https://a.example/feed") + newsletters("https://b.example/feed").replace(
        '"stadtblatt"', '"landblatt"'
    )
    (desk.folder / "newsletters.toml").write_text(two, encoding="utf-8")
    done = desk.call("embed")
    assert (done.code, "stadtblatt, landblatt" in done.complaint) == (2, True)
    assert desk.call("embed", "--newsletter=landblatt", "--html").code == 0
