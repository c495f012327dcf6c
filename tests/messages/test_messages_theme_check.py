"""A theme that would break the law or one-click is refused; what else is wrong is said."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from message_samples import newsletter

from digest.errors import TemplateFault
from digest.messages.render import Renderer, builtin_templates
from digest.messages.theme_check import check_theme, refuse_unlawful
from digest.messages.theme_css import check_css

if TYPE_CHECKING:
    from pathlib import Path

THEMES = ("brief", "cards", "plain")
UNSUBSCRIBE = '<a class="off" href="{{ slot.unsubscribe }}">'
ADDRESS = "{{ newsletter.address }}"
FLAG = '<p class="flag">{% trans %}Advertisement{% endtrans %}</p>'


def own(folder: Path, *, name: str = "harbour", source: str = "plain") -> Path:
    theme = folder / name
    shutil.copytree(builtin_templates() / "editions" / source, theme)
    return theme


def change(theme: Path, part: str, old: str, new: str) -> None:
    text = (theme / part).read_text("utf-8")
    assert old in text, old
    (theme / part).write_text(text.replace(old, new), "utf-8")


def renderer(beside: Path) -> Renderer:
    return Renderer([builtin_templates()], beside)


def findings(folder: Path) -> list[tuple[str, str]]:
    found = check_theme(renderer(folder), newsletter(theme="harbour"))
    return [(each.level, f"{each.where}: {each.what}") for each in found]


@pytest.mark.parametrize("theme", THEMES)
def test_nothing_is_found_in_our_own(theme: str, tmp_path: Path) -> None:
    assert check_theme(renderer(tmp_path), newsletter(theme=theme)) == ()
    own(tmp_path, source=theme)
    assert findings(tmp_path) == []
    refuse_unlawful(renderer(tmp_path), newsletter(theme="harbour"))


@pytest.mark.parametrize(
    ("part", "old", "new", "said"),
    [
        ("body.html", UNSUBSCRIBE, '<a href="{{ slot.unsubscribe }}" style="display:none">',
         "body.html: the link to unsubscribe cannot be seen"),
        ("body.html", UNSUBSCRIBE, '<a href="{{ slot.unsubscribe }}" style="font-size:1px">',
         "body.html: the link to unsubscribe cannot be seen"),
        ("body.html", UNSUBSCRIBE,
         '<a href="{{ slot.unsubscribe }}" style="color:{{ look.light.page }}">',
         "body.html: the link to unsubscribe cannot be seen"),
        ("body.html", UNSUBSCRIBE, '<a class="off" href="{{ slot.unsubscribe }}?sure=yes">',
         "body.html: no link to unsubscribe, or its address was changed"),
        ("body.html", UNSUBSCRIBE, '<!--<a href="{{ slot.unsubscribe }}">--><a href="https://x.example/">',
         "body.html: no link to unsubscribe, or its address was changed"),
        ("body.txt", "{{ slot.unsubscribe }}\n", "{{ slot.unsubscribe }}?sure=yes\n",
         "body.txt: no address to unsubscribe, or it was changed"),
        ("body.html", ADDRESS, "", "body.html: the postal address cannot be seen"),
        ("body.txt", "{{ newsletter.address|wrap }}", "", "the postal address is missing"),
        ("body.html", FLAG, "", "body.html: an advertisement is not marked as one"),
        ("body.html", FLAG, FLAG.replace('class="flag"', 'style="display:none"'),
         "body.html: an advertisement is not marked as one"),
        ("body.txt", '[{{ _("Advertisement") }}]', "", "body.txt: an advertisement is not marked"),
        ("body.html", "</body>", "<script>x()</script></body>", "body.html: <script> runs"),
        ("body.html", "</body>", '<iframe src="https://x.example/"></iframe></body>',
         "body.html: <iframe> runs"),
        ("body.html", "</body>", '<form action="https://x.example/"></form></body>', "<form> runs"),
        ("body.html", "</head>", '<link rel="stylesheet" href="https://x.example/a.css"></head>',
         "<link> runs"),
        ("body.html", "<h1 ", '<h1 onclick="x()" ', 'onclick="x()" runs in a mail'),
        ("body.html", "</body>", '<a href=" javascript:x()">x</a></body>', "runs in a mail"),
        ("body.html", "</body>",
         '<img src="https://spy.example/1.gif" alt="" width="1" height="1"></body>',
         "a picture that nobody sees: https://spy.example/1.gif"),
        ("body.html", "</body>",
         '<p style="display:none"><img src="https://spy.example/2.gif" width="9" height="9"></p>',
         "a picture that nobody sees: https://spy.example/2.gif"),
        ("body.html", "</body>",
         '<p style="background:url(https://spy.example/3.gif)">x</p></body>',
         "a background is loaded from elsewhere"),
    ],
)  # fmt: skip
def test_what_breaks_the_law_or_one_click_is_found_and_refused_at_the_start(
    tmp_path: Path, part: str, old: str, new: str, said: str
) -> None:
    change(own(tmp_path), part, old, new)
    errors = [what for level, what in findings(tmp_path) if level == "error"]
    assert any(said in what for what in errors), errors
    with pytest.raises(TemplateFault, match=r"^theme harbour: ") as told:
        refuse_unlawful(renderer(tmp_path), newsletter(theme="harbour"))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("part", "old", "new", "said"),
    [
        ("body.html", "<h1 ", "{% if false %}{{ subscriber.name }}{% endif %}<h1 ",
         ("error", "subscriber: no theme gets that")),
        ("body.html", "{{ story.category }}", "{{ story.kategorie }}", ("error", "kategorie")),
        ("body.html", "{{ story.category }}", "{{ story.category|shout }}", ("error", "shout")),
        ("body.html", "{{ marks.card_end }}", "", ("error", "marks.card_end")),
        ("style.css", ".name {", ".name { position: absolute; ", ("warning", "position: several")),
        ("style.css", ".name {", ".name { display: flex; ", ("warning", "flex: several")),
        ("style.css", ".name {", "p + p { margin: 0 }\n.name {", ("warning", "asks where")),
        ("style.css", ".name {", "@import 'https://x.example/a';\n.name {", ("error", "@import")),
    ],
)  # fmt: skip
def test_what_else_is_wrong_is_said(
    tmp_path: Path, part: str, old: str, new: str, said: tuple[str, str]
) -> None:
    change(own(tmp_path), part, old, new)
    level, words = said
    assert any(level == found and words in what for found, what in findings(tmp_path))


def test_css_that_loses_or_weighs_is_said() -> None:
    many = "".join(f".a{n} {{ margin: 0 }}\n" for n in range(130))
    dark = "@media (prefers-color-scheme: dark) { .page { color: #ffffff } }"
    said = " ".join(each.what for each in check_css(many + dark, "style.css"))
    assert "more than 119 make every mail heavy" in said
    assert "color without !important loses" in said
    assert list(check_css("@media (max-width: 600px) { .a { float: left !important } }", "x")) == []


def test_a_dark_logo_is_no_spy(tmp_path: Path) -> None:
    (own(tmp_path) / "look.toml").write_text(
        'logo = "https://x.example/l.png"\nlogo_dark = "https://x.example/d.png"\n'
        "logo_width = 90\nlogo_height = 30\n",
        "utf-8",
    )
    assert findings(tmp_path) == []


# ------------------------------------------------------------------- where themes stand


def test_a_folder_beside_newsletters_toml_is_a_theme_and_borrows_what_it_lacks(
    tmp_path: Path,
) -> None:
    theme = own(tmp_path)
    for part in ("body.txt", "subject.txt", "look.toml"):
        (theme / part).unlink()
    made = renderer(tmp_path)
    assert made.themes() == ("brief", "cards", "harbour", "plain")
    made.check_theme(newsletter(theme="harbour"))
    assert check_theme(made, newsletter(theme="harbour")) == ()
    (theme / "style.css").unlink()
    with pytest.raises(TemplateFault, match=r"harbour/style\.css is in none of"):
        made.check_theme(newsletter(theme="harbour"))


def test_a_folder_beside_comes_before_one_of_ours(tmp_path: Path) -> None:
    own(tmp_path, name="plain", source="brief")
    made = renderer(tmp_path)
    assert made.places.themes()["plain"] == tmp_path / "plain"
    assert not made.places.is_ours("plain")
    assert made.places.is_ours("cards")


def test_a_file_that_leads_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("DIGEST_SECRET_KEY=x", "utf-8")
    theme = own(tmp_path)
    (theme / "body.txt").unlink()
    (theme / "body.txt").symlink_to(secret)
    with pytest.raises(TemplateFault, match="leads out of its folder"):
        renderer(tmp_path).check_theme(newsletter(theme="harbour"))


@pytest.mark.parametrize(
    "name", ["../harbour", "harbour/..", ".", "", "a/b", "Harbour", "/etc", "x" * 60]
)
def test_a_name_that_is_no_name_is_no_theme(tmp_path: Path, name: str) -> None:
    own(tmp_path)
    with pytest.raises(TemplateFault):
        renderer(tmp_path).check_theme(newsletter(theme=name))


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ slot.__init__.__globals__ }}",
        "{{ newsletter.__class__ }}",
        "{{ contents.stories.clear() }}",
        "{{ (''|attr('format'))('{0.__class__}', 1).__class__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{% for x in range(999999999) %}x{% endfor %}",
        "{% include '../../../../etc/passwd' %}",
        "{% include '/etc/passwd' %}",
    ],
)
def test_a_theme_runs_nothing_and_reads_nothing_else(tmp_path: Path, attack: str) -> None:
    change(own(tmp_path), "body.html", "<h1 ", f"{attack}<h1 ")
    with pytest.raises(TemplateFault):
        refuse_unlawful(renderer(tmp_path), newsletter(theme="harbour"))
