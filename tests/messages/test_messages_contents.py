"""What a theme may say beside the news: others, what it continues, ads, support, where to look."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import html5lib
import pytest
from message_samples import (
    ADDRESS,
    HOSTILE,
    LINKS,
    MADE_AT,
    PUBLIC_URL,
    article,
    draft,
    edition,
    newsletter,
    ordinary,
    written_as,
)

from digest.messages.assemble import archive_html, assemble
from digest.messages.beside import sponsors_of
from digest.messages.layout import SIZE, size_of
from digest.messages.plain import tame
from digest.messages.stories import EXCERPTS
from digest.model.layout import Form
from digest.model.newsletter import Topic
from digest.model.policy import SearchEngine, Sponsor, Support

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from digest.model.edition import Draft

_HTML = "{http://www.w3.org/1999/xhtml}"
ENGINES = (
    SearchEngine(name="Google", url="https://www.google.com/search?q={query}"),
    SearchEngine(name="Bing", url="https://www.bing.com/search?form=X&q={query}"),
)


def parts(chosen: Draft, *, language: str = "en", **changes: Any) -> tuple[str, str]:
    made = edition(chosen, language=language, of=newsletter(**changes))
    return assemble(made, LINKS, address=ADDRESS)


def links(page: str) -> list[tuple[str, str]]:
    """The words of all links, and where they lead."""
    found: Element = html5lib.parse(page)
    return [
        (" ".join("".join(each.itertext()).split()), each.get("href", ""))
        for each in found.iter(f"{_HTML}a")
    ]


def texts(page: str, tag: str) -> list[str]:
    found: Element = html5lib.parse(page)
    said = ("".join(each.itertext()) for each in found.iter(f"{_HTML}{tag}"))
    return [" ".join(each.replace("\u00ad", "").split()) for each in said]


# ------------------------------------------------------------------- others, and what it continues


def test_other_articles_about_the_event_are_named_by_their_sources() -> None:
    others = (
        article(20, source="Heise"),
        article(21, source="", url="https://www.golem.example/a.html"),
    )
    page, text = parts(draft([article(0), article(1)], also={100: others}))
    assert "Also: Heise · golem.example" in texts(page, "p")
    assert ("Heise", others[0].url) in links(page)
    assert f"Also:\nHeise: {others[0].url}\ngolem.example: {others[1].url}\n" in text
    assert page.count("Also:") == 1


def test_two_of_one_source_are_named_by_their_titles() -> None:
    others = (
        article(20, source="Heise", title="Der Teich"),
        article(21, source="heise", title="Das Eis"),
        article(22, source="Golem"),
        article(23, source="Technikblatt", title="Noch einmal wir"),
    )
    page, _ = parts(draft([article(0)], also={100: others}))
    assert "Also: Der Teich · Das Eis · Golem · Noch einmal wir" in texts(page, "p")


def test_others_without_an_address_and_those_told_themselves_are_not_named() -> None:
    others = (article(20, url="javascript:alert(1)"), article(1))
    page, text = parts(draft([article(0), article(1)], also={100: others}))
    assert "Also" not in page + text
    assert "javascript" not in page + text


def test_a_story_says_what_it_continues() -> None:
    earlier = article(40, title="Der <b>Teich</b> wird geplant")
    for place in (0, 1, 12):
        chosen = draft([article(n) for n in range(14)], earlier={100 + place: earlier})
        page, text = parts(chosen)
        assert texts(page, "p").count("Continues: Der <b>Teich</b> wird geplant") == 1
        assert text.count("\nContinues: Der <b>Teich</b> wird geplant\n") == 1


# --------------------------------------------------------------------------- what editors write


def test_the_editors_words_stand_above_the_news_in_paragraphs() -> None:
    lead = "Guten Morgen!\r\n\r\nHeute <b>wenig</b>,\naber {{ gutes }}.\n \n\n"
    page, text = parts(replace(ordinary(3), lead=lead))
    assert "Guten Morgen!" in texts(page, "p")
    assert any(each.startswith("Heute <b>wenig</b>, aber {") for each in texts(page, "p"))
    assert page.index("Guten Morgen!") < page.index("At a glance")
    assert "Guten Morgen!\n\nHeute <b>wenig</b>, aber" in text
    assert "{{" not in page + text


def test_without_them_nothing_stands_there() -> None:
    assert 'class="word"' not in parts(ordinary(3))[0]


# ------------------------------------------------------------------- comments, search and follow


def test_comments_are_counted_where_the_feed_counts_them() -> None:
    where = "https://www.example.com/0.html#comments"
    for count, said in ((1234, "Comments (1,234)"), (0, "Comments (0)"), (None, "Comment")):
        for place in (0, 12):
            chosen = [article(n) for n in range(14)]
            chosen[place] = replace(chosen[place], comments=count, comments_url=where)
            page, text = parts(draft(chosen))
            assert links(page).count((said, where)) == 1
            assert f"\n{said}: {where}\n" in text
    assert "Comment" not in parts(draft([article(0, comments=3)]))[0]


def test_one_may_look_further_with_the_words_of_the_title() -> None:
    title = 'Öl & "Gas": 100 % teurer? C++ hilft / nicht'
    chosen = draft([article(0, title=title), *(article(n) for n in range(1, 12))])
    page, text = parts(chosen, search=ENGINES)
    found = [url for name, url in links(page) if name == "Bing"]
    assert len(found) == 12
    assert parse_qs(urlsplit(found[0]).query) == {
        "form": ["X"],
        "q": ["Öl Gas 100 teurer C hilft nicht"],
    }
    assert "Look further: Google · Bing" in texts(page, "p")
    assert "\nLook further:\nGoogle:\nhttps://www.google.com/search?q=%C3%96l+Gas+100" in text


def test_nobody_looks_further_unless_it_is_configured() -> None:
    page, text = parts(ordinary(12))
    assert "Look further" not in page + text


@pytest.mark.parametrize("title", HOSTILE)
def test_a_search_link_is_whole_whatever_the_title(title: str) -> None:
    page, _ = parts(draft([article(0, title=title)]), search=ENGINES)
    for name, url in links(page):
        if name in {"Google", "Bing"}:
            assert re.fullmatch(r"https://www\.(google|bing)\.com/search\?[!-~]*", url)


def test_one_looks_further_for_no_more_than_a_few_words() -> None:
    for title in ("漢" * 10_000, "Wort" * 100, "Wort " * 30):
        page, _ = parts(draft([article(0, title=title)]), search=ENGINES)
        [asked] = (
            parse_qs(urlsplit(url).query)["q"] for name, url in links(page) if name == "Bing"
        )
        assert 40 < len(asked[0]) <= 100
        assert title.startswith(asked[0])


def test_told_at_length_a_story_offers_more_like_it() -> None:
    chosen = ordinary(14)
    made = edition(chosen, language="en")
    page, text = assemble(made, LINKS, address=ADDRESS)
    wanted = [
        f"{PUBLIC_URL}/follow?newsletter=ki-news&article={each.id}" for each in chosen.articles[:10]
    ]
    for shown in (page, archive_html(made, public_url=PUBLIC_URL)):
        assert [url for name, url in links(shown) if name == "More like this by mail"] == wanted
    assert all(f"More like this by mail:\n{url}\n" in text for url in wanted)
    page, text = parts(chosen, follow=False)
    assert "More like this" not in page + text


def test_both_parts_offer_less_of_a_topic() -> None:
    topic = Topic(name="energie", title="Energie & {{ Netze }}")
    page, text = parts(draft([article(0, topics=("energie",)), article(1)]), topics=(topic,))
    where = f"{LINKS.preferences}?do=less&topic=energie"
    assert [at for said, at in links(page) if said.startswith("Less of")] == [where]
    assert text.count("Less of") == 1
    assert f"\nLess of “{tame(topic.title)}”:\n{where}\n" in text


def test_a_line_is_the_title_alone() -> None:
    chosen = draft([article(n, url=f"https://a.example/{'x' * 1500}") for n in range(40)])
    made = edition(chosen, of=newsletter(search=ENGINES))
    page, _ = assemble(made, LINKS, address=ADDRESS)
    assert size_of(made.written) <= SIZE
    assert len(texts(page, "h3")) == 40
    assert "google" not in page
    assert "<img" not in page
    assert [length for form, length in EXCERPTS.items() if form is Form.LINE] == [0]


# -------------------------------------------------------------------------- sponsors and support


def sponsor(name: str, **changes: Any) -> Sponsor:
    facts: dict[str, Any] = {"title": name, "text": "T", "url": f"https://{name}.example/"}
    return Sponsor(**(facts | changes))


def shown(*sponsors: Sponsor, number: int = 12, limit: int = 1) -> list[str]:
    of = newsletter(sponsors=sponsors, sponsor_limit=limit)
    return [each.title for each in sponsors_of(of, number=number, at=MADE_AT)]


def test_only_what_runs_is_shown_and_never_more_than_configured() -> None:
    hour = timedelta(hours=1)
    assert shown(sponsor("a", since=MADE_AT + hour), sponsor("b", until=MADE_AT)) == []
    assert shown(sponsor("a", since=MADE_AT, until=MADE_AT + hour)) == ["a"]
    assert shown(sponsor("a"), sponsor("b"), limit=5, number=1) == ["a", "b"]
    assert shown(sponsor("a"), sponsor("b"), limit=0) == []
    assert shown() == []


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_sponsors_take_turns(limit: int) -> None:
    all_of_them = [sponsor(name) for name in "abcde"]
    editions = [shown(*all_of_them, number=n, limit=limit) for n in range(1, 11)]
    assert all(len(set(each)) == limit for each in editions)
    assert set(Counter(name for each in editions for name in each).values()) == {10 * limit // 5}


def test_an_ad_is_marked_and_tamed() -> None:
    bad = sponsor("x", title="<b>{{ x }}</b>", text="javascript:alert(1)", url="mailto:a@b.example")
    page, text = parts(ordinary(2), sponsors=(bad,))
    assert "Advertisement" in texts(page, "p")
    assert "[Advertisement]\n<b>{" in text
    assert "<b>" not in page
    assert "mailto:" not in page
    assert "{{" not in page + text
    assert "Advertisement" not in parts(ordinary(2))[0]


def test_support_is_asked_for_in_one_line_near_the_foot() -> None:
    support = Support(text="Support us", url="https://support.example.org/")
    page, text = parts(ordinary(7), support=support)
    assert links(page).count(("Support us", support.url)) == 1
    assert page.index("Support us") > page.index("Stellenangebote")
    assert "\nSupport us\nhttps://support.example.org/\n" in text
    assert "Support us" not in parts(ordinary(7))[0]


def test_everything_at_once_is_shown_whole() -> None:
    chosen = replace(
        draft(
            [
                article(n, comments=3, comments_url=f"https://www.example.com/{n}#c")
                for n in range(40)
            ],
            also={100 + n: (article(60 + n, source="Heise"),) for n in range(40)},
            earlier={100 + n: article(50) for n in range(40)},
        ),
        lead="Wort " * 200,
    )
    of = newsletter(search=ENGINES, support=Support(text="S", url="https://s.example/"))
    made = edition(chosen, of=of)
    assert size_of(made.written) <= SIZE
    page, text = assemble(written_as(made.written), LINKS, address=ADDRESS)
    assert len(texts(page, "h3")) == 40
    assert [line for line in text.splitlines() if len(line) > 72 and "http" not in line] == []
