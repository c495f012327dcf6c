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
