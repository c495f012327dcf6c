"""`digest backtest` with the real command: another policy on what was gathered and sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from loopback import Relay, Site, recent
from shell import Desk, newsletters

#: a slot each minute, so that one is over whenever the test runs
MINUTES = ('daily = "0 7 * * *"', 'daily = "0 * * * *"')


@pytest.fixture
def desk(tmp_path: Path, site: Site, relay: Relay, database_url: str) -> Desk:
    desk = Desk(tmp_path)
    feed = site.feed("/feed", *recent("Eins", "Zwei", "Drei"))
    desk.set_up(feed, smtp_port=relay.port, database_url=database_url)
    (tmp_path / "trial.toml").write_text(newsletters(feed, more="limit = 1"), encoding="utf-8")
    return desk
