"""A correction goes to those who got the wrong text, once, and to nobody else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from jobs_world import (
    NOW,
    ONLY_DAILY,
    Act,
    Clock,
    Script,
    admit,
    bring,
    ledger,
    open_world,
    publish,
    reply,
    scripted,
)
from sqlalchemy import insert, select, update

from digest.errors import UsageError
from digest.jobs import leave
from digest.jobs.correct import Corrected, correct, correct_late
from digest.jobs.edit import retitle
from digest.jobs.send import deliver
from digest.jobs.world import World
from digest.model.delivery import Deferred, Uncertain
from digest.model.layout import Extra, Followed, Form, Place, Plan, PlanPart
from digest.model.newsletter import Topic
from digest.store import corrections, held, subscribers
from digest.store.choosing import corrections as table
from digest.store.choosing import selections
from digest.store.queue import Scope
from digest.store.tables import articles as rows
from digest.store.tables import deliveries, subscriptions, suppressions
from digest.subscribers.address import address_key

PAPER = replace(
    ONLY_DAILY,
    topics=(
        Topic(name="hafen", title="Hafen", words=("Kran",)),
        Topic(name="wahl", title="Wahl", words=("Wahl",)),
    ),
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(database_url: str, clock: Clock) -> AsyncIterator[World]:
    async with open_world(database_url, clock, PAPER) as one:
        yield one


async def id_of(world: World, title: str) -> int:
    async with world.store.read() as connection:
        query = select(rows.c.id).where(rows.c.key == title)
        return int((await connection.execute(query)).scalar_one())


async def edit(world: World, key: str, title: str, excerpt: str = "Mehr.") -> None:
    """Its publisher says something else from now on."""
    known, now = await id_of(world, key), world.clock()
    async with world.store.write() as connection:
        was = (await held.look(connection, [known], now=now))[known]
        right = replace(was.article, title=title, excerpt=excerpt)
        await held.revise(connection, [(was, right)], now=now)


async def send(world: World, script: Script | None = None, **acts: list[Act]) -> list[str]:
    """Deliver all that is due; who got something now."""
    if script is None:
        world, script = scripted(world, dict(acts))
    await deliver(world, Scope())
    return sorted(script.taken)


async def fix(world: World, edition: int, key: str = "Kran", **how: Any) -> Corrected:
    return await correct(world, edition, str(await id_of(world, key)), **how)


async def choose(world: World, name: str, choice: str) -> None:
    async with world.store.write() as connection:
        [found] = await subscribers.by_address(connection, address_key(f"{name}@example.org"))
        await connection.execute(
            update(subscriptions).where(subscriptions.c.id == found.id).values(choice=choice)
        )


async def corrected(world: World) -> list[str]:
    """Who has a row of a correction."""
    return sorted(each.name for each in await ledger(world) if each.notice == "correction")


# --------------------------------------------------------------- to whom


async def test_everybody_who_got_the_text_gets_the_correction_once(world: World) -> None:
    await admit(world, "anna", "ben")
    made = await publish(world, "Kran", "Wahl")
    await send(world)
    await admit(world, "carla")  # she never had the edition
    await edit(world, "Kran", "Kran fiel nicht")
    done = await fix(world, made.edition.id)
    assert (done.queued, done.before) == (2, 0)
    assert (done.correction.was, done.correction.title) == ("Kran", "Kran fiel nicht")
    assert await send(world) == ["anna", "ben"]
    again = await fix(world, made.edition.id)
    assert (again.queued, again.before) == (0, 2)
    assert await send(world) == []
    # another version is another correction
    await edit(world, "Kran", "Kran steht")
    assert (await fix(world, made.edition.id)).queued == 2


async def test_only_whose_selection_told_it_gets_the_correction(world: World) -> None:
    await admit(world, "anna", "ben", "carla")
    await choose(world, "ben", "hafen")
    await choose(world, "carla", "wahl")
    made = await publish(world, "Kran", "Wahl")
    await send(world)
    await edit(world, "Kran", "Kran fiel nicht")
    await fix(world, made.edition.id)
    assert await corrected(world) == ["anna", "ben"]


async def test_a_plan_says_what_a_selection_told(world: World) -> None:
    await admit(world, "ben", "carla")
    made = await publish(world, "Kran", "Wahl")
    kran = await id_of(world, "Kran")
    for choice, key in (("hafen", kran), ("wahl", await id_of(world, "Wahl"))):
        place = Place(article_id=key, form=Form.FULL)
        plan = Plan(
            subject="s",
            preheader="p",
            parts=(PlanPart(title=None, places=(place,)),),
            headlines=0,
        )
        async with world.store.write() as connection:
            await connection.execute(
                insert(selections).values(
                    edition_id=made.edition.id,
                    choice=choice,
                    subject="s",
                    preheader="p",
                    plan=json.loads(json.dumps(plan.as_json())),
                )
            )
    await _received(world, ben={"choice": "hafen"}, carla={"choice": "wahl"})
    await edit(world, "Kran", "Kran fiel nicht")
    await fix(world, made.edition.id)
    assert await corrected(world) == ["ben"]


async def test_what_one_reader_got_more_or_less_than_others_counts(world: World) -> None:
    await admit(world, "anna", "ben", "carla", "dora")
    made = await publish(world, "Kran", "Wahl")
    kran = await id_of(world, "Kran")
    followed = Followed(article_id=kran, ref="00", title="Kran")
    await _received(
        world,
        anna={"extra": Extra(omit=(kran,)).as_json()},
        ben={"choice": "nie", "extra": Extra(followed=(followed,)).as_json()},
        carla={"choice": "nie", "extra": Extra(meanwhile=(kran,)).as_json()},
        dora={"choice": "nie", "extra": Extra().as_json()},
    )
    await edit(world, "Kran", "Kran fiel nicht")
    await fix(world, made.edition.id)
    assert await corrected(world) == ["ben", "carla"]


async def _received(world: World, **who: dict[str, object]) -> None:
    """Their deliveries were like this, and were sent."""
    async with world.store.write() as connection:
        for name, values in who.items():
            [found] = await subscribers.by_address(connection, address_key(f"{name}@example.org"))
            await connection.execute(
                update(deliveries)
                .where(deliveries.c.subscription_id == found.id)
                .values(state="sent", **values)
            )


async def test_nobody_who_left_is_written_to_but_whoever_takes_a_break_is(world: World) -> None:
    await admit(world, "anna", "ben", "carla", "dora")
    made = await publish(world, "Kran")
    await send(world)
    await leave.leave_address(world, "ben@example.org", newsletter=None, door="cli")
    async with world.store.write() as connection:
        [carla] = await subscribers.by_address(connection, "carla@example.org")
        await connection.execute(
            insert(suppressions).values(
                address_hash=world.signer.suppression_hash("carla@example.org"),
                reason="complaint",
                at=NOW,
            )
        )
        [dora] = await subscribers.by_address(connection, "dora@example.org")
        await connection.execute(
            update(subscriptions)
            .where(subscriptions.c.id == dora.id)
            .values(paused_until=NOW.replace(year=2027))
        )
    assert carla.id != dora.id
    await edit(world, "Kran", "Kran fiel nicht")
    assert (await fix(world, made.edition.id)).queued == 2
    assert await send(world) == ["anna", "dora"]


async def test_who_leaves_between_correction_and_dot_gets_none(world: World) -> None:
    await admit(world, "anna")
    made = await publish(world, "Kran")
    await send(world)
    await edit(world, "Kran", "Kran fiel nicht")
    await fix(world, made.edition.id)
    await leave.leave_address(world, "anna@example.org", newsletter=None, door="cli")
    assert await send(world) == []


async def test_who_gets_the_edition_late_gets_the_correction_after_it(
    world: World, clock: Clock
) -> None:
    later: list[Act] = [Deferred(reply=reply("451 4.3.0 later"))]
    doubt: list[Act] = [Uncertain(reason="the line broke")]
    await admit(world, "anna", "ben", "carla")
    made = await publish(world, "Kran")
    await send(replace(world, uncertain="hold"), ben=later, carla=doubt)
    clock.forward(minutes=1)
    await edit(world, "Kran", "Kran fiel nicht")
    assert (await fix(world, made.edition.id)).queued == 2  # carla may have it
    assert await corrected(world) == ["anna", "carla"]
    assert await correct_late(world) == 0
    clock.forward(hours=1)
    await send(replace(world, uncertain="hold"))
    assert await correct_late(world) == 1
    assert await corrected(world) == ["anna", "ben", "carla"]
    assert await correct_late(world) == 0


async def test_who_moved_gets_it_at_his_new_address(world: World) -> None:
    await admit(world, "anna")
    made = await publish(world, "Kran")
    await send(world)
    await admit(world, "neu")
    async with world.store.write() as connection:
        [old] = await subscribers.by_address(connection, "anna@example.org")
        [new] = await subscribers.by_address(connection, "neu@example.org")
        await connection.execute(
            update(subscriptions)
            .where(subscriptions.c.id == old.id)
            .values(state="unsubscribed", moved_to=new.id)
        )
    await edit(world, "Kran", "Kran fiel nicht")
    await fix(world, made.edition.id)
    assert await corrected(world) == ["neu"]


# --------------------------------------------------------------- what


async def test_a_title_of_the_editors_is_what_was_told_or_what_is_right(
    world: World, clock: Clock
) -> None:
    await admit(world, "anna")
    await bring(world, "Kran", "Wahl")
    await retitle(world, str(await id_of(world, "Kran")), None, title="Kran gefallen")
    clock.forward(minutes=1)
    made = await publish(world)
    await send(world)
    clock.forward(hours=1)
    await edit(world, "Kran", "Kran fiel nicht")
    await retitle(world, str(await id_of(world, "Wahl")), None, title="Wahl verschoben")
    with pytest.raises(UsageError, match="nothing of it changed"):
        await _nothing_wrong(world, made.edition.id)
    wahl = await fix(world, made.edition.id, "Wahl")
    assert (wahl.correction.was, wahl.correction.title) == ("Wahl", "Wahl verschoben")
    kran = await fix(world, made.edition.id, note="Er steht.")
    assert (kran.correction.was, kran.correction.title) == ("Kran gefallen", "Kran gefallen")


async def _nothing_wrong(world: World, edition: int) -> None:
    await bring(world, "Anderes")
    await admit(world, "zoe")
    made = await publish(world)
    assert made.edition.id != edition
    await fix(world, made.edition.id, "Anderes")


async def test_a_dry_run_leaves_nothing_behind(world: World) -> None:
    await admit(world, "anna")
    made = await publish(world, "Kran")
    await send(world)
    await edit(world, "Kran", "Kran fiel nicht")
    assert (await fix(world, made.edition.id, dry_run=True)).queued == 1
    assert await corrected(world) == []
    async with world.store.read() as connection:
        assert (await connection.execute(select(table))).all() == []


async def test_what_cannot_be_corrected_is_said(world: World) -> None:
    await admit(world, "anna")
    made = await publish(world, "Kran")
    await send(world)
    await bring(world, "Neues")
    with pytest.raises(UsageError, match="there is no edition 99"):
        await fix(world, 99)
    with pytest.raises(UsageError, match="told nobody of"):
        await fix(world, made.edition.id, "Neues")
    with pytest.raises(UsageError, match="no such article is held"):
        await correct(world, made.edition.id, "99999")
    with pytest.raises(UsageError, match="nothing of it changed"):
        await fix(world, made.edition.id)
    await fix(world, made.edition.id, note="Es war anders.")
    with pytest.raises(UsageError, match="with other words"):
        await fix(world, made.edition.id, note="Es war ganz anders.")


async def test_the_mail_says_what_was_and_what_is_right(world: World) -> None:
    await admit(world, "anna")
    made = await publish(world, "Kran")
    await send(world)
    await edit(world, "Kran", "Kran <fiel> nicht", excerpt="Er stand immer.")
    await fix(world, made.edition.id, note="Wir hatten uns verhört.")
    world, script = scripted(world)
    mails: list[bytes] = []
    taken = script.send

    async def keep(message: Any, intend: Any) -> Any:
        mails.append(message.data)
        return await taken(message, intend)

    script.send = keep  # type: ignore[method-assign] # the bytes are looked at
    await deliver(world, Scope())
    [mail] = mails
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in mail
    # a correction that is corrected stays as it was
    async with world.store.read() as connection:
        [one] = await corrections.made_since(connection, NOW)
        was = await corrections.said(connection, one.article_id, version=1)
    assert was is not None
    assert (was.title, was.excerpt) == ("Kran", "Mehr.")
