"""What the operator is told about a person is true."""

from __future__ import annotations

from pathlib import Path

import pytest
from loopback import Relay
from shell import Desk


@pytest.fixture
def desk(tmp_path: Path, relay: Relay) -> Desk:
    one = Desk(tmp_path)
    one.set_up("https://stadtblatt.example/feed", smtp_port=relay.port)
    return one


def test_a_confirm_mail_that_was_refused_is_not_on_its_way(desk: Desk, relay: Relay) -> None:
    relay.at_rcpt["weg@example.org"] = "550 5.1.1 nobody here"
    said = desk.call("subscribe", "weg@example.org").err
    assert "did not take the confirm mail" in said
    assert "on its way" in desk.call("subscribe", "da@example.org").err
    assert relay.got == ["da@example.org"]


def test_what_is_chosen_for_somebody_who_reads_it_already_is_kept(desk: Desk) -> None:
    desk.call("subscribe", "a@example.org", "--confirmed", "--language=en")
    desk.call(
        "subscribe",
        "a@example.org",
        "--confirmed",
        "--language=de",
        "--timezone=America/New_York",
        "--frequency=weekly",
    )
    shown = desk.call("subscribers", "show", "a@example.org", "--json").json
    (reads,) = shown["subscriptions"]
    assert (shown["language"], shown["timezone"], reads["frequency"]) == (
        "de",
        "America/New_York",
        "weekly",
    )


def test_a_topic_that_is_not_offered_is_refused_and_the_offered_ones_are_named(desk: Desk) -> None:
    done = desk.call("subscribe", "a@example.org", "--topic=ki")
    assert (done.code, "has no topic 'ki'; it has none" in done.complaint) == (2, True)
    with (desk.folder / "newsletters.toml").open("a") as file:
        file.write('\n[newsletter.topics.robots]\ntitle = "Robots"\nwords = ["robot*"]\n')
    done = desk.call("subscribe", "a@example.org", "--topic=ki")
    assert (done.code, "it has robots, other" in done.complaint) == (2, True)
    done = desk.call("subscribe", "a@example.org", "--topic=robots", "--confirmed")
    assert done.code == 0
    [found] = desk.call("subscribers", "list", "--json").json
    assert found["topics"] == ["robots"]
