"""In a browser: an editor works on a telephone, without JavaScript and by keyboard."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import browsing
import uvicorn
from web_visit import STADTBLATT, Visit, visit

from digest.jobs.proof import draw
from digest.jobs.publish import publish_due
from digest.model.article import NewArticle
from digest.model.policy import Approval
from digest.model.proof import Proof, ProofState
from digest.store import articles, feeds, proofs

pytestmark = browsing.MARKS

EDITED = replace(
    STADTBLATT,
    schedules=STADTBLATT.schedules[:1],
    limit=3,
    approval=Approval(before=timedelta(minutes=45), editors=("chef@stadtblatt.example",)),
)
TITLES = ("Eins", "Zwei", "Drei", "W" * 200)


async def show(web: Visit) -> Proof:
    """The draft of these articles."""
    await publish_due(web.world, EDITED)
    url = EDITED.feeds[0].url
    found = [
        NewArticle(
            key=title,
            link_key=None,
            url=f"https://stadtblatt.example/{place}",
            title=title,
            excerpt="Mehr.",
            image=None,
            author=None,
            categories=(),
            published_at=web.clock() - timedelta(minutes=place),
            words=100,
        )
        for place, title in enumerate(TITLES)
    ]
    async with web.world.store.write() as connection:
        await feeds.know(connection, [url], now=web.clock())
        known = (await feeds.find(connection, [url], due_at=None))[0]
        await articles.keep(connection, known.id, found, now=web.clock())
    web.clock.at = datetime(2026, 11, 24, 5, 15, tzinfo=UTC)
    (proof,) = await draw(web.world, EDITED)
    return proof


async def test_an_editor_works_on_a_telephone_without_scripts(tmp_path: Path) -> None:
    door = socket.create_server(("127.0.0.1", 0))
    home = f"http://127.0.0.1:{door.getsockname()[1]}"
    async with visit(tmp_path, EDITED, public_url=home) as web, browsing.browser() as browser:
        proof = await show(web)
        server = uvicorn.Server(
            uvicorn.Config(web.web, log_level="warning", lifespan="off", ws="none")
        )
        running = asyncio.create_task(server.serve(sockets=[door]))
        context = await browser.new_context(
            java_script_enabled=False, locale="en-GB", viewport={"width": 375, "height": 700}
        )
        page = await context.new_page()
        await page.goto(f"{home}/desk/proof/{web.world.signer.proof_token(proof.ref)}?lang=en")
        second = page.locator("li", has_text="Zwei")
        async with page.expect_navigation():
            await second.get_by_role("button", name="Up").press("Enter")
        assert page.url.endswith("#s2")
        assert await page.locator("ol.proof li").first.locator("a").inner_text() == "Zwei"
        await second.get_by_text("Title and place").click()
        await second.get_by_label("Title; empty: its own").fill("Zwei und mehr")
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        assert await page.get_by_text("Zwei und mehr").first.is_visible()
        await page.get_by_label("Text above the news").fill("Guten Morgen\nliebe Leser")
        async with page.expect_navigation():
            await page.get_by_role("button", name="Save the text").click()
        assert await page.get_by_label("Text above the news").input_value() == (
            "Guten Morgen\nliebe Leser"
        )
        async with page.expect_navigation():
            await page.get_by_role("button", name="Hold it").click()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 375
        async with web.world.store.read() as connection:
            kept = await proofs.by_ref(connection, proof.ref)
        assert kept is not None
        assert (kept.state, kept.lead) == (ProofState.HELD, "Guten Morgen\nliebe Leser")
        server.should_exit = True
        await running
    door.close()
