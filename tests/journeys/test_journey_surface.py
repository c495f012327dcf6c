"""The whole HTTP surface: described as it is, and whatever one sends, never a fault of ours."""

from __future__ import annotations

import asyncio
import json
import threading
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import schemathesis
from fastapi import FastAPI
from loopback import Page, Relay, Site
from reader_house import NEIGHBOUR, SLUG, House, hidden_fields, open_house
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import from_schema
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished
from sqlalchemy import select
from starlette.routing import Route

from digest.jobs import join
from digest.jobs.preview import preview_link
from digest.messages.pictures import served_name
from digest.model.edition import Draft, Slot
from digest.model.picture import Redrawn
from digest.model.policy import Approval
from digest.store import feeds, pictures, proofs, pushes
from digest.store.choosing import follows
from digest.web.openapi import ACTS, describe
from digest.web.openapi_desk import DESK_ACTS
from digest.web.pictures import picture_path

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


def routes_of(web: FastAPI) -> set[tuple[str, str]]:
    """What is answered: HEAD is wherever GET is."""
    routes = [each for each in web.routes if isinstance(each, Route)]
    assert len(routes) == len(web.routes), "something is mounted that nobody describes"
    return {
        (each.path, method)
        for each in routes
        for method in (each.methods or ())
        if method in METHODS
    }


def described(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {(path, name.upper()) for path, item in document["paths"].items() for name in item}


async def test_every_route_is_described_and_nothing_else(
    tmp_path: Path, site: Site, relay: Relay
) -> None:
    async with open_house(tmp_path, site, relay) as house:
        answer = await house.client.get("/openapi.json")
        assert answer.headers["content-type"] == "application/json"
        assert described(answer.json()) == routes_of(house.web)
        assert answer.json() == describe(house.home)
        assert answer.json()["openapi"] == "3.1.0"


# --------------------------------------------------------------- whatever one sends

#: a picture of one pixel
PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(60)
#: how the provider that has the simplest signature signs
KEYED = {"Authorization": "Basic " + b64encode(b"x:a secret of a provider").decode()}
#: questions of chance for each operation, after those that are asked of every kind of value
QUESTIONS = 6

#: the same questions in every run
CONFIG = {
    "seed": 4,
    "generation": {"max-examples": QUESTIONS, "deterministic": True, "mode": "all"},
    "phases": {
        "coverage": {"unexpected-methods": ["PUT", "OPTIONS"]},
        "stateful": {"enabled": False},
    },
    "checks": {
        # a page for people takes what it understands, and a form that makes no sense is a default
        "negative_data_rejection": {"enabled": False},
        "positive_data_acceptance": {"enabled": False},
        "missing_required_header": {"enabled": False},
        "ensure_resource_availability": {"enabled": False},
        "use_after_free": {"enabled": False},
    },
}

Things = dict[str, list[str]]


@contextmanager
def house_in_a_thread(folder: Path, site: Site, relay: Relay) -> Iterator[tuple[House, Things]]:
    """A service with readers, and by name what there is to be asked for."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    opening = open_house(folder, site, relay, hook_postmark="x:a secret of a provider")

    async def begin() -> tuple[House, Things]:
        house = await opening.__aenter__()
        return house, await fill(house)

    async def end() -> None:
        await opening.__aexit__(None, None, None)

    try:
        yield asyncio.run_coroutine_threadsafe(begin(), loop).result(60)
        asyncio.run_coroutine_threadsafe(end(), loop).result(20)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def fill(house: House) -> Things:
    """Readers, an edition and a picture, and all that one can choose."""
    house.web.state.beat = 0.001  # else most of the time goes by with waiting
    asked = (await house.sign_up("dora@example.org")).link("confirm")
    names = ["anna", "ben", "carl"]
    for name in names:
        await join.admit(
            house.world,
            address=f"{name}@example.org",
            newsletter=house.newsletter,
            door="cli",
            detail="a test",
        )
    await house.publish("Turnier im Hafen", "Rathaus wird gestrichen")
    for name in ("emil", "fritz"):
        form = hidden_fields((await house.client.get(f"/follow?newsletter={SLUG}&article=1")).text)
        house.clock.forward(seconds=30)
        await house.client.post("/follow", data={**form, "email": f"{name}@example.org"})
    await house.deliver()
    followed = [house.relay.to(f"{n}@example.org")[-1].link("confirm") for n in ("emil", "fritz")]
    assert (await house.client.post(followed[1])).status_code == 200
    mails = [house.relay.to(f"{name}@example.org")[-1] for name in names]
    house.site.pages["/bild.png"] = Page(PIXEL, headers={"Content-Type": "image/png"})
    picture = picture_path(house.world, f"{house.site.url}/bild.png")
    assert picture is not None
    served = await hold_picture(house)
    topic, callback = house.newsletter.feeds[0].url, "A" * 43
    async with house.world.store.write() as connection:
        (feed,) = await feeds.find(connection, [topic])
        await pushes.add(
            connection,
            feed.id,
            hub="https://hub.example/",
            topic=topic,
            token=callback,
            secret="a secret of a hub",
            now=house.clock(),
            again_at=house.clock(),
        )
        query = select(follows.c.ref).order_by(follows.c.id.desc())
        ref = (await connection.execute(query)).scalars().first()
    assert ref is not None
    stop = house.world.signer.stop_token(ref)
    draft = await show_editors(house)
    house.clock.pace = timedelta(minutes=1)  # so that we are no crowd at the door, but for a while
    return {
        "/unsubscribe/": [_token(mail.link("unsubscribe")) for mail in mails],
        "/preferences/": [_token(mail.link("preferences")) for mail in mails],
        "/confirm/": [_token(asked)],
        "/desk/proof/": [draft],
        "/preview/": [_token(preview_link(house.world, house.newsletter))],
        "theme": ["plain", "no-such"],
        "reader": ["anna@example.org", "nobody@example.org"],
        "/desk/proof/do": DESK_ACTS.split(),
        "article": ["1", "999"],
        "place": ["1", "-1"],
        "/websub/": [callback],
        "/follow/confirm/": [_token(each) for each in followed],
        "/follow/stop/": [stop],
        "hub.mode": ["subscribe", "unsubscribe", "denied"],
        "hub.topic": [topic, "https://elsewhere.example/"],
        "name": [_token(picture)],
        "picture": [served],
        "newsletter": [SLUG],
        "edition": ["1"],
        # one who is erased answers nothing any more
        "do": [each for each in ACTS.split() if each != "erase"],
        "topic": ["rathaus", "sport", "other"],
        "frequency": ["daily", "weekly"],
        "email": [f"{number}@example.org" for number in range(3)],
        "weeks": ["2", "3"],
        "until": ["2026-12-24", "heute"],
        "month": ["2026-11", "2026-13"],
        "hour": ["", "7", "24"],
        "language": ["de", "xx"],
        "timezone": ["", "America/New_York", "Nirgends"],
        "address": ["neu@example.org", "nirgends"],
        "provider": ["postmark", "ses"],
        "website": [""],
    }


async def hold_picture(house: House) -> str:
    """The name of a picture that we serve."""
    url = f"{house.site.url}/bild.jpg"
    async with house.world.store.write() as connection:
        made = Redrawn(data=b"\xff\xd8\xff", width=1, height=1)
        await pictures.keep(connection, url, made, now=house.clock())
        held = (await pictures.find(connection, [url]))[url]
    name = served_name(held.digest, partial(house.world.signer.mark, "served"))
    return name.removesuffix(".jpg")


async def show_editors(house: House) -> str:
    """The link to a draft that waits for them."""
    approval = Approval(before=timedelta(minutes=45), editors=("chef@example.org",))
    first, *others = house.world.newsletters
    house.web.state.world = replace(
        house.world, newsletters=(replace(first, approval=approval), *others)
    )
    async with house.world.store.write() as connection:
        proof = await proofs.add(
            connection,
            Slot(newsletter=SLUG, schedule="daily", at=house.clock() + timedelta(days=400)),
            draft=Draft(sections=(), left_out=(), subject="", preheader=""),
            ref=bytes(12),
            now=house.clock(),
        )
    return house.world.signer.proof_token(proof.ref)


def _token(url: str) -> str:
    return url.rpartition("/")[2]


def aimed(document: dict[str, Any], things: Things) -> dict[str, Any]:
    """The description, with what there is in place of all that there could be.

    What is generated against it is still all there could be.
    """
    told: dict[str, Any] = json.loads(json.dumps(document))
    for path, item in told["paths"].items():
        for operation in item.values():
            for each in operation["parameters"]:
                kind = next((name for name in things if path.startswith(name)), "")
                true = things.get(kind if each["name"] == "token" else each["name"])
                each["schema"] = {"enum": true} if true else each["schema"]
            for body in operation.get("requestBody", {}).get("content", {}).values():
                fields = body["schema"].get("properties", {})
                place = path.partition("{")[0]
                for name in fields:
                    true = things.get(f"{place}{name}", things.get(name))
                    if true is not None:
                        fields[name].get("items", fields[name])["enum"] = true
                    # what nothing happens without
                    body["schema"]["required"] = sorted(
                        fields.keys() & {"newsletter", "email", "article"}
                    )
    return told


def test_nothing_one_can_send_is_a_fault_of_ours_or_answered_otherwise_than_described(
    tmp_path: Path, site: Site, relay: Relay
) -> None:
    answered: dict[str, set[int]] = defaultdict(set)
    faults: set[str] = set()
    with house_in_a_thread(tmp_path, site, relay) as (house, things):
        schema = schemathesis.openapi.from_dict(
            aimed(describe(house.home), things), config=SchemathesisConfig.from_dict(CONFIG)
        )
        schema.config.update(base_url=house.home, headers=KEYED | NEIGHBOUR)
        for event in from_schema(schema).execute():
            assert not isinstance(event, NonFatalError | FatalError), event
            if isinstance(event, ScenarioFinished):
                for case, exchange in event.recorder.interactions.items():
                    assert exchange.response is not None, exchange
                    answered[event.recorder.label].add(exchange.response.status_code)
                    for check in event.recorder.checks.get(case, []):
                        if check.failure_info is not None:
                            asked = event.recorder.cases[case].value.as_curl_command()
                            faults.add(f"{check.failure_info.failure}: {asked}")
    assert sorted(faults) == []
    silent = {name for name, seen in answered.items() if not seen & {200, 202, 204}}
    assert silent == set(), answered
    assert len(answered) == len(described(describe("")))
    # what was asked went to the depth, and not only to the door
    assert {200, 404, 422} <= answered["POST /preferences/{token}"]
    assert {200, 422, 429} <= answered["POST /subscribe"]
    assert {200, 404, 422} <= answered["POST /desk/proof/{token}"]
    assert {200, 404, 422} <= answered["POST /preview/{token}"]
