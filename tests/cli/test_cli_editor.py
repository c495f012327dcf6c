"""`digest pin`, `refuse` and `retitle` with the real command: the next edition follows them."""

from __future__ import annotations

from pathlib import Path

import pytest
from loopback import Relay, Site, recent
from shell import Desk


@pytest.fixture
def desk(tmp_path: Path, site: Site, relay: Relay) -> Desk:
    one = Desk(tmp_path)
    one.set_up(site.feed("/feed", *recent("Eins", "Zwei", "Drei")), smtp_port=relay.port)
    one.call("gather", "--all")
    return one


def shown(desk: Desk) -> list[str]:
    """What an edition would tell now, in reading order."""
    return [each["title"] for each in desk.call("preview", "--json").json["articles"]]


def address(desk: Desk, title: str) -> str:
    found = desk.call("preview", "--json").json["articles"]
    return next(str(each["link"]) for each in found if each["title"] == title)


def test_a_pinned_article_stands_first_until_the_pin_is_off(desk: Desk) -> None:
    before = shown(desk)
    last = address(desk, before[-1])
    done = desk.call("pin", last)
    assert (done.code, done.complaint) == (0, f"stadtblatt: {before[-1]}: pinned to place 1")
    assert shown(desk) == [before[-1], *before[:-1]]
    off = desk.call("pin", last, "--off")
    assert off.complaint == f"stadtblatt: {before[-1]}: not pinned any more"
    assert shown(desk) == before


def test_a_refused_article_is_not_told_until_that_is_taken_back(desk: Desk) -> None:
    before = shown(desk)
    first = address(desk, before[0])
    done = desk.call("refuse", f"{first}?utm_source=mail")
    assert (done.code, done.complaint) == (0, f"stadtblatt: {before[0]}: refused")
    assert shown(desk) == before[1:]
    desk.call("refuse", first, "--off")
    assert shown(desk) == before


def test_an_article_gets_another_title(desk: Desk) -> None:
    before = shown(desk)
    first = address(desk, before[0])
    done = desk.call("retitle", first, " Ein  neuer\nTitel ")
    assert (done.code, done.complaint) == (0, f"stadtblatt: {before[0]}: told as “Ein neuer Titel”")
    assert shown(desk) == ["Ein neuer Titel", *before[1:]]
    assert desk.call("retitle", first, "--off").code == 0
    assert shown(desk) == before


def test_who_speaks_too_late_hears_so(desk: Desk) -> None:
    desk.admit("anna")
    desk.call("send", "--no-gather", "--json")
    done = desk.call("refuse", "1")
    assert done.code == 0
    assert done.err.splitlines()[1:] == [
        "edition 1 told it already, and stays as it was sent",
    ]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("pin", "https://site.example/nie"), "no such article is held"),
        (("refuse", "99999"), "no such article is held"),
        (("retitle", "1"), "say the new title, or --off"),
        (("retitle", "1", "Neu", "--off"), "say the new title, or --off"),
        (("retitle", "1", " \n "), "a title needs at least a letter"),
        (("pin", "1", "--newsletter", "nie"), "there is no newsletter 'nie'"),
    ],
)
def test_what_cannot_be_meant_is_one_line(desk: Desk, asked: tuple[str, ...], says: str) -> None:
    done = desk.call(*asked)
    assert done.code == 2
    assert says in done.complaint


def test_a_correction_goes_to_those_who_got_the_wrong_text(desk: Desk, relay: Relay) -> None:
    desk.admit("anna", "ben")
    desk.call("send", "--no-gather", "--json")
    desk.admit("carla")
    assert len(relay.mails) == 2
    nothing = desk.call("correct", "1", "1")
    assert nothing.code == 2
    assert "nothing of it changed since edition 1 told it" in nothing.complaint
    dry = desk.call("correct", "1", "1", "--note", "Es war anders.", "--dry-run")
    assert (dry.code, dry.complaint) == (
        0,
        "Dry run, nothing was sent. It would go to 2 readers.",
    )
    done = desk.call("correct", "1", "1", "--note", "Es war anders.", "--json").json
    assert (done["recipients"], done["corrected_before"], done["sent"]) == (2, 0, 2)
    assert (done["note"], done["edition"], done["article"]) == ("Es war anders.", 1, 1)
    assert len(relay.mails) == 4
    again = desk.call("correct", "1", "1")
    assert (again.code, again.complaint) == (
        0,
        "Corrected for 0 readers; 2 had it before; 0 sent.",
    )
    assert len(relay.mails) == 4


def test_a_correction_waits_where_the_relay_is_away(desk: Desk) -> None:
    desk.admit("anna")
    desk.call("send", "--no-gather", "--json")
    away = desk.call("correct", "1", "1", "--note", "Anders.", DIGEST_SMTP_PORT="9")
    assert away.code == 1
    assert "the corrections wait" in away.err
    assert desk.call("correct", "1", "1", "--json").json["sent"] == 1
