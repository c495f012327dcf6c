"""Templates escape, look in the operator's folder first, and fail with a file and a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from message_samples import MADE_AT

from digest.errors import TemplateFault
from digest.messages.lines import wrap
from digest.messages.render import Renderer, builtin_templates
from digest.messages.templates import Templates

if TYPE_CHECKING:
    from pathlib import Path

ANGRY = "<b>&\"'"
ESCAPED = "&lt;b&gt;&amp;&#34;&#39;"


def written(folder: Path, name: str, text: str) -> Templates:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    return Templates([folder])


@pytest.mark.parametrize(
    "name", ["x.html", "x.html.j2", "x.jinja", "x.mjml", "x.htm", "x.css", "x.txt.html", "x"]
)
def test_everything_but_text_is_escaped(tmp_path: Path, name: str) -> None:
    templates = written(tmp_path, name, "{{ value }}")
    assert templates.render(name, language="de", context={"value": ANGRY}) == ESCAPED


def test_text_is_not_escaped(tmp_path: Path) -> None:
    templates = written(tmp_path, "x.txt", "{{ value }}")
    assert templates.render("x.txt", language="de", context={"value": ANGRY}) == ANGRY


def test_values_in_translated_sentences_are_escaped(tmp_path: Path) -> None:
    text = "{% trans title=value %}Please confirm: {{ title }}{% endtrans %}"
    templates = written(tmp_path, "x.html", text)
    said = templates.render("x.html", language="de", context={"value": ANGRY})
    assert said == f"Bitte bestätigen: {ESCAPED}"


def test_a_value_is_no_template(tmp_path: Path) -> None:
    templates = written(tmp_path, "x.txt", "{{ value }}")
    assert templates.render("x.txt", language="de", context={"value": "{{ 7*7 }}"}) == "{{ 7*7 }}"


def test_the_first_folder_wins(tmp_path: Path) -> None:
    for folder, text in (("own", "own"), ("built-in", "built-in")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.txt").write_text(text, "utf-8")
    (tmp_path / "built-in" / "y.txt").write_text("y", "utf-8")
    templates = Templates([tmp_path / "own", tmp_path / "built-in"])
    assert templates.render("x.txt", language="de", context={}) == "own"
    assert templates.render("y.txt", language="de", context={}) == "y"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("one\n{{ missing }}", "line 2: 'missing' is undefined"),
        ("one\ntwo\n{% if %}", "line 3: "),
        ("{{ 1 // 0 }}", "line 1: "),
        ("one\n{% include 'gone.txt' %}", "gone.txt is in none of"),
    ],
)
def test_a_fault_names_file_and_line_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    templates = written(tmp_path, "bad.txt", text)
    with pytest.raises(TemplateFault) as caught:
        templates.render("bad.txt", language="de", context={})
    said = str(caught.value)
    assert reason in said
    assert "\n" not in said
    assert str(tmp_path) in said


def test_a_template_outside_the_folders_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret", "utf-8")
    (tmp_path / "templates").mkdir()
    with pytest.raises(TemplateFault):
        Templates([tmp_path / "templates"]).render("../secret.txt", language="de", context={})


def test_a_page_speaks_the_readers_language(tmp_path: Path) -> None:
    written(
        tmp_path, "pages/x.html", "{{ language }} {{ direction }} {{ at|day('Europe/Berlin') }}"
    )
    page = Renderer([tmp_path]).render_page("x", language="de-AT", at=MADE_AT)
    assert page == "de ltr Montag, 23. November 2026"


def test_the_built_in_templates_are_found() -> None:
    assert (builtin_templates() / "editions" / "plain" / "body.html").is_file()


def test_text_is_wrapped_at_72_columns_and_words_stay_whole() -> None:
    address = "https://example.org/" + "a" * 90
    lines = wrap(f"{'wort ' * 40}{address} ende", "> ").splitlines()
    assert address in [line.removeprefix("> ") for line in lines]
    assert all(len(line) <= 72 for line in lines if address not in line)
    assert all(line.startswith("> ") for line in lines)
