"""What the house promises about itself: small parts, words on every door, safe pins."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from digest.cli.main import app
from digest.messages.templates import builtin_templates

ROOT = Path(__file__).parents[1]
LINES = 300
FUNCTION_LINES = 50
MEDIAN = 12

#: functions that may be longer, and why
LONG = {
    ("digest/store/migrations/versions/0001_first.py", "upgrade"): "every table, as it was made",
    ("digest/store/migrations/versions/0002_troubles.py", "upgrade"): "every table, as it was made",
    ("digest/store/migrations/versions/0003_readers.py", "upgrade"): "every table, as it was made",
    ("digest/store/migrations/versions/0004_feeds.py", "upgrade"): "every table, as it was made",
    ("digest/store/migrations/versions/0005_choosing.py", "upgrade"): "every table, as it was made",
}

MODULES = sorted((ROOT / "digest").rglob("*.py"))
LOCKS = sorted(ROOT.glob("requirements*.lock"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function of a module and how many lines it has."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


def found(pattern: str, *paths: Path) -> list[str]:
    """The lines that match, as `file:line`."""
    return [
        f"{name(path)}:{number}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(pattern, line)
    ]


def test_there_is_something_to_look_at() -> None:
    assert len(MODULES) > 50
    assert [name(path) for path in LOCKS] == ["requirements-dev.lock", "requirements.lock"]


def test_no_file_is_long() -> None:
    sizes = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {path: size for path, size in sizes.items() if size > LINES} == {}


def test_no_function_is_long_and_most_are_short() -> None:
    sizes = {(name(path), function): size for path in MODULES for function, size in functions(path)}
    assert {key for key, size in sizes.items() if size > FUNCTION_LINES} == set(LONG)
    assert sorted(sizes.values())[len(sizes) // 2] <= MEDIAN


def test_every_module_opens_with_a_sentence() -> None:
    silent = []
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        opening = ast.get_docstring(ast.parse(text)) if text.strip() else "An empty one is silent."
        paragraph = (opening or "").partition("\n\n")[0].strip()
        if not re.fullmatch(r"(?s)\S+ .{15,}\.", paragraph):
            silent.append(name(path))
    assert silent == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"\bsend_message\(",  # folds the headers again and breaks one-click unsubscribe
        r"\butcnow\(",  # naive
        r"autoescape\s*=\s*(False|None)",
        r"select_autoescape\(",  # does not know x.html.j2
        r"\bshell\s*=\s*True",
        r"verify_mode\s*=|check_hostname\s*=\s*False|_create_unverified_context",
    ],
)
def test_what_may_not_be_written_is_nowhere(pattern: str) -> None:
    assert found(pattern, *MODULES) == []


def test_no_template_turns_escaping_off_for_what_it_is_given_or_runs_scripts() -> None:
    templates = [
        path for path in builtin_templates().rglob("*") if path.suffix in (".html", ".txt")
    ]
    templates += sorted((ROOT / "digest" / "demo").rglob("*.html"))
    assert len(templates) > 10
    assert found(r"autoescape|[^\"'\s]\s*\|\s*safe\b", *templates) == []
    # the one script of ours that a page has, for the proof of work; it is named by its hash
    assert [line.partition(":")[0] for line in found("<script", *templates)] == [
        "templates/pages/work.html"
    ]


def test_the_lock_files_pin_by_hash_and_name_no_place_to_fetch_from() -> None:
    assert (
        found(r"https?://|file:|--(extra-)?index-url|--find-links|--trusted-host|@ ", *LOCKS) == []
    )
    for path in LOCKS:
        text = path.read_text(encoding="utf-8")
        pins = re.findall(r"(?m)^[a-z0-9][\w.\[\],-]*==[^\s;]+", text)
        assert len(pins) > 20
        blocks = re.split(r"(?m)^(?=[a-z0-9])", text)[1:]
        assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def commands(group: TyperGroup, prefix: str = "digest") -> Iterator[tuple[str, str]]:
    """Each command and its help."""
    for each in group.commands.values():
        path = f"{prefix} {each.name}"
        assert each.help, path
        if isinstance(each, TyperGroup):
            yield from commands(each, path)
        else:
            yield path, each.help


def test_every_command_says_what_it_does_and_shows_an_example() -> None:
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    known = dict(commands(root))
    assert {"digest send", "digest feed check", "digest serve"} <= set(known)
    for path, text in known.items():
        assert re.match(r"[A-Z][^.]+\.", text), path
        assert "Example" in text, path
        # the example is of this very command
        assert f"[bold]{path}" in " ".join(text.split()), path
