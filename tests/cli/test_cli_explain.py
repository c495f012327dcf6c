"""`digest explain` with the real command: of what was sent, and of what would be."""

from __future__ import annotations

from pathlib import Path

import pytest
from loopback import Relay, Site, recent
from shell import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_an_article_is_explained_before_and_after_it_was_sent(
    desk: Desk, site: Site, relay: Relay
) -> None:
    desk.set_up(site.feed("/feed", *recent("Eins", "Zwei")), smtp_port=relay.port)
    desk.admit("anna")
    desk.call("gather", "--all")
    ahead = desk.call("explain", "1", "--json").json
    assert ahead["article"]["title"] in ("Eins", "Zwei")
    coming = ahead["editions"][0]
    assert (coming["edition"], coming["in"]) == (None, True)
    assert coming["score"]["total"] == pytest.approx(coming["score"]["freshness"])
    desk.call("send", "--json")
    said = desk.run("explain", ahead["article"]["url"])
    assert (said.code, said.err) == (0, "")
    assert "edition 1: in, at place" in said.out
    assert "freshness" in said.out
    assert "the next edition: out: told in edition 1" in said.out


def test_what_a_story_lost_for_want_of_room_is_said(
    desk: Desk, site: Site, relay: Relay, tmp_path: Path
) -> None:
    titles = [f"{n:03} " + "langes Wort " * 24 for n in range(190)]
    desk.set_up(site.feed("/feed", *recent(*titles)), smtp_port=relay.port)
    file = tmp_path / "newsletters.toml"
    file.write_text(
        file.read_text("utf-8").replace("[[newsletter]]", "[[newsletter]]\nlimit = 190")
    )
    desk.admit("anna")
    desk.call("gather", "--all")
    asked = ("1", "60", "190")
    ahead = {each: desk.call("explain", each, "--json").json["editions"][0] for each in asked}
    cuts = [each["cut"] for each in ahead.values() if each["cut"]]
    assert {each["to"] for each in cuts} == {"line", "dropped"}
    desk.call("send", "--json")
    for each, coming in ahead.items():
        past = desk.call("explain", each, "--edition", "1", "--json").json["editions"][0]
        assert past["cut"] == coming["cut"]
        said = desk.call("explain", each, "--edition", "1").out
        if coming["cut"] and coming["in"]:
            assert "cut: told by its title alone" in said
        elif coming["cut"]:
            assert "mail programs would have cut the mail" in said


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("https://example.org/nie",), "no such article"),
        (("1", "--edition", "9"), "there is no edition 9"),
    ],
)
def test_what_is_not_known_is_one_line(
    desk: Desk, site: Site, relay: Relay, asked: tuple[str, ...], says: str
) -> None:
    desk.set_up(site.feed("/feed", *recent("Eins")), smtp_port=relay.port)
    desk.call("gather", "--all")
    done = desk.run("explain", *asked)
    assert done.code != 0
    assert says in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert "Traceback" not in done.err
