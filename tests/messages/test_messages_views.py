"""A view of a mail looks as it says in any browser, runs nothing, and stays inside its frame."""

from __future__ import annotations

import html as markup
import re

import pytest
from message_samples import ADDRESS, LINKS, article, draft, edition, ordinary

from digest.messages import views
from digest.messages.assemble import assemble
from digest.messages.cascade import read_mail

DARK = "@media (prefers-color-scheme: dark){.a{color:#ffffff}}"
LIGHT = "@media (prefers-color-scheme: light){.a{color:#000000}}"
NARROW = "@media (max-width: 480px){.a{margin:0}}"


def page(css: str) -> str:
    return f"<html><head><style>{css}</style></head><body><p class='a'>x</p></body></html>"


def sheet(html: str) -> str:
    found = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert found
    return found[1]


def test_the_dark_view_has_dark_rules_for_good_and_no_light_ones() -> None:
    assert sheet(views.dark(page(DARK + LIGHT + NARROW))) == ".a{color:#ffffff}" + NARROW


def test_the_light_view_has_no_dark_rules_whatever_the_browser_wants() -> None:
    assert sheet(views.light(page(DARK + LIGHT + NARROW))) == ".a{color:#000000}" + NARROW
    assert 'content="only light"' in views.light(page(DARK))


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ("screen and (prefers-color-scheme:dark)", ".a{b:c}"),
        (
            "(prefers-color-scheme: dark) and (max-width: 480px)",
            "@media (max-width: 480px){.a{b:c}}",
        ),
        ("print, (prefers-color-scheme: dark)", ".a{b:c}"),
        ("(prefers-color-scheme: light), print", "@media print{.a{b:c}}"),
        ("PRINT", "@media PRINT{.a{b:c}}"),
    ],
)
def test_what_else_a_rule_asks_for_stays_asked(asked: str, left: str) -> None:
    assert sheet(views.dark(page(f"@media {asked}{{.a{{b:c}}}}"))).lower() == left.lower()


def test_a_view_says_in_its_head_that_nothing_may_run_or_be_sent() -> None:
    for html in (page(DARK), "<p>ohne Kopf</p>"):
        shown = views.light(html)
        head = shown.index("Content-Security-Policy")
        assert "default-src 'none'" in shown
        assert "script-src" not in shown
        assert head < shown.index("<p")


def test_base_and_other_color_schemes_are_taken_out() -> None:
    head = '<base href="https://evil.example/"><meta name="color-scheme" content="light dark">'
    shown = views.dark(f"<html><head>{head}</head><body>x</body></html>")
    assert "evil.example" not in shown
    assert "light dark" not in shown


def test_without_pictures_nothing_is_asked_for_and_the_alt_texts_stay() -> None:
    html, _ = assemble(edition(ordinary(8)), LINKS, address=ADDRESS)
    bare = views.without_pictures(views.light(html))
    pictures = list(read_mail(bare).iter("img"))
    assert len(pictures) == 8
    assert not any("src" in each.attrib for each in pictures)
    assert all(each.get("alt").startswith("Bild") for each in pictures)
    assert all(each.get("height") for each in pictures)


def test_backgrounds_and_other_sources_are_pictures_too() -> None:
    bare = views.without_pictures(
        "<style>td{background:url(https://a.example/1)}</style>"
        "<td background='https://a.example/2' style=\"background:url('https://a.example/3')\">"
        "<img srcset=https://a.example/4 src = 'https://a.example/5' alt='a > b'>url(bleibt)"
    )
    assert "a.example" not in bare
    assert "alt='a > b'" in bare
    assert "url(bleibt)" in bare


def test_a_hostile_mail_cannot_leave_the_attribute_that_it_stands_in() -> None:
    title = '"></iframe><script>alert(1)</script>'
    made = edition(draft([article(1, title=title, excerpt=title)]))
    html, _ = assemble(made, LINKS, address=ADDRESS)
    outer = f'<iframe sandbox="" srcdoc="{markup.escape(views.dark(html))}"></iframe><p>after</p>'
    tree = read_mail(outer)
    assert [each.tag for each in tree.iter("script", "iframe", "p")] == ["iframe", "p"]
