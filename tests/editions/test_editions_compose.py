from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from digest.editions.compose import compose, cut
from digest.model.article import Article
from digest.model.newsletter import FeedSource, Newsletter, Schedule, Sender

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
LETTER = Newsletter(
    slug="stadtblatt",
    title="Stadtblatt am Morgen",
    description="",
    sender=Sender(name="Stadtblatt", address="post@stadtblatt.example"),
    reply_to=None,
    language="de",
    timezone="Europe/Berlin",
    theme="plain",
    address="Stadtblatt, Am Markt 1, 12345 Beispielstadt",
    imprint_url=None,
    feeds=(
        FeedSource(url="https://stadtblatt.example/feed"),
        FeedSource(url="https://stadtblatt.example/jobs", section="Stellen"),
    ),
    schedules=(Schedule(name="daily", cron="0 7 * * *"),),
    limit=10,
)


def _articles(*titles: str, section: str | None = None, excerpt: str = "") -> list[Article]:
    return [
        Article(
            id=number + (100 if section else 0),
            key=f"{section}-{number}",
            url=f"https://stadtblatt.example/{section}/{number}",
            title=title,
            excerpt=excerpt,
            image=None,
            author=None,
            categories=(),
            published_at=START - timedelta(minutes=number),
            first_seen_at=START,
            words=200,
            source="Stadtblatt",
            section=section,
        )
        for number, title in enumerate(titles)
    ]


def _head(articles: list[Article], *, language: str | None = None) -> tuple[str, str]:
    draft = compose(articles, LETTER, language=language)
    assert draft is not None
    return draft.subject, draft.preheader


def test_nothing_new_is_no_edition() -> None:
    assert compose([], LETTER) is None


def test_the_subject_names_the_first_article_and_how_many_more_there_are() -> None:
    articles = _articles("Brücke offen", "Bad zu", "Bus kommt")
    assert _head(articles)[0] == "Brücke offen (+2 weitere)"
    assert _head(articles, language="en")[0] == "Brücke offen (+2 more)"


def test_one_more_is_said_in_the_singular_and_none_is_not_said() -> None:
    assert _head(_articles("Brücke offen", "Bad zu"))[0] == "Brücke offen (+1 weitere)"
    assert _head(_articles("Brücke offen"))[0] == "Brücke offen"


def test_the_count_is_of_what_the_edition_holds() -> None:
    draft = compose(_articles(*(f"Meldung {number}" for number in range(30))), LETTER)
    assert draft is not None
    assert len(draft.articles) == 10
    assert draft.subject == "Meldung 0 (+9 weitere)"
    assert len(draft.left_out) == 20


def test_an_article_of_a_section_does_not_lead_while_there_is_a_main_one() -> None:
    older = [replace(each, published_at=START - timedelta(days=1)) for each in _articles("Haupt")]
    subject, preheader = _head([*_articles("Stelle frei", section="Stellen"), *older])
    assert (subject, preheader) == ("Haupt (+1 weitere)", "Stelle frei")


def test_the_preheader_goes_on_where_the_subject_stops() -> None:
    assert _head(_articles("Eins", "Zwei", "Drei", "Vier", "Fünf"))[1] == "Zwei · Drei · Vier"


def test_the_preheader_repeats_neither_the_subject_nor_itself() -> None:
    assert _head(_articles("Eins", "EINS", "Zwei", "Zwei"))[1] == "Zwei"


def test_a_single_article_is_introduced_by_its_excerpt() -> None:
    assert _head(_articles("Eins", excerpt="Was am Morgen geschah."))[1] == "Was am Morgen geschah."


def test_an_article_without_a_title_lends_the_newsletters() -> None:
    assert _head(_articles("", "Zwei"))[0] == "Stadtblatt am Morgen (+1 weitere)"


def test_a_title_cannot_break_out_of_its_line() -> None:
    subject, preheader = _head(
        _articles("Eins\r\nBcc: x@y.example\x00\u2028Ende", "Zwei\x85\x0b\x1b[31m Ende")
    )
    assert subject == "Eins Bcc: x@y.example Ende (+1 weitere)"
    assert preheader == "Zwei [31m Ende"


def test_a_family_emoji_stays_a_family() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert _head(_articles(f"Ausflug {family}"))[0] == f"Ausflug {family}"


def test_a_long_title_is_cut_after_a_word_and_the_count_stays() -> None:
    subject, _ = _head(_articles("Rathaus " * 30, "Zwei"))
    assert subject.endswith("Rathaus… (+1 weitere)")
    assert len(subject) <= 120


@given(text=st.text(max_size=300), limit=st.integers(20, 140))
def test_a_cut_text_is_never_longer_than_its_limit(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert len(short) <= limit
    assert (short == text) or short.endswith("…")
