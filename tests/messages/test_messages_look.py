"""What an operator says about looks becomes colours that can be read, or is refused in a line."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from message_samples import MADE_AT, NONCE, PUBLIC_URL, newsletter, ordinary

from digest.errors import TemplateFault
from digest.messages.colours import contrast, mix, readable
from digest.messages.look import Palette, appear, read_look, read_theme_look
from digest.messages.render import Renderer, builtin_templates
from digest.model.look import Colours, Look

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COLOURS = st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06x}")


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)
    assert contrast("#ff6600", "#ff6600") == 1


def test_colours_mix_by_share() -> None:
    assert mix("#000000", "#ffffff", 0) == "#000000"
    assert mix("#000000", "#ffffff", 1) == "#ffffff"
    assert mix("#000000", "#ff0080", 0.5) == "#800040"


def test_the_nearest_readable_colour_keeps_what_is_readable_already() -> None:
    assert readable("#767676", ["#ffffff"]) == "#767676"
    assert readable("#777777", ["#ffffff"]) != "#777777"
    assert readable("#777777", ["#ffffff", "#000000"], least=4.7) is None


def _all_read(palette: Palette) -> None:
    for paper in (palette.paper, palette.tint):
        for colour in (palette.ink, palette.text, palette.quiet, palette.accent):
            assert contrast(colour, paper) >= 4.5
    assert contrast(palette.foot, palette.page) >= 4.5
    assert contrast(palette.upon, palette.accent) >= 4.5


@given(COLOURS, COLOURS, COLOURS, COLOURS)
def test_a_theme_of_any_colours_can_be_read(
    accent: str, background: str, paper: str, ink: str
) -> None:
    own = Colours(accent=accent, background=background, paper=paper, ink=ink)
    made = appear(Look(), Look(light=own, dark=own))
    _all_read(made.light)
    _all_read(made.dark)
    assert (made.light.page, made.light.paper) == (background, paper)


@given(COLOURS)
def test_said_colours_stay_or_are_refused_with_one_that_will_do(accent: str) -> None:
    try:
        made = appear(Look(light=Colours(accent=accent)), Look())
    except ValueError as problem:
        nearest = str(problem).rpartition("; ")[2].split()[0]
        made = appear(Look(light=Colours(accent=nearest)), Look())
        assert made.light.accent == nearest
    else:
        assert made.light.accent == accent
    _all_read(made.light)
    _all_read(made.dark)


def test_an_accent_of_the_operator_is_the_one_of_the_night_too() -> None:
    theme = read_theme_look('accent = "#9a3324"\ndark = { accent = "#f1a592" }')
    said = read_look({"accent": "#0b57d0"})
    assert appear(Look(), theme).dark.accent == "#f1a592"
    night = appear(said, theme).dark
    assert night.accent != "#f1a592"
    assert int(night.accent[5:], 16) > int(night.accent[1:3], 16), "still blue"


def test_an_unreadable_colour_is_refused_with_its_contrast_and_a_better_one() -> None:
    with pytest.raises(
        ValueError, match=r"^accent: #ff6600 on paper #ffffff has a contrast of 2\.9"
    ):
        appear(read_look({"accent": "#FF6600"}), Look())
    with pytest.raises(ValueError, match=r"^dark\.ink: #202020 on paper #1a1c20"):
        appear(read_look({"dark": {"ink": "#202020"}}), Look())


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"akzent": "#000000"}, "akzent: unknown"),
        ({"accent": "red"}, "accent: write a colour"),
        ({"accent": "#fff"}, "accent: write a colour"),
        ({"accent": "#fffff}"}, "accent: write a colour"),
        ({"accent": 5}, "accent: write a colour"),
        ({"dark": "#000000"}, "dark: write a table"),
        ({"dark": {"logo": "x"}}, "dark.logo: unknown"),
        ({"dark": {"ink": "black"}}, "dark.ink: write a colour"),
        ({"density": "tight"}, "density: say one of airy, normal, compact"),
        ({"density": ["airy"]}, "density: say one of"),
        ({"title_font": "Comic"}, "title_font: say sans"),
        ({"title_font": "Arial; color: red, serif"}, "title_font: say"),
        ({"text_font": "url(https://x.example/f), serif"}, "text_font: say"),
        ({"text_font": '"Arial", serif'}, "text_font: say"),
        ({"text_font": "Arial, " * 40 + "serif"}, "text_font: say"),
        ({"logo_width": 10}, "logo: say where it is"),
        ({"logo": "http://x.example/l.png", "logo_width": 1, "logo_height": 1}, "logo: write"),
        ({"logo": "https://", "logo_width": 1, "logo_height": 1}, "logo: write"),
        ({"logo": 'https://x.example/"><b', "logo_width": 1, "logo_height": 1}, "logo: write"),
        ({"logo": "https://[x", "logo_width": 1, "logo_height": 1}, "logo: write"),
        ({"logo": "https://x.example/l.png", "logo_height": 1}, "logo_width: say how many"),
        (
            {"logo": "https://x.example/l.png", "logo_width": 557, "logo_height": 1},
            "logo_width: say how many pixels it is to have in the mail, 1 to 556",
        ),
        (
            {"logo": "https://x.example/l.png", "logo_width": True, "logo_height": 1},
            "logo_width: say",
        ),
        (
            {"logo": "https://x.example/l.png", "logo_dark": "l.png"},
            "logo_dark: write a whole address",
        ),
    ],
)
def test_what_is_no_look_is_refused_by_its_key(table: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}"):
        read_look(table)


def test_fonts_and_density_are_said_in_a_word() -> None:
    made = appear(
        read_look(
            {"title_font": "mono", "text_font": "Verdana, Segoe UI, serif", "density": "airy"}
        ),
        Look(),
    )
    assert made.title_font.endswith("monospace")
    assert made.text_font == "Verdana, Segoe UI, serif"
    assert (made.gap(20), appear(Look(), Look()).gap(20)) == (25, 20)


def test_a_theme_whose_look_is_none_is_refused_at_the_start(tmp_path: Path) -> None:
    own = tmp_path / "editions" / "plain"
    own.mkdir(parents=True)
    (own / "look.toml").write_text("accent = ", encoding="utf-8")
    with pytest.raises(TemplateFault, match=r"editions/plain/look\.toml: .*mend the theme"):
        Renderer([tmp_path, builtin_templates()]).check_theme(newsletter())


def test_a_newsletter_whose_look_cannot_be_read_is_refused_at_the_start() -> None:
    faint = replace(newsletter(), look=read_look({"accent": "#cccccc"}))
    with pytest.raises(TemplateFault, match=r"^newsletter .*: look: accent: #cccccc on paper"):
        Renderer([builtin_templates()]).check_theme(faint)


def _mail(said: Mapping[str, object]) -> str:
    written = Renderer([builtin_templates()]).render_edition(
        ordinary(2),
        newsletter(look=read_look(said)),
        number=7,
        made_at=MADE_AT,
        language="de",
        nonce=NONCE,
        public_url=PUBLIC_URL,
    )
    return written.html + "".join(card.html for card in written.cards)


def test_a_logo_stands_for_the_name_and_on_dark_paper_its_own() -> None:
    logo = {"logo": "https://x.example/l.png", "logo_width": 200, "logo_height": 40}
    drawn = 'src="https://x.example/l.png" alt="Die besten KI-News" width="200" height="40"'
    once = _mail(logo)
    assert drawn in once
    assert "l-dark.png" not in once
    twice = _mail(logo | {"logo_dark": "https://x.example/l-dark.png"})
    assert drawn in twice
    hidden = twice.partition("<!--[if !mso]><!-->")[2].partition("<!--<![endif]-->")[0]
    assert 'src="https://x.example/l-dark.png"' in hidden, "Outlook never shows both"
    assert "display:none" in hidden.replace(" ", "")


def test_colours_fonts_and_density_reach_the_mail() -> None:
    said = {
        "accent": "#0b57d0",
        "background": "#e8eef7",
        "title_font": "Verdana, sans-serif",
        "density": "compact",
        "dark": {"background": "#000814"},
    }
    html = _mail(said)
    for each in ('bgcolor="#e8eef7"', "#0b57d0", "Verdana, sans-serif", "#000814"):
        assert each in html
    assert "#f3f1ec" not in html
    assert "#9a3324" not in html
    assert "padding:18px 0 17px" in html.replace(": ", ":")
