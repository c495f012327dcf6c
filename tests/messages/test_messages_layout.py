"""A mail is laid out from the pieces of a sheet: each chosen card once, and true numbers."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from message_samples import (
    ADDRESS,
    HOSTILE,
    LINKS,
    MADE_AT,
    NONCE,
    PUBLIC_URL,
    article,
    draft,
    edition,
    left_out,
    newsletter,
    ordinary,
    renderer,
    written_as,
)

from digest.messages import render
from digest.messages.assemble import archive_html, assemble, bind
from digest.messages.inline import inline
from digest.messages.layout import SIZE, lay_out, size, size_of
from digest.model.edition import Draft, Section
from digest.model.layout import Extra, Followed, Form, read_extra, read_plan, read_sheet
from digest.model.policy import SectionRule, Sponsor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digest.model.article import Article
    from digest.model.layout import Plan, Sheet
    from digest.model.newsletter import Newsletter

STOPS = {"ab": f"{PUBLIC_URL}/follows/ab?a=1&b=2", "cd": f"{PUBLIC_URL}/follows/cd"}
BY = renderer()


def sheet_of(
    drafts: Sequence[Draft], *, of: Newsletter | None = None, language: str = "de", **more: Any
) -> Sheet:
    return BY.render_sheet(
        drafts,
        of or newsletter(),
        number=12,
        made_at=MADE_AT,
        language=language,
        nonce=NONCE,
        public_url=PUBLIC_URL,
        **more,
    )


def laid_out(
    chosen: Draft,
    *,
    extra: Extra | None = None,
    beside: Sequence[Article] = (),
    of: Newsletter | None = None,
    language: str = "de",
) -> tuple[str, str]:
    """The two texts of a mail as one reader gets it."""
    made = of or newsletter()
    sheet = sheet_of([chosen], of=made, beside=beside, language=language)
    plan = BY.plan_edition(chosen, sheet, made)
    written = lay_out(sheet, plan, nonce=NONCE, extra=extra, stop_urls=STOPS)
    return assemble(written_as(written, language=language), LINKS, address=ADDRESS)


def titles(page: str) -> list[str]:
    found = html5lib.parse(page).iter("{http://www.w3.org/1999/xhtml}h3")
    return [" ".join("".join(each.itertext()).replace("\u00ad", "").split()) for each in found]


def headings(page: str) -> list[str]:
    found = html5lib.parse(page).iter("{http://www.w3.org/1999/xhtml}h2")
    return [" ".join("".join(each.itertext()).replace("\u00ad", "").split()) for each in found]


def items(page: str) -> list[str]:
    found = html5lib.parse(page).iter("{http://www.w3.org/1999/xhtml}li")
    return [" ".join("".join(each.itertext()).replace("\u00ad", "").split()) for each in found]


def named(count: int, **changes: Any) -> list[Article]:
    """Articles whose titles are told apart."""
    return [article(n, title=f"Meldung mit der Zahl {n}", **changes) for n in range(count)]


def told(*numbers: int) -> list[str]:
    return [f"Meldung mit der Zahl {n}" for n in numbers]


# ------------------------------------------------------------------------------ selections


def test_a_selection_of_one_draft_is_what_is_rendered_at_once() -> None:
    chosen = ordinary(14)
    sheet = sheet_of([chosen])
    plan = BY.plan_edition(chosen, sheet, newsletter())
    assert lay_out(sheet, plan, nonce=NONCE) == edition(chosen).written


def test_what_was_stored_is_laid_out_to_the_same_octets() -> None:
    chosen = ordinary(14)
    sheet = sheet_of([chosen], beside=[article(30)])
    plan = BY.plan_edition(chosen, sheet, newsletter())
    extra = Extra(omit=(101,), followed=(Followed(article_id=130, ref="ab", title="T"),))
    kept = read_sheet("de", json.loads(json.dumps(sheet.as_json())))
    again = lay_out(
        kept,
        read_plan(json.loads(json.dumps(plan.as_json()))),
        nonce=NONCE,
        extra=read_extra(json.loads(json.dumps(extra.as_json()))),
        stop_urls=STOPS,
    )
    assert again == lay_out(sheet, plan, nonce=NONCE, extra=extra, stop_urls=STOPS)


def test_the_size_of_a_plan_is_that_of_its_html() -> None:
    chosen = ordinary(20)
    sheet = sheet_of([chosen])
    plan = BY.plan_edition(chosen, sheet, newsletter())
    assert size(sheet, plan) == size_of(lay_out(sheet, plan, nonce=NONCE))


def test_forty_selections_are_inlined_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def counted(page: str) -> str:
        calls.append(len(page))
        return inline(page)

    monkeypatch.setattr(render, "inline", counted)
    whole = named(50)
    drafts = [draft(whole[n : n + 10]) for n in range(40)]
    sheet = sheet_of(drafts)
    assert len(calls) == 1
    for n, each in enumerate(drafts):
        plan = BY.plan_edition(each, sheet, newsletter())
        page, text = assemble(written_as(lay_out(sheet, plan, nonce=NONCE)), LINKS, address=ADDRESS)
        assert titles(page) == told(*range(n, n + 10))
        assert [line for line in text.splitlines() if re.match(r"\d+\. ", line)] == [
            f"{place}. {title}" for place, title in enumerate(told(*range(n, n + 10)), start=1)
        ]
    assert len(calls) == 1


def test_only_what_a_plan_may_need_is_rendered() -> None:
    whole = named(14)
    sheet = sheet_of([draft(whole), draft(whole[2:])], beside=[article(30)])
    forms: dict[Form, set[int]] = {form: set() for form in Form}
    for name in sheet.pieces:
        if name.startswith("card:"):
            _, key, form = name.split(":")
            forms[Form(form)].add(int(key) - 100)
    assert forms[Form.LEAD] == {0, 2}
    assert forms[Form.FULL] == {*range(1, 12), 30}
    assert forms[Form.BRIEF] == {*range(14), 30}
    assert forms[Form.LINE] == {*range(14), 30}


def test_the_first_card_of_each_selection_leads() -> None:
    whole = named(5)
    drafts = [draft(whole), draft(whole[3:])]
    sheet = sheet_of(drafts)
    for each in drafts:
        written = lay_out(sheet, BY.plan_edition(each, sheet, newsletter()), nonce=NONCE)
        leads = [card.article_id for card in written.cards if 'class="lead"' in card.html]
        assert leads == [each.articles[0].id]


def test_a_plan_tells_less_where_all_would_be_too_much() -> None:
    whole = [
        article(n, title="Wort " * 60, excerpt="wort " * 400, url=f"https://a.example/{'x' * 1200}")
        for n in range(40)
    ]
    drafts = [draft(whole), draft(whole[:24]), draft(whole[:5])]
    sheet = sheet_of(drafts)
    plans = [BY.plan_edition(each, sheet, newsletter()) for each in drafts]
    assert all(size(sheet, plan) <= SIZE for plan in plans)
    least, middle, most = (
        [place.form for part in plan.parts for place in part.places] for plan in plans
    )
    assert set(least) == {Form.LINE}
    assert plans[0].headlines == 0
    assert middle[:4] == [Form.LEAD, *[Form.FULL] * 3]
    assert set(middle[4:]) in ({Form.BRIEF}, {Form.LINE})
    assert most == [Form.LEAD, *[Form.FULL] * 4]


def test_a_form_that_the_sheet_lacks_gives_way_to_a_shorter_one() -> None:
    chosen = draft(named(3))
    sheet = sheet_of([chosen])
    pieces = {
        name: piece
        for name, piece in sheet.pieces.items()
        if name not in {"card:100:lead", "card:101:full", "card:101:brief", "card:101:line"}
    }
    pieces["card:101:lead"] = sheet.pieces["card:100:lead"]
    plan = BY.plan_edition(chosen, replace(sheet, pieces=pieces), newsletter())
    assert [place.form for place in plan.parts[0].places] == [Form.BRIEF, Form.LEAD, Form.FULL]
    with pytest.raises(ValueError, match="no card of article 109"):
        BY.plan_edition(draft([article(9)]), sheet, newsletter())


def test_laying_out_takes_less_than_a_millisecond() -> None:
    chosen = ordinary(40)
    sheet = sheet_of([chosen])
    plan = BY.plan_edition(chosen, sheet, newsletter())
    spent = []
    for _ in range(20):
        begun = time.process_time()
        for _ in range(10):
            lay_out(sheet, plan, nonce=NONCE)
        spent.append((time.process_time() - begun) / 10)
    # half of it on the machine that this was written on: room for slower ones
    assert min(spent) < 0.002


def test_bound_it_is_what_everybody_gets() -> None:
    written = edition(ordinary(8)).written
    bound = bind(written, nonce=NONCE)
    assert bound.cards == ()
    assert assemble(written_as(bound), LINKS, address=ADDRESS) == assemble(
        written_as(written), LINKS, address=ADDRESS
    )


# --------------------------------------------------------------------------- single readers


def test_what_a_reader_had_goes_with_its_headline_and_is_not_counted() -> None:
    whole = named(15)
    chosen = draft(whole, subject=f"{whole[0].title} (+14 weitere)")
    page, text = laid_out(chosen, extra=Extra(omit=(100, 103)))
    left = told(1, 2, *range(4, 15))
    assert titles(page) == left
    assert items(page) == left[:12]
    assert "13 Meldungen" in page
    assert "und 1 weitere weiter unten" in text
    assert "Zahl 0" not in page + text
    assert "Zahl 3" not in page + text


def test_the_subject_does_not_promise_what_is_left_out() -> None:
    whole = named(6)
    chosen = draft(
        whole,
        subject=f"{whole[0].title} (+5 weitere)",
        preheader=" · ".join(each.title for each in whole[1:4]),
    )
    sheet = sheet_of([chosen])
    plan = BY.plan_edition(chosen, sheet, newsletter())
    written = lay_out(sheet, plan, nonce=NONCE, extra=Extra(omit=(100, 102)))
    assert written.subject == "Meldung mit der Zahl 1 (+3 weitere)"
    assert written.preheader == " · ".join(told(3, 4, 5))
    assert f"<title>{written.subject}</title>" in written.html
    one = lay_out(sheet, plan, nonce=NONCE, extra=Extra(omit=(100, 101, 102, 103, 104)))
    assert one.subject == "Meldung mit der Zahl 5"
    own = replace(plan, subject="Was heute zählt")
    assert lay_out(sheet, own, nonce=NONCE, extra=Extra(omit=(100,))).subject == own.subject


def test_a_section_that_becomes_empty_goes() -> None:
    whole = [article(n, section="Stellenangebote" if n > 3 else None) for n in range(6)]
    page, text = laid_out(draft(whole), extra=Extra(omit=(104, 105)))
    assert headings(page) == ["Auf einen Blick", "Meldungen"]
    assert "Stellenangebote" not in text
    page, _ = laid_out(draft(whole), extra=Extra(omit=(100, 101, 102, 103)))
    assert headings(page) == ["Auf einen Blick", "Stellenangebote"]


def test_nothing_breaks_where_all_was_had() -> None:
    page, text = laid_out(draft(named(3)), extra=Extra(omit=(100, 101, 102)))
    assert titles(page) == []
    assert headings(page) == []
    assert NONCE not in page + text


def test_an_empty_extra_changes_nothing() -> None:
    chosen = ordinary(14)
    sheet = sheet_of([chosen])
    plan = BY.plan_edition(chosen, sheet, newsletter())
    assert lay_out(sheet, plan, nonce=NONCE, extra=Extra()) == lay_out(sheet, plan, nonce=NONCE)


def test_each_article_that_is_followed_says_why_and_how_to_stop() -> None:
    extra = Extra(followed=(Followed(article_id=130, ref="ab", title="Ein <b>Speicher</b>"),))
    page, text = laid_out(
        draft(named(3)), extra=extra, beside=[article(30, title="Eis")], language="en"
    )
    assert titles(page) == ["Eis", *told(0, 1, 2)]
    assert headings(page) == ["At a glance", "You follow", "Stories"]
    assert "Because you follow “Ein &lt;b&gt;Speicher&lt;/b&gt;”" in page
    assert f'href="{STOPS["ab"].replace("&", "&amp;")}"' in page
    assert "\nBecause you follow “Ein <b>Speicher</b>”\n" in text
    assert f"Stop just this:\n{STOPS['ab']}\n\n1. Eis\n" in text
    assert "4 stories" in page


def test_what_stands_there_already_is_not_doubled() -> None:
    extra = Extra(
        followed=(
            Followed(article_id=102, ref="ab", title="Netze"),
            Followed(article_id=102, ref="cd", title="Speicher"),
        ),
        meanwhile=(101, 102),
    )
    page, _ = laid_out(draft(named(4)), extra=extra, language="en")
    assert titles(page) == told(0, 1, 2, 3)
    assert headings(page) == ["At a glance", "Stories"]
    why = [page.index("“Netze”"), page.index("“Speicher”")]
    cards = [page.index(f"{title}</a></h3>") for title in told(1, 2)]
    assert cards[0] < why[0] < why[1] < cards[1]


def test_what_came_meanwhile_has_a_section_of_its_own() -> None:
    extra = Extra(omit=(131,), meanwhile=(130, 131, 130, 999))
    beside = [article(n, title=f"Damals {n}") for n in (30, 31)]
    page, text = laid_out(draft(named(3)), extra=extra, beside=beside, language="en")
    assert headings(page) == ["At a glance", "Stories", "Since your last edition"]
    assert titles(page) == [*told(0, 1, 2), "Damals 30"]
    assert "\n4. Damals 30\n" in text


def test_long_titles_of_what_is_followed_are_wrapped() -> None:
    extra = Extra(followed=(Followed(article_id=101, ref="ab", title="Wort " * 40),))
    _, text = laid_out(draft(named(3)), extra=extra)
    assert [line for line in text.splitlines() if len(line) > 72 and "http" not in line] == []


def test_what_an_extra_makes_too_large_is_told_shorter() -> None:
    def long(numbers: range) -> list[Article]:
        return [
            article(
                n, title=f"Nr {n}", excerpt="wort " * 60, url=f"https://a.example/{n}{'x' * 300}"
            )
            for n in numbers
        ]

    chosen, beside = draft(long(range(30))), long(range(30, 80))
    sheet = sheet_of([chosen], beside=beside)
    plan = BY.plan_edition(chosen, sheet, newsletter())
    extra = Extra(meanwhile=tuple(each.id for each in beside))
    written = lay_out(sheet, plan, nonce=NONCE, extra=extra)
    assert len(written.cards) == 80
    assert SIZE - 3000 < size_of(written) <= SIZE
    first, last = written.cards[0], written.cards[29]
    assert "<img" in first.html
    assert "wort wort" not in last.html


def test_what_finds_no_room_even_so_is_left_out_and_the_last_first() -> None:
    url = f"https://a.example/{'x' * 900}"
    chosen = draft([article(n, url=f"{url}{n}") for n in range(10)])
    beside = [article(n, title="&" * 900, url=f"{url}{n}") for n in range(10, 90)]
    sheet = sheet_of([chosen], beside=beside)
    plan = BY.plan_edition(chosen, sheet, newsletter())
    followed = Followed(article_id=beside[0].id, ref="ab", title="Etwas")
    extra = Extra(followed=(followed,), meanwhile=tuple(each.id for each in beside))
    written = lay_out(sheet, plan, nonce=NONCE, extra=extra, stop_urls=STOPS)
    assert SIZE - 7000 < size_of(written) <= SIZE
    told = [card.article_id for card in written.cards]
    assert told == [beside[0].id, *plan.article_ids, *(each.id for each in beside[1:])][: len(told)]
    assert 11 < len(told) < 90
    page, text = assemble(written_as(written), LINKS, address=ADDRESS)
    assert len(titles(page)) == len(told)
    assert f"\n{len(told)}. " in text
    assert f"\n{len(told) + 1}. " not in text


def test_a_mail_may_consist_of_what_one_reader_gets_alone() -> None:
    nothing = draft([article(0)], sections=(), subject="Für Sie")
    extra = Extra(followed=(Followed(article_id=130, ref="ab", title="Etwas"),), meanwhile=(131,))
    beside = [article(n, title=f"Damals {n}") for n in (30, 31)]
    page, text = laid_out(nothing, extra=extra, beside=beside)
    assert titles(page) == ["Damals 30", "Damals 31"]
    assert "\n2. Damals 31\n" in text


# ------------------------------------------------------------------- hostile words, and marks


def test_marks_and_slots_of_another_edition_are_only_text() -> None:
    other = "f" * 32
    words = [
        f"<!--{other}:card:101:full--> {other}-unsubscribe {other}-number.",
        f"{other}:/card",
        f"<!--{other}:parts-->",
    ]
    chosen = draft([article(n, title=bad, excerpt=bad) for n, bad in enumerate(words)])
    extra = Extra(followed=(Followed(article_id=101, ref="ab", title=words[0]),))
    page, text = laid_out(chosen, extra=extra)
    assert titles(page) == words
    assert f"1. {words[0]}".split() == text[text.index("\n1. <!--") :].split()[:4]
    assert LINKS.unsubscribe not in "".join(titles(page))


def test_a_followed_title_with_this_editions_marks_fills_nothing() -> None:
    title = f"{NONCE}-unsubscribe {NONCE}-number. <!--{NONCE}:card:100-->"
    extra = Extra(followed=(Followed(article_id=101, ref="ab", title=title),))
    page, text = laid_out(draft(named(3)), extra=extra)
    assert NONCE not in page + text
    assert page.count(LINKS.unsubscribe) == 1
    assert titles(page) == told(0, 1, 2)


_TITLES = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40))
_POOL = [article(n, section=(None, None, "Jobs")[n % 3]) for n in range(12)]
_PICKS = st.lists(st.sampled_from(range(12)), min_size=1, max_size=12, unique=True)


def _draft(numbers: Sequence[int], pool: Sequence[Article]) -> Draft:
    return draft(sorted((pool[n] for n in numbers), key=lambda each: each.section or ""))


@settings(max_examples=8, deadline=None)
@given(
    titles_=st.lists(_TITLES, min_size=12, max_size=12),
    picks=st.lists(_PICKS, min_size=1, max_size=4),
    omit=st.lists(st.sampled_from(range(12)), max_size=4),
    more=st.lists(st.sampled_from(range(16)), max_size=4),
    followed=st.lists(st.tuples(st.sampled_from(range(16)), _TITLES), max_size=3),
)
def test_every_selection_is_balanced_and_has_each_chosen_card_once(
    titles_: list[str],
    picks: list[list[int]],
    omit: list[int],
    more: list[int],
    followed: list[tuple[int, str]],
) -> None:
    pool = [replace(each, title=title) for each, title in zip(_POOL, titles_, strict=True)]
    drafts = [_draft(numbers, pool) for numbers in picks]
    beside = [article(n) for n in range(12, 16)]
    sheet = sheet_of(drafts, beside=beside)
    extra = Extra(
        omit=tuple(100 + n for n in omit),
        meanwhile=tuple(100 + n for n in more),
        followed=tuple(Followed(article_id=100 + n, ref="ab", title=t) for n, t in followed),
    )
    for chosen in drafts:
        plan = BY.plan_edition(chosen, sheet, newsletter())
        assert list(plan.article_ids) == [each.id for each in chosen.articles]
        _is_whole(sheet, plan, None, [each.id for each in chosen.articles])
        planned = {each.id for each in chosen.articles} | set(extra.meanwhile)
        known = {int(name.split(":")[1]) for name in sheet.pieces if name.startswith("card:")}
        mine = (planned | {each.article_id for each in extra.followed}) & known - set(extra.omit)
        _is_whole(sheet, plan, extra, sorted(mine))


def _is_whole(sheet: Sheet, plan: Plan, extra: Extra | None, ids: list[int]) -> None:
    written = lay_out(sheet, plan, nonce=NONCE, extra=extra, stop_urls=STOPS)
    assert sorted(card.article_id for card in written.cards) == sorted(ids)
    page, text = assemble(written_as(written), LINKS, address=ADDRESS)
    assert NONCE not in page + text
    assert NONCE not in archive_html(written_as(written), public_url=PUBLIC_URL)
    for tag in ("div", "table", "tr", "td", "p", "ol", "li", "h2", "h3", "a", "span"):
        assert len(re.findall(rf"<{tag}[ >]", page)) == page.count(f"</{tag}>"), tag
    assert len(titles(page)) == len(ids)
    numbers = re.findall(r"^\[(\d+)\] http", text, re.MULTILINE)
    assert numbers == [str(n) for n in range(1, len(ids) + 1)]


# ------------------------------------------------------------------------- sections and more


def test_a_section_of_fixed_text_stands_where_the_operator_has_it() -> None:
    rules = (
        SectionRule(title="Bücher", text="Ein Buch über Wärme.", url="https://buch.example/"),
        SectionRule(title="Stellenangebote", text="Wir suchen Leute."),
        SectionRule(title="Leer"),
        SectionRule(title="Termine", text="Am Montag."),
    )
    whole = [article(n, section="Stellenangebote" if n > 3 else None) for n in range(6)]
    of = newsletter(sections=rules)
    page, text = laid_out(draft(whole), of=of)
    assert headings(page) == [
        "Auf einen Blick",
        "Meldungen",
        "Bücher",
        "Stellenangebote",
        "Termine",
    ]
    assert 'href="https://buch.example/"' in page
    assert "\nBücher\n" in text
    assert "Ein Buch über Wärme.\nhttps://buch.example/\n" in text
    page, _ = laid_out(draft(whole), of=of, extra=Extra(omit=(104, 105)))
    assert "Stellenangebote" in headings(page)
    assert "6 Meldungen" not in page


def test_sections_that_the_operator_did_not_name_stand_behind() -> None:
    rules = (SectionRule(title="Bücher", text="Ein Buch."),)
    chosen = Draft(
        sections=(
            Section(title=None, articles=(article(0),)),
            Section(title="Neues", articles=(article(1),)),
        ),
        left_out=(),
        subject="S",
        preheader="",
    )
    page, _ = laid_out(chosen, of=newsletter(sections=rules))
    assert headings(page)[1:] == ["Meldungen", "Bücher", "Neues"]


def test_a_sponsor_stands_behind_the_first_section_and_is_no_story() -> None:
    ad = Sponsor(title="Server", text="Aus Wasserkraft.", url="https://ad.example.org/?a=1&b=2")
    whole = [article(n, section="Jobs" if n > 3 else None) for n in range(6)]
    of = newsletter(sponsors=(ad,))
    extra = Extra(followed=(Followed(article_id=130, ref="ab", title="T"),))
    for more, beside in ((None, ()), (extra, (article(30),))):
        page, text = laid_out(draft(whole), of=of, language="en", extra=more, beside=beside)
        places = [page.index(f">{name}</h2>") for name in ("Stories", "Jobs")]
        assert places[0] < page.index("Advertisement") < places[1]
        assert page.count("Server") == 1
        assert "Server" not in titles(page)
        assert re.search(
            r'<a [^>]*rel="sponsored"[^>]*href="https://ad.example.org/\?a=1&amp;b=2"', page
        )
        assert (
            "[Advertisement]\nServer\nAus Wasserkraft.\nhttps://ad.example.org/?a=1&b=2\n" in text
        )
    assert "6 stories" in laid_out(draft(whole), of=of, language="en")[0]


def test_numbers_and_what_found_no_room_are_said_for_each_selection() -> None:
    whole = named(20)
    drafts = [
        replace(draft(whole), left_out=(left_out(30), left_out(31))),
        draft(whole[:1]),
        replace(draft(whole[:13]), left_out=(left_out(30),)),
    ]
    sheet = sheet_of(drafts)
    pages = [
        assemble(
            written_as(lay_out(sheet, BY.plan_edition(each, sheet, newsletter()), nonce=NONCE)),
            LINKS,
            address=ADDRESS,
        )[0]
        for each in drafts
    ]
    assert ["20 Meldungen" in pages[0], "1 Meldung<" in re.sub(r" ·", "<", pages[1])] == [True] * 2
    assert "und 8 weitere weiter unten" in pages[0]
    assert "2 weitere Meldungen stehen auf" in pages[0]
    assert "Auf einen Blick" not in pages[1]
    assert "stehen auf" not in pages[1]
    assert "und 1 weitere weiter unten" in pages[2]
    assert "Eine weitere Meldung steht auf" in pages[2]


def test_what_found_no_room_at_several_sites_is_only_counted() -> None:
    elsewhere = replace(
        left_out(31), article=article(31, url="https://www.example.net/2026/a.html")
    )
    chosen = replace(ordinary(2), left_out=(left_out(30), elsewhere))
    page, text = laid_out(chosen)
    assert "2 weitere Meldungen fanden hier keinen Platz." in page
    assert "2 weitere Meldungen fanden hier keinen Platz." in text
    assert "stehen auf" not in page
