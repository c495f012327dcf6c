"""A theme is cut apart at its marks, and what it forgot is said with the place to mend it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from message_samples import NONCE, draft, edition, newsletter, ordinary, own_theme, renderer

from digest.errors import TemplateFault
from digest.messages.cut import cut
from digest.messages.marks import Marks, slots
from digest.model.policy import Sponsor

if TYPE_CHECKING:
    from pathlib import Path

SLOT = slots(NONCE)


def page(*parts: str) -> str:
    return "".join(f"<!--{NONCE}{each}-->" if each.startswith(":") else each for each in parts)


def pieces(text: str, *, html: bool = True) -> dict[str, str]:
    return cut(text, nonce=NONCE, html=html, where="body.html")


def test_pieces_are_cut_out_and_holes_are_left() -> None:
    found = pieces(
        page(
            "<b>", ":headlines", "<ol>", ":headline:7", "<li>x", ":/headline", ":headline:8",
            "<li>y", ":/headline", "</ol>", ":/headlines", ":part:0", "<h2>", ":card:7:full", "A",
            ":/card", ":card:8:brief", "B", ":/card", "</h2>", ":/part", ":part:1", "C", ":/part",
            ":why", "W", ":/why", "</b>",
        )
    )  # fmt: skip
    assert {name: piece.strip() for name, piece in found.items()} == {
        "headline:7": "<li>x",
        "headline:8": "<li>y",
        "card:7:full": "A",
        "card:8:brief": "B",
        "part:0": page("<h2>", ":cards", "</h2>"),
        "part:1": "C",
        "why": "W",
        "frame": page(
            "<b>", ":headlines", "<ol>", ":items", "</ol>", ":/headlines", ":parts", "</b>"
        ),
    }


def test_marks_of_a_text_stand_on_lines_of_their_own() -> None:
    text = "".join(
        f"{line}\n"
        for line in (
            "Name", "", "", f"{NONCE}:part:0", "Titel", "", f"{NONCE}:card:7:full", "",
            f"{SLOT['number']}. Eins", "", "", f"{NONCE}:/card", f"{NONCE}:/part", "Ende",
        )
    )  # fmt: skip
    assert pieces(text, html=False) == {
        "card:7:full": f"{SLOT['number']}. Eins\n\n",
        "part:0": f"\nTitel\n\n{NONCE}:cards\n",
        "frame": f"Name\n\n{NONCE}:parts\nEnde\n",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (page(":part:0", ":card:7:full", "A", ":/part"), "marks.card(story) has no marks.card_end"),
        (page(":part:0", "A"), "marks.part(part) has no marks.part_end before the end"),
        (page(":/why"), "marks.why_end ends nothing: write marks.why"),
        (page(":why", ":mail", ":/why", ":/mail"), "marks.mail has no marks.mail_end"),
        (
            SLOT["number"],
            "story.number stands where nobody fills it in: it belongs inside marks.card",
        ),
        (
            page(":card:7:full", SLOT["stories"], ":/card"),
            "slot.stories stands between marks.card and",
        ),
        (page(":why", SLOT["also"], ":/why"), "slot.also stands between marks.why"),
        (page(":also", ":/also"), "marks.also stands where"),
        (page(":card:7:full", ":more", ":/more", ":/card"), "marks.more stands between marks.card"),
        (SLOT["subject"].upper(), "without filters"),
        (SLOT["subject"][:-3], "without filters"),
        (f"<!-- {NONCE}:card:7:full -->", "without filters"),
    ],
)
def test_what_is_set_wrongly_is_a_fault(text: str, said: str) -> None:
    with pytest.raises(TemplateFault, match=re.escape(said)) as caught:
        pieces(text)
    assert str(caught.value).startswith("body.html: ")
    assert "\n" not in str(caught.value)


def test_there_are_no_other_marks() -> None:
    marks = Marks(NONCE, html=True)
    assert str(marks.more_link_end) == f"<!--{NONCE}:/more_link-->"
    assert not hasattr(marks, "footer")
    with pytest.raises(TypeError, match=re.escape("write marks.card(story)")):
        marks.card(7)  # type: ignore[arg-type]  # as themes did once


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("body.html", "{{ marks.card_end }}", "", "marks.card(story) has no marks.card_end"),
        ("body.html", "{{ marks.card(story) }}", "", "marks.card_end ends nothing"),
        ("body.html", "marks.card(story)", "marks.card(story.id)", "write marks.card(story)"),
        ("body.html", "marks.part(part)", "marks.part(part.title)", "write marks.part(part)"),
        ("body.html", "{{ marks.why }}", "{{ marks.wy }}", "'wy'"),
        ("body.html", "{% for story in part.stories %}", "{% for story in part.stories[1:] %}",
         "marks.card(story) and marks.card_end are missing for some of them"),
        ("body.txt", "{% for part in contents.parts %}", "{% for part in contents.parts[1:] %}",
         "marks.card(story) and marks.card_end are missing"),
        ("body.txt", "{{ marks.card(story) }}\n", "-- {{ marks.card(story) }}\n", "marks.card_end"),
        ("body.html", "{{ slot.stop }}", "{{ slot.also }}", "slot.also stands between marks.why"),
        ("body.txt", "{{ slot.stop }}", "", "stands no slot.stop"),
        ("body.html", "<title>{{ subject }}", "<title>{{ subject|upper }}", "without filters"),
        ("body.txt", "{{ slot.unsubscribe }}", "", "no slot.unsubscribe"),
    ],
)  # fmt: skip
def test_a_theme_that_forgot_something_is_refused(
    tmp_path: Path, name: str, old: str, new: str, said: str
) -> None:
    own_theme(tmp_path, name, old, new)
    with pytest.raises(TemplateFault, match=re.escape(said)) as caught:
        edition(ordinary(2), by=renderer(tmp_path))
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_cards_outside_of_parts_are_refused(tmp_path: Path) -> None:
    own_theme(
        tmp_path,
        "body.html",
        "{{ marks.part(part) }}",
        "{{ marks.part(part) }}{{ marks.part_end }}",
    )
    theme = tmp_path / "editions" / "plain" / "body.html"
    text = theme.read_text("utf-8")
    theme.write_text(text.replace("{% endfor %}\n{{ marks.part_end }}", "{% endfor %}"), "utf-8")
    with pytest.raises(TemplateFault, match="stands outside of its part"):
        edition(ordinary(2), by=renderer(tmp_path))


def test_a_theme_without_a_place_for_ads_is_refused_where_there_are_some(tmp_path: Path) -> None:
    own_theme(tmp_path, "body.html", "{% if contents.sponsors %}", "{% if false %}")
    by = renderer(tmp_path)
    edition(ordinary(2), by=by)
    of = newsletter(sponsors=(Sponsor(title="S", text="T", url="https://ad.example/"),))
    with pytest.raises(TemplateFault, match=r"marks\.sponsors_end are missing"):
        edition(ordinary(2), by=by, of=of)


def test_a_theme_may_do_without_headlines_and_links_to_others(tmp_path: Path) -> None:
    theme = tmp_path / "editions" / "small"
    theme.mkdir(parents=True)
    loop = (
        "{% for part in contents.parts %}\n{{ marks.part(part) }}\n"
        "{% for story in part.stories %}\n"
        "{{ marks.card(story) }}\n{{ story.title }}\n{{ marks.card_end }}\n{% endfor %}\n"
        "{{ marks.part_end }}\n{% endfor %}\n{{ marks.why }}\n{{ slot.followed }}\n"
        "{{ slot.stop }}\n{{ marks.why_end }}\n{{ slot.unsubscribe }}\n"
    )
    (theme / "subject.txt").write_text("{{ subject }} No. {{ number }}", "utf-8")
    (theme / "body.txt").write_text(loop, "utf-8")
    (theme / "body.html").write_text(f"<body>{loop}</body>", "utf-8")
    (theme / "style.css").write_text("", "utf-8")
    chosen = ordinary(3)
    made = edition(chosen, of=newsletter(theme="small"), by=renderer(tmp_path)).written
    assert [card.text for card in made.cards] == [f"{each.title}\n\n" for each in chosen.articles]
    assert made.subject == f"{chosen.subject} No. 12"
    assert draft(chosen.articles).subject == chosen.subject
