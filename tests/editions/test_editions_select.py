from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from digest.editions.select import select
from digest.model.article import Article

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def _article(
    number: int, *, section: str | None = None, url: str | None = None, title: str | None = None
) -> Article:
    return Article(
        id=number,
        key=f"key-{number}",
        url=url or f"https://site.example/{number}",
        title=title or f"Meldung {number}",
        excerpt="",
        image=None,
        author=None,
        categories=(),
        published_at=START + timedelta(minutes=number),
        first_seen_at=START,
        words=100,
        source="Beispielblatt",
        section=section,
        link_key=(url or f"https://site.example/{number}").casefold(),
    )


def _ids(
    articles: list[Article], *, limit: int = 30, order: tuple[str | None, ...] = (None,)
) -> list[tuple[str | None, list[int]]]:
    sections, _ = select(articles, limit=limit, section_order=order)
    return [(section.title, [each.id for each in section.articles]) for section in sections]


def test_the_newest_come_first() -> None:
    assert _ids([_article(1), _article(3), _article(2)]) == [(None, [3, 2, 1])]


def test_the_main_section_leads_and_the_others_follow_in_the_order_of_the_feeds() -> None:
    articles = [
        _article(1, section="Jobs"),
        _article(2, section="Termine"),
        _article(3),
        _article(4, section="Neu hier"),
    ]
    assert _ids(articles, order=("Termine", None, "Jobs")) == [
        (None, [3]),
        ("Termine", [2]),
        ("Jobs", [1]),
        ("Neu hier", [4]),
    ]


def test_an_article_of_two_feeds_stands_once_and_where_the_first_feed_puts_it() -> None:
    articles = [_article(1), _article(2), _article(2, section="Jobs")]
    assert _ids(articles, order=(None, "Jobs")) == [(None, [2, 1])]
    assert _ids(articles, order=("Jobs", None)) == [(None, [1]), ("Jobs", [2])]


def test_articles_of_one_moment_keep_the_order_of_their_feed() -> None:
    of_one_poll = [replace(_article(n), published_at=_article(1).published_at) for n in (3, 1, 2)]
    assert _ids(of_one_poll) == [(None, [1, 2, 3])]


def test_an_article_given_twice_is_not_left_out_as_its_own_double() -> None:
    _, left_out = select([_article(1), _article(1)], limit=9, section_order=[None])
    assert left_out == ()


def test_the_same_link_under_the_same_title_is_the_same_article() -> None:
    twin = _article(9, url="https://SITE.example/1", title="MELDUNG  1")
    sections, left_out = select([_article(1), twin], limit=9, section_order=[None])
    assert [each.id for each in sections[0].articles] == [9]
    assert [(each.article.id, each.reason) for each in left_out] == [(1, "duplicate")]


def test_two_vacancies_of_one_title_are_two_and_so_are_two_texts_behind_one_link() -> None:
    vacancies = [_article(1, title="Fachkraft"), _article(2, title="Fachkraft")]
    assert _ids(vacancies) == [(None, [2, 1])]
    notes = [_article(1, url="https://site.example/"), _article(2, url="https://site.example/")]
    assert _ids(notes) == [(None, [2, 1])]


def test_the_limit_counts_all_sections_and_the_rest_is_left_out_for_it() -> None:
    articles = [_article(number) for number in range(20)]
    articles += [_article(100 + number, section="Jobs") for number in range(20)]
    sections, left_out = select(articles, limit=12, section_order=[None, "Jobs"])
    assert [(each.title, len(each.articles)) for each in sections] == [(None, 7), ("Jobs", 5)]
    assert {each.reason for each in left_out} == {"limit"}
    assert len(left_out) == 28


def test_named_sections_leave_the_main_one_half_of_a_small_edition() -> None:
    articles = [_article(number) for number in range(9)]
    articles += [_article(100 + number, section="A") for number in range(9)]
    articles += [_article(200 + number, section="B") for number in range(9)]
    sizes = [len(ids) for _, ids in _ids(articles, limit=8, order=(None, "A", "B"))]
    assert sizes == [4, 2, 2]


def test_room_that_the_main_section_leaves_goes_to_the_others() -> None:
    articles = [_article(1)] + [_article(100 + number, section="Jobs") for number in range(20)]
    assert [len(ids) for _, ids in _ids(articles, limit=10)] == [1, 9]


def test_a_limit_below_the_number_of_sections_keeps_the_first_ones() -> None:
    articles = [_article(1), _article(2, section="A"), _article(3, section="B")]
    assert _ids(articles, limit=2, order=(None, "A", "B")) == [(None, [1]), ("A", [2])]


def test_nothing_in_is_nothing_out() -> None:
    assert select([], limit=10, section_order=[None]) == ((), ())


@given(
    sections=st.lists(st.sampled_from([None, "A", "B", "C"]), max_size=40),
    limit=st.integers(0, 45),
)
def test_nothing_is_lost_nothing_doubled_and_no_room_is_wasted(
    sections: list[str | None], limit: int
) -> None:
    articles = [_article(number, section=name) for number, name in enumerate(sections)]
    chosen, left_out = select(articles, limit=limit, section_order=[None, "B", "A"])
    shown = [each.id for section in chosen for each in section.articles]
    assert sorted(shown + [each.article.id for each in left_out]) == list(range(len(articles)))
    assert len(shown) == min(limit, len(articles))
    assert all(section.articles for section in chosen)
