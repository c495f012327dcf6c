"""A story that we know is recognised under another name; another story never is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from digest.articles.identify import identify
from digest.articles.recognise import Known, Recognised, recognise, signs_of
from digest.model.article import NewArticle
from digest.model.feed import Entry

NOW = datetime(2026, 10, 5, 9, 30, 17, tzinfo=UTC)
SITE = "https://site.example"
FEED = f"{SITE}/feed"
HERE, THERE = 1, 2


def entry(
    number: int = 1,
    *,
    guid: str | None = "",
    link: str | None = "",
    title: str = "",
    at: datetime | None = NOW,
    site: str = SITE,
) -> Entry:
    return Entry(
        guid=f"{site}/?p={number}" if guid == "" else guid,
        link=f"{site}/story-{number}" if link == "" else link,
        title=title or f"The story of number {number}",
        summary_html="",
        content_html="",
        author=None,
        categories=(),
        published_at=at - timedelta(hours=number) if at else None,
        updated_at=None,
        images=(),
    )


def document(*entries: Entry, feed_url: str = FEED, home: str = SITE) -> list[NewArticle]:
    found = {}
    for each, identity in zip(entries, identify(entries, feed_url=feed_url), strict=True):
        found[identity.key] = NewArticle(
            key=identity.key,
            link_key=identity.link_key,
            signs=identity.signs,
            url=each.link or home,
            title=each.title,
            excerpt="",
            image=None,
            author=None,
            categories=(),
            published_at=each.published_at,
            words=0,
        )
    return list(found.values())


def leading(held: list[NewArticle], *feeds: int) -> dict[str, Known]:
    """What a store leads to that holds these."""
    return {
        sign: Known(id=number, article=each, feeds=frozenset(feeds or (HERE,)))
        for number, each in enumerate(held, start=1)
        for sign in signs_of(each)
    }


def ids(
    found: list[NewArticle], leads: dict[str, Known], *, feed_id: int = HERE, first: bool = False
) -> list[int | None]:
    return [each.id for each in recognise(found, leads, feed_id=feed_id, first=first)]


def before_and_after(old: Entry, new: Entry, *, feed_id: int = HERE) -> int | None:
    (answer,) = ids(document(new), leading(document(old)), feed_id=feed_id)
    return answer


def test_the_same_guid_is_the_same_whatever_else_changed() -> None:
    new = entry(1, link=f"{SITE}/another", title="Quite another headline", at=None)
    assert before_and_after(entry(1), new) == 1


def test_what_nobody_knows_is_new() -> None:
    found = document(entry(1), entry(2))
    assert recognise(found, {}, feed_id=HERE, first=False) == (
        Recognised(id=None, first=0),
        Recognised(id=None, first=1),
    )


def test_the_same_page_under_a_new_guid_is_the_same_where_title_or_date_agrees() -> None:
    renamed = entry(1, guid="new-1")
    assert before_and_after(entry(1), renamed) == 1
    assert before_and_after(entry(1), replace(renamed, title="Quite another headline")) == 1
    later = NOW + timedelta(minutes=5)
    assert before_and_after(entry(1), replace(renamed, published_at=later)) == 1
    assert before_and_after(entry(1), replace(renamed, published_at=None)) == 1


def test_a_page_that_shows_something_else_each_day_is_many_articles() -> None:
    today = entry(1, guid="today", at=NOW)
    tomorrow = entry(1, guid="tomorrow", at=NOW + timedelta(days=1))
    assert before_and_after(today, tomorrow) is None
    other = entry(1, guid="noon", at=NOW + timedelta(hours=3), title="Quite another headline")
    assert before_and_after(today, other) is None


def test_without_a_guid_the_page_is_enough() -> None:
    told = entry(1, title="Quite another headline", at=NOW + timedelta(days=3))
    bare = replace(told, guid=None)
    assert before_and_after(entry(1), bare, feed_id=THERE) == 1
    assert before_and_after(bare, entry(1), feed_id=THERE) == 1


def test_a_site_with_a_new_name_new_addresses_and_new_guids_sends_nothing_again() -> None:
    old = [entry(n) for n in range(20)]
    new = [
        entry(n, site="https://new.example", link=f"https://new.example/a/{n}") for n in range(20)
    ]
    found = document(*new, feed_url="https://new.example/feed")
    leads = leading(document(*old))
    assert ids(found, leads) == list(range(1, 21))
    # the operator named the new address: another feed, read for the first time
    assert ids(found, leads, feed_id=THERE, first=True) == list(range(1, 21))
    # later on, a text that stands at many sites is every site's own
    assert ids(found, leads, feed_id=THERE) == [None] * 20


def test_on_a_first_read_a_few_agency_texts_are_no_move() -> None:
    old = [entry(n) for n in range(20)]
    new = [
        entry(n, site="https://new.example", title="" if n < 5 else f"Our own story, number {n}")
        for n in range(20)
    ]
    found = document(*new, feed_url="https://new.example/feed")
    assert ids(found, leading(document(*old)), feed_id=THERE, first=True) == [None] * 20


def test_another_feed_of_the_site_is_known_with_or_without_www() -> None:
    bare = entry(1, guid="7", link="https://www.site.example/topic/7")
    assert before_and_after(entry(1), bare, feed_id=THERE) == 1


def test_two_entries_of_one_document_are_two_articles() -> None:
    # the second one took over the address that the first one had
    old = document(entry(1, guid="g1", link=f"{SITE}/page"))
    moved = entry(1, guid="g1", link=f"{SITE}/elsewhere", at=NOW)
    other = entry(1, guid="g2", link=f"{SITE}/page", title="Quite another headline")
    assert ids(document(moved, other), leading(old)) == [1, None]
    assert ids(document(other, moved), leading(old)) == [None, 1]


def test_the_one_that_bears_the_key_comes_before_one_with_a_guid_of_old() -> None:
    held = document(entry(1, guid="g2"))
    leads = leading(held)
    known = next(iter(leads.values()))
    both = document(
        entry(1, guid="g1", link=None, at=None), entry(1, guid="g2", link=None, at=None)
    )
    leads[both[0].key] = known
    assert ids(both, leads) == [None, 1]
    assert ids(both[::-1], leads) == [1, None]
    assert ids(both[:1], leads) == [1]


def test_what_several_documents_carry_is_one() -> None:
    feed = document(entry(1), entry(2))
    # a sitemap has no guids, an older page repeats what the feed shows
    sitemap = document(*(entry(n, guid=None, at=None, title="x") for n in (2, 3)))
    older = document(entry(2), entry(3), entry(4))
    answers = recognise([*feed, *sitemap, *older], {}, feed_id=HERE, first=False)
    assert [each.first for each in answers] == [0, 1, 1, 3, 1, 3, 6]
    assert {each.id for each in answers} == {None}


def test_99_items_with_one_link_and_no_guid_stay_99_from_poll_to_poll() -> None:
    for link in (SITE, f"{SITE}/news"):
        entries = [entry(n, guid=None, link=link) for n in range(100)]
        held = document(*entries[:99])
        assert len(held) == 99
        later = document(*entries[1:])
        assert ids(later, leading(held)) == [*range(2, 100), None]


@given(
    st.lists(st.integers(0, 9), unique=True, min_size=1),
    st.lists(st.integers(0, 9), unique=True, min_size=1),
    st.lists(st.sampled_from(["same", "guid", "page", "both", "bare"]), min_size=10, max_size=10),
)
def test_however_a_site_renames_its_stories_each_is_one(
    before: list[int], after: list[int], ways: list[str]
) -> None:
    def renamed(number: int) -> Entry:
        guid = f"n{number}" if ways[number] in {"guid", "both"} else ""
        link = f"{SITE}/new/{number}" if ways[number] in {"page", "both"} else ""
        return entry(number, guid=None if ways[number] == "bare" else guid, link=link)

    held = document(*(entry(n) for n in before))
    found = document(*(renamed(n) for n in after))
    expected = [before.index(n) + 1 if n in before else None for n in after]
    assert ids(found, leading(held), feed_id=THERE) == expected
