"""`digest proof` lists the drafts that wait, with their links."""

from __future__ import annotations

import asyncio
from contextlib import chdir
from pathlib import Path

from loopback import Relay, Site, recent
from shell import Desk

from digest.app import open_app
from digest.jobs.proof import draw
from digest.jobs.publish import publish_due
from digest.settings import read_settings

EDITORS = 'approval = "12h"\neditors = ["chef@example.org"]\nsilence = "hold"\n'


async def _draw() -> None:
    async with open_app(read_settings()) as world:
        await publish_due(world, world.newsletters[0])  # the rhythm begins
        await draw(world, world.newsletters[0])


def test_drafts_that_wait_are_listed_with_their_links(
    tmp_path: Path, site: Site, relay: Relay
) -> None:
    desk = Desk(tmp_path)
    desk.set_up(site.feed("/feed", *recent("Eins", "Zwei")), smtp_port=relay.port)
    path = tmp_path / "newsletters.toml"
    written = path.read_text(encoding="utf-8")
    # every hour: the next slot is never farther away than the editors' time
    schedules = '[newsletter.schedules]\ndaily = "0 * * * *"\n'
    head = written.partition("[newsletter.schedules]")[0]
    path.write_text(f"{head}{EDITORS}{schedules}", encoding="utf-8")
    assert desk.call("proof").complaint == "no draft waits for an editor"
    desk.call("gather", "--all")
    with chdir(tmp_path):
        asyncio.run(_draw())
    (found,) = desk.call("proof", "--json").json
    facts = {name: found[name] for name in ("schedule", "state", "goes_out_utc", "mailed")}
    assert facts == {"schedule": "daily", "state": "open", "goes_out_utc": None, "mailed": False}
    assert "/desk/proof/" in found["link"]
    told = desk.call("proof", "--newsletter", found["newsletter"])
    assert "waits for an editor, not mailed yet" in told.out
    assert found["link"] in told.out
    assert desk.call("proof", "--newsletter", "nirgends").code == 2
