"""Who asks to stop is heard, whatever the command waits for."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from loopback import Page, Relay, Site, recent, running
from shell import Desk

#: seconds that the site takes; who waits for it has not heard
SLOW = 8


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "command",
    [("gather",), ("send",), ("send", "--dry-run"), ("preview",), ("feed", "check", "FEED")],
    ids=" ".join,
)
def test_a_slow_site_keeps_nobody(
    tmp_path: Path, site: Site, command: tuple[str, ...], asked: signal.Signals
) -> None:
    desk = Desk(tmp_path)
    desk.set_up(f"{site.url}/feed", smtp_port=1)
    site.pages["/feed"] = Page(delay=SLOW)
    process = desk.start(*(site.url + "/feed" if word == "FEED" else word for word in command))
    while not site.asked:
        time.sleep(0.05)
    since = time.monotonic()
    process.send_signal(asked)
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - since < SLOW / 2
    assert (process.returncode in (1, 130), out) == (True, "")
    assert len(err.splitlines()) == 1
    assert "stopped" in err


def test_a_dry_run_sends_no_test_either(tmp_path: Path, site: Site) -> None:
    with running(Relay()) as relay:
        desk = Desk(tmp_path)
        desk.set_up(site.feed("/feed", *recent("Eins", "Zwei")), smtp_port=relay.port)
        said = desk.call("send", "--dry-run", "--to=chef@example.org", "--json").json
        assert (said["dry_run"], said["articles"], said["recipients"], said["sent"]) == (
            True,
            2,
            1,
            0,
        )
        assert relay.got == []


def test_a_dry_run_tells_that_no_feed_could_be_read(tmp_path: Path, site: Site) -> None:
    desk = Desk(tmp_path)
    desk.set_up(f"{site.url}/nothing", smtp_port=1)
    done = desk.call("send", "--dry-run", "--json")
    assert (done.code, done.json["articles"]) == (1, 0)
    assert "none of the feeds could be read" in done.complaint


def test_a_theme_that_is_not_there_is_told_before_anything_is_done(
    tmp_path: Path, site: Site
) -> None:
    desk = Desk(tmp_path)
    desk.set_up(site.feed("/feed", *recent("Eins")))
    paper = tmp_path / "newsletters.toml"
    paper.write_text(paper.read_text().replace("slug =", 'theme = "nope"\nslug ='))
    done = desk.call("status")
    assert (done.code, "editions/nope" in done.complaint) == (1, True)
