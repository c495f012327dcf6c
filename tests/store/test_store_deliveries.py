"""The ledger's promises, on both databases."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from digest.model.delivery import DeliveryState
from digest.store import books, deliveries, queue, subscribers, suppressions, workers
from digest.store.engine import Connection, Store
from digest.store.queue import Scope
from digest.store.tables import deliveries as rows
from digest.store.tables import editions

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
EVERYTHING = Scope()


async def _edition(connection: Connection, number: int = 1) -> int:
    statement = insert(editions).values(
        newsletter="news",
        schedule="daily",
        number=number,
        made_at=NOW,
        language="de",
        nonce="0" * 32,
        subject="s",
        preheader="p",
        html="h",
        text="t",
    )
    return int((await connection.execute(statement.returning(editions.c.id))).scalar_one())


async def _reader(
    connection: Connection, name: str, *, frequency: str = "daily", active: bool = True
) -> int:
    person = await subscribers.meet(
        connection,
        address=f"{name}@example.org",
        key=f"{name}@example.org",
        address_hash=f"hash-{name}",
        language="de",
        timezone=None,
        now=NOW,
    )
    subscription = await subscribers.add_subscription(
        connection,
        ref=name.encode().ljust(12, b"."),
        subscriber_id=person,
        newsletter="news",
        frequency=frequency,
        topics=(),
        request_nonce=b"n" * 16,
        now=NOW,
    )
    if active:
        await subscribers.activate(connection, subscription, now=NOW)
    return subscription


async def _fan_out(connection: Connection, edition: int, **kwargs: object) -> int:
    arguments = {"frequencies": ["daily"], "other_than": (), **kwargs}
    return await deliveries.fan_out(
        connection,
        edition_id=edition,
        newsletter="news",
        now=NOW,
        **arguments,  # type: ignore[arg-type] # a dict of both
    )


async def _claim(
    store: Store, owner: str = "w", *, limit: int = 100, now: datetime = NOW
) -> list[int]:
    async with store.write() as connection:
        claims = await queue.claim(
            connection, owner=owner, scope=EVERYTHING, resend_uncertain=True, limit=limit, now=now
        )
    return [each.id for each in claims]


async def _states(store: Store) -> list[str]:
    async with store.read() as connection:
        return list((await connection.execute(select(rows.c.state).order_by(rows.c.id))).scalars())


async def _prepared(store: Store, *names: str) -> list[int]:
    """An edition fanned out to these readers, all rows claimed by "w"; the rows' ids."""
    async with store.write() as connection:
        for name in names:
            await _reader(connection, name)
        await _fan_out(connection, await _edition(connection))
        await workers.enlist(connection, owner="w", machine="m", process="1-1", now=NOW)
    return await _claim(store)


async def test_an_edition_goes_to_active_readers_of_its_rhythm_once(store: Store) -> None:
    async with store.write() as connection:
        for name in ("a", "b"):
            await _reader(connection, name)
        await _reader(connection, "pending", active=False)
        await _reader(connection, "weekly", frequency="weekly")
        left = await _reader(connection, "left")
        await subscribers.leave(connection, left, now=NOW)
        await _reader(connection, "closed")
        await suppressions.suppress(connection, "hash-closed", reason="asked", now=NOW)
        edition = await _edition(connection)
        counts = [await _fan_out(connection, edition), await _fan_out(connection, edition)]
    assert counts == [2, 0]


async def test_a_rhythm_that_was_taken_away_leaves_nobody_without_mail(store: Store) -> None:
    async with store.write() as connection:
        await _reader(connection, "a", frequency="hourly")
        await _reader(connection, "b", frequency="weekly")
        edition = await _edition(connection)
        assert await _fan_out(connection, edition, other_than=["daily", "weekly"]) == 1


async def test_one_row_for_a_person_and_an_edition(store: Store) -> None:
    ids = await _prepared(store, "a")
    async with store.read() as connection:
        row = (await connection.execute(select(rows).where(rows.c.id == ids[0]))).one()
    with pytest.raises(IntegrityError):
        async with store.write() as connection:
            await connection.execute(
                insert(rows).values(
                    edition_id=row.edition_id,
                    subscription_id=row.subscription_id,
                    state="queued",
                    due_at=NOW,
                    created_at=NOW,
                    updated_at=NOW,
                )
            )


async def test_two_workers_never_hold_the_same_row(store: Store) -> None:
    async with store.write() as connection:
        for number in range(40):
            await _reader(connection, f"r{number}")
        await _fan_out(connection, await _edition(connection))
    taken = await asyncio.gather(*(_claim(store, f"w{n}", limit=10) for n in range(8)))
    every = [each for batch in taken for each in batch]
    assert sorted(every) == sorted(set(every))
    assert len(every) == 40


async def test_only_the_holder_of_the_lease_passes_the_fence(store: Store) -> None:
    (row,) = await _prepared(store, "a")
    async with store.write() as connection:
        stranger = await deliveries.intend(connection, row, owner="other", now=NOW)
        holder = await deliveries.intend(connection, row, owner="w", now=NOW)
        again = await deliveries.intend(connection, row, owner="w", now=NOW)
    # the holder may write the same intent twice: the answer to its commit may be lost
    assert (stranger, holder, again) == (False, True, True)


async def test_whoever_left_after_the_claim_does_not_pass_the_fence(store: Store) -> None:
    (row,) = await _prepared(store, "a")
    async with store.write() as connection:
        found = await subscribers.by_address(connection, "a@example.org")
        await subscribers.leave(connection, found[0].id, now=NOW)
        assert not await deliveries.intend(connection, row, owner="w", now=NOW)
        assert await deliveries.exclude(connection, row, owner="w", now=NOW)
    assert await _states(store) == ["excluded"]


async def test_whoever_left_before_the_claim_is_excluded(store: Store) -> None:
    async with store.write() as connection:
        reader = await _reader(connection, "a")
        await _fan_out(connection, await _edition(connection))
        await subscribers.leave(connection, reader, now=NOW)
    assert (await _claim(store), await _states(store)) == ([], ["excluded"])


async def test_a_suppressed_address_is_excluded_even_from_its_confirm_mail(store: Store) -> None:
    async with store.write() as connection:
        reader = await _reader(connection, "a", active=False)
        await deliveries.queue_notice(connection, notice="confirm", subscription_id=reader, now=NOW)
        await suppressions.suppress(connection, "hash-a", reason="asked", now=NOW)
    assert (await _claim(store), await _states(store)) == ([], ["excluded"])


async def test_a_dead_workers_rows_are_queued_before_the_dot_and_uncertain_after_it(
    store: Store,
) -> None:
    first, _ = await _prepared(store, "a", "b")
    async with store.write() as connection:
        await deliveries.intend(connection, first, owner="w", now=NOW)
        left = await workers.bury(connection, ["w"], now=NOW)
    assert (left.requeued, left.uncertain) == (1, 1)
    assert await _states(store) == ["uncertain", "queued"]


async def test_a_zombie_changes_nothing_after_its_lease(store: Store) -> None:
    first, second = await _prepared(store, "a", "b")
    async with store.write() as connection:
        await deliveries.intend(connection, first, owner="w", now=NOW)
        await workers.bury(connection, ["w"], now=NOW)
        passed = await deliveries.intend(connection, second, owner="w", now=NOW)
        wrote = await deliveries.record(
            connection, first, owner="w", state=DeliveryState.SENT, reply="250 ok", now=NOW
        )
        alive = await workers.still_here(connection, owner="w", now=NOW)
    assert (passed, wrote, alive) == (False, False, False)
    assert await _states(store) == ["uncertain", "queued"]


async def test_uncertain_rows_are_taken_again_only_where_that_is_wanted(store: Store) -> None:
    (row,) = await _prepared(store, "a")
    async with store.write() as connection:
        await deliveries.intend(connection, row, owner="w", now=NOW)
        await workers.bury(connection, ["w"], now=NOW)
        held = await queue.claim(
            connection, owner="x", scope=EVERYTHING, resend_uncertain=False, limit=9, now=NOW
        )
        taken = await queue.claim(
            connection, owner="x", scope=EVERYTHING, resend_uncertain=True, limit=9, now=NOW
        )
    assert ([each.id for each in held], [each.id for each in taken]) == ([], [row])


async def test_a_deferred_row_waits_for_its_time_and_counts_its_attempts(store: Store) -> None:
    (row,) = await _prepared(store, "a")
    later = NOW + timedelta(minutes=5)
    async with store.write() as connection:
        await deliveries.record(
            connection,
            row,
            owner="w",
            state=DeliveryState.DEFERRED,
            reply="450 4.2.0 later",
            due_at=later,
            now=NOW,
        )
    assert await _claim(store, now=NOW) == []
    async with store.write() as connection:
        claims = await queue.claim(
            connection, owner="w", scope=EVERYTHING, resend_uncertain=True, limit=9, now=later
        )
    assert [(each.id, each.attempts) for each in claims] == [(row, 1)]


async def test_what_ended_is_never_taken_again(store: Store) -> None:
    sent, bounced = await _prepared(store, "a", "b")
    async with store.write() as connection:
        for row, state in ((sent, DeliveryState.SENT), (bounced, DeliveryState.BOUNCED)):
            await deliveries.intend(connection, row, owner="w", now=NOW)
            await deliveries.record(connection, row, owner="w", state=state, reply="r", now=NOW)
        await workers.bury(connection, ["w"], now=NOW)
    assert await _claim(store, now=NOW + timedelta(days=30)) == []


async def test_service_mail_goes_first_and_a_scope_keeps_to_its_editions(store: Store) -> None:
    async with store.write() as connection:
        await _reader(connection, "a")
        pending = await _reader(connection, "p", active=False)
        one, two = await _edition(connection), await _edition(connection, 2)
        await _fan_out(connection, one)
        await _fan_out(connection, two)
        await deliveries.queue_notice(
            connection, notice="confirm", subscription_id=pending, now=NOW
        )
        claims = await queue.claim(
            connection,
            owner="w",
            scope=Scope(editions=frozenset({two})),
            resend_uncertain=True,
            limit=9,
            now=NOW,
        )
    assert [(each.notice, each.edition_id) for each in claims] == [("confirm", None), (None, two)]


async def test_released_rows_are_queued_again(store: Store) -> None:
    await _prepared(store, "a", "b")
    async with store.write() as connection:
        assert await deliveries.release(connection, owner="w", now=NOW) == 2
    assert await _states(store) == ["queued", "queued"]


async def test_the_books_count_every_row(store: Store) -> None:
    first, _ = await _prepared(store, "a", "b")
    async with store.write() as connection:
        await deliveries.intend(connection, first, owner="w", now=NOW)
        await deliveries.record(
            connection, first, owner="w", state=DeliveryState.SENT, reply="250", now=NOW
        )
        assert await books.count_all(connection) == {
            DeliveryState.SENT: 1,
            DeliveryState.CLAIMED: 1,
        }
        assert await books.unfinished(connection, "news", with_uncertain=False) == [1]
