"""`digest theme`: an operator copies a theme, changes it, and hears what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from shell import SECRET, Desk, newsletters


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    (tmp_path / "newsletters.toml").write_text(newsletters("https://www.example.org/feed"), "utf-8")
    return made


def test_a_copied_theme_is_listed_checked_and_used(desk: Desk) -> None:
    done = desk.run("theme", "new", "harbour", "--from", "cards")
    assert done.code == 0, done.err
    assert 'theme = "harbour"' in done.err
    listed = desk.run("theme", "list", "--json").json
    assert [each["theme"] for each in listed] == ["brief", "cards", "harbour", "plain"]
    assert [each["ours"] for each in listed] == [True, True, False, True]
    assert desk.run("theme", "check", "harbour", "--json").json == {"harbour": []}
    assert "nothing was found" in desk.run("theme", "check", "harbour").out


def test_nothing_is_overwritten_and_names_are_names(desk: Desk) -> None:
    (desk.folder / "notes").mkdir()
    for name in ("notes", "plain", "../out", "Ä", "a b"):
        done = desk.run("theme", "new", name)
        assert done.code == 2
        assert name in done.complaint
    assert desk.run("theme", "new", "harbour", "--from", "nowhere").code == 2
    assert not (desk.folder / "harbour").exists()


def test_a_theme_without_a_way_out_is_found_and_the_service_does_not_start_with_it(
    desk: Desk,
) -> None:
    assert desk.run("theme", "new", "harbour").code == 0
    body = desk.folder / "harbour" / "body.html"
    text = body.read_text("utf-8").replace('href="{{ slot.unsubscribe }}"', 'href="#"')
    body.write_text(text + "<!--{{ slot.unsubscribe }}-->", "utf-8")
    done = desk.run("theme", "check", "harbour")
    assert done.code == 1
    assert "harbour: error: body.html: no link to unsubscribe" in done.out
    file = desk.folder / "newsletters.toml"
    told = file.read_text("utf-8")
    file.write_text(
        told.replace('theme = "plain"', 'theme = "harbour"')
        if 'theme = "plain"' in told
        else told.replace("[[newsletter]]\n", '[[newsletter]]\ntheme = "harbour"\n', 1),
        "utf-8",
    )
    (desk.folder / ".env").write_text(f'DIGEST_SECRET_KEY="{SECRET}"\n', "utf-8")
    done = desk.run("status")
    assert done.code == 1
    assert "theme harbour: body.html: no link to unsubscribe" in done.complaint


def test_an_unknown_theme_is_one_line(desk: Desk) -> None:
    done = desk.run("theme", "check", "nowhere")
    assert done.code == 2
    assert "nowhere: there is no such theme; there are brief, cards, plain" in done.complaint
