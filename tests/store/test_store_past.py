"""Past editions are found by newsletter, time and words, and told to machines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from digest.store import past, told
from digest.store.engine import Store
from digest.store.past import Span
from digest.store.tables import appearances, articles, edition_articles, editions, feeds

NOV = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
NEWS, HARBOUR = Span(newsletter="news"), Span(newsletter="harbour")


async def make(
    store: Store,
    number: int,
    *titles: str,
    made_at: datetime = NOV,
    newsletter: str = "news",
    topics: str = "",
    left_out: str | None = None,
) -> int:
    """An edition with these headlines; its id."""
    row = {
        "newsletter": newsletter,
        "schedule": "daily",
        "number": number,
        "made_at": made_at,
        "language": "de",
        "nonce": "n",
        "subject": titles[0],
        "preheader": "",
        "html": "",
        "text": "",
    }
    async with store.write() as connection:
        added = await connection.execute(insert(editions).values(row).returning(editions.c.id))
        key = int(added.scalar_one())
        for place, title in enumerate((*titles[1:], *([left_out] if left_out else [])), start=1):
            article = await connection.execute(
                insert(articles)
                .values(
                    key=f"{key}/{place}",
                    url=f"https://stadtblatt.example/{key}/{place}",
                    title=title,
                    excerpt="Mehr dazu.",
                    categories=[],
                    published_at=made_at - timedelta(hours=place),
                    first_seen_at=made_at,
                    words=10,
                    candidate=True,
                )
                .returning(articles.c.id)
            )
            await connection.execute(
                insert(edition_articles).values(
                    edition_id=key,
                    article_id=article.scalar_one(),
                    newsletter=newsletter,
                    schedule="daily",
                    position=None if title == left_out else place,
                    topics=topics,
                )
            )
    return key


async def ids(store: Store, *words: str, span: Span = NEWS) -> list[int]:
    async with store.read() as connection:
        found = await past.find(connection, [span], words, limit=10)
    assert found.count == len(found.editions)
    return [each.id for each in found.editions]


async def test_a_span_has_its_beginning_and_not_its_end(store: Store) -> None:
    made = [await make(store, n, "x", made_at=NOV + timedelta(days=n)) for n in range(4)]
    span = Span(newsletter="news", since=NOV + timedelta(days=1), until=NOV + timedelta(days=3))
    assert await ids(store, span=span) == [made[2], made[1]]
    assert await ids(store, span=HARBOUR) == []
    async with store.read() as connection:
        assert (await past.find(connection, [], limit=5)).editions == ()


async def test_each_newsletter_has_its_own_span(store: Store) -> None:
    early = await make(store, 1, "x", made_at=NOV)
    await make(store, 2, "x", made_at=NOV + timedelta(days=1))
    other = await make(store, 1, "x", made_at=NOV + timedelta(days=1), newsletter="harbour")
    spans = [
        Span(newsletter="news", until=NOV + timedelta(days=1)),
        Span(newsletter="harbour", since=NOV + timedelta(days=1)),
    ]
    async with store.read() as connection:
        found = await past.find(connection, spans, limit=5)
    assert [each.id for each in found.editions] == [other, early]


async def test_pages_go_on_in_both_directions_and_know_their_ends(store: Store) -> None:
    made = [await make(store, n, "x") for n in range(7)]

    async def page(
        *, before: int | None = None, after: int | None = None
    ) -> tuple[list[int], bool, bool]:
        async with store.read() as connection:
            found = await past.find(connection, [NEWS], limit=3, before=before, after=after)
        assert found.count == 7
        return [made.index(each.id) for each in found.editions], found.newer, found.older

    assert await page() == ([6, 5, 4], False, True)
    assert await page(before=made[4]) == ([3, 2, 1], True, True)
    assert await page(before=made[1]) == ([0], True, False)
    assert await page(after=made[3]) == ([6, 5, 4], False, True)
    assert await page(after=made[0]) == ([3, 2, 1], True, True)
    assert await page(after=made[5]) == ([6, 5, 4], False, True)
    assert await page(after=999_999_999) == ([6, 5, 4], False, True)
    assert await page(before=0) == ([], True, False)


async def test_every_word_is_looked_for_in_subject_and_headlines(store: Store) -> None:
    made = await make(
        store, 1, "Brücke offen", "Öffnet das Bad?", "100% Strom bei Nacht", left_out="Der Rest"
    )
    await make(store, 2, "Anderes", "Noch etwas")
    there = ["brücke", "BRÜCKE", "ücke nacht", "öffnet", "ÖFFNET", "100%", "%"]
    missing = ["Brücke Regen", "Rest", "10%0", "_", "/", "\\", "' OR '1'='1"]
    found = {text: await ids(store, *text.split()) for text in there + missing}
    assert found == {text: [made] * (text in there) for text in there + missing}


async def test_the_moments_have_every_month_of_every_zone(store: Store) -> None:
    last = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    for number, at in enumerate((last - timedelta(days=9), last - timedelta(days=5), last, NOV)):
        await make(store, number, "x", made_at=at)
    await make(store, 1, "x", made_at=last, newsletter="harbour")
    async with store.read() as connection:
        found = await past.moments(connection, ["news"])
    assert {slug for slug, _ in found} == {"news"}
    assert {last - timedelta(days=9), last} <= {at for _, at in found}
    assert last - timedelta(days=5) not in {at for _, at in found}


async def test_neighbours_are_of_the_same_newsletter(store: Store) -> None:
    one = await make(store, 1, "eins")
    await make(store, 1, "fremd", newsletter="harbour")
    two, three = await make(store, 2, "zwei"), await make(store, 3, "drei")
    async with store.read() as connection:
        around = {each: await past.neighbours(connection, each, "news") for each in (one, two)}
    assert [each and each.id for each in around[one]] == [None, two]
    assert [each and each.id for each in around[two]] == [one, three]


async def test_headlines_come_in_reading_order_without_what_was_left_out(store: Store) -> None:
    one = await make(store, 1, "x", "Eins", "Zwei", left_out="Drei")
    two = await make(store, 2, "x", "Vier")
    async with store.read() as connection:
        found = await past.headlines_of(connection, [one, two])
        assert await past.headlines_of(connection, []) == {}
    assert {key: [title for title, _ in told] for key, told in found.items()} == {
        one: ["Eins", "Zwei"],
        two: ["Vier"],
    }


async def test_an_article_about_a_topic_is_told_once_with_its_first_edition(store: Store) -> None:
    one = await make(store, 1, "x", "Eins", topics=",chips,robots,", left_out="Nie")
    await make(store, 2, "x", "Zwei", topics=",microchips,")
    three = await make(store, 3, "x", "Drei", topics=",chips,")
    await make(store, 1, "x", "Vier", topics=",chips,", newsletter="harbour")
    async with store.write() as connection:
        await connection.execute(
            insert(feeds).values(id=1, url="https://f.example/", title="Fach", next_poll_at=NOV)
        )
        await connection.execute(insert(appearances).values(article_id=1, feed_id=1, seen_at=NOV))
        await connection.execute(
            insert(edition_articles).values(
                edition_id=three,
                article_id=1,
                newsletter="news",
                schedule="weekly",
                position=9,
                topics=",chips,",
            )
        )
        sources = ["https://f.example/"]
        found = await told.about(connection, "news", "chips", sources=sources, limit=5)
        one_only = await told.about(connection, "news", "chips", sources=sources, limit=1)
    assert [(each.title, each.edition_id, each.source) for each in found] == [
        ("Drei", three, ""),
        ("Eins", one, "Fach"),
    ]
    assert found[0].made_at == NOV
    assert [each.title for each in one_only] == ["Drei"]


async def test_the_map_has_all_editions_in_a_fixed_order(store: Store) -> None:
    made = [await make(store, n, "x", made_at=NOV + timedelta(days=n)) for n in range(3)]
    await make(store, 1, "x", newsletter="gone")
    async with store.read() as connection:
        assert await told.sizes(connection, ["news", "none"]) == {
            "news": (3, NOV + timedelta(days=2))
        }
        rest = await told.all_of(connection, ["news"], limit=5, offset=1)
    assert [key for key, _, _ in rest] == made[1:]
