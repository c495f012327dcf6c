"""Pictures that we serve, in both databases: made once, kept while an edition shows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from digest.model.picture import NoPicture, Redrawn
from digest.store import pictures
from digest.store.engine import Store

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
A, B = "https://site.example/a.png", "https://site.example/b.png"
MADE = Redrawn(data=b"\xff\xd8\xff a picture", width=1112, height=626)


async def test_what_was_made_is_found_by_its_address_and_read_by_its_name(store: Store) -> None:
    async with store.write() as connection:
        assert await pictures.lacking(connection, [A, B], now=NOW) == [A, B]
        await pictures.keep(connection, A, MADE, now=NOW)
        assert await pictures.lacking(connection, [B, A], now=NOW) == [B]
        found = await pictures.find(connection, [A, B])
        assert list(found) == [A]
        assert (found[A].width, found[A].height) == (1112, 626)
        assert await pictures.read(connection, found[A].digest) == MADE.data
        assert await pictures.read(connection, "0" * 32) is None


async def test_two_addresses_of_one_picture_have_one_name(store: Store) -> None:
    async with store.write() as connection:
        for url in (A, B):
            await pictures.keep(connection, url, MADE, now=NOW)
        found = await pictures.find(connection, [A, B])
        assert found[A] == found[B]
        assert await pictures.read(connection, found[A].digest) == MADE.data


async def test_what_could_not_be_had_is_asked_for_again_after_an_hour(store: Store) -> None:
    async with store.write() as connection:
        await pictures.keep(connection, A, NoPicture(reason="HTTP 404"), now=NOW)
        assert await pictures.lacking(connection, [A], now=NOW + timedelta(minutes=59)) == []
        later = NOW + timedelta(minutes=61)
        assert await pictures.lacking(connection, [A], now=later) == [A]
        assert await pictures.find(connection, [A]) == {}
        await pictures.keep(connection, A, MADE, now=later)
        assert A in await pictures.find(connection, [A])


async def test_one_that_is_held_stays_as_it_is(store: Store) -> None:
    other = Redrawn(data=b"another", width=9, height=9)
    async with store.write() as connection:
        for made in (MADE, NoPicture(reason="gone"), other):
            await pictures.keep(connection, A, made, now=NOW)
        assert (await pictures.find(connection, [A]))[A].width == 1112


async def test_what_no_edition_shows_goes_after_thirty_days_and_the_rest_stays(
    store: Store,
) -> None:
    late = NOW + timedelta(days=31)
    third = "https://site.example/c.png"
    async with store.write() as connection:
        for number, url in enumerate((A, B, third)):
            made = Redrawn(data=f"{number}".encode(), width=9, height=9)
            await pictures.keep(connection, url, made, now=NOW)
        await pictures.keep(connection, "https://x.example/", NoPicture(reason="?"), now=NOW)
        held = await pictures.find(connection, [A, B, third])
        await pictures.tell(connection, [held[A].digest], now=NOW)
        wanted = NOW + timedelta(days=2)
        assert await pictures.fading(connection, [A, B], now=NOW) == []
        assert await pictures.fading(connection, [A, B], now=wanted) == [B]
        await pictures.want(connection, [B], now=wanted)
        assert await pictures.forget_untold(connection, now=late) == 2
        assert set(await pictures.find(connection, [A, B, third])) == {A, B}
        assert await pictures.forget_untold(connection, now=late + timedelta(days=2)) == 1
        assert set(await pictures.find(connection, [A, B, third])) == {A}
