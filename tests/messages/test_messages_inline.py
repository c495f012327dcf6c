"""The style sheet moves into attributes; what has to stay a sheet stays and wins."""

from __future__ import annotations

import re
import socket
from typing import NoReturn

import pytest

from digest.messages.inline import inline

PAGE = """<!DOCTYPE html>
<html lang="de"><head><meta charset="utf-8"><title>t</title><style>{css}</style></head><body>
<!--[if mso]><table><tr><td><![endif]-->
<table><!--abc:card:1--><tr><td class="a" width="5">ä <a href="abc-unsubscribe">x</a></td></tr>
<!--abc:/card--></table><img class="b" src="https://example.org/a.jpg" alt="" width="556">
</body></html>"""
CSS = """.a { color: #111111 } .b { width: 100% } .a:hover { color: blue }
@media (prefers-color-scheme: dark) { .a { color: #eeeeee !important } }"""


def test_rules_become_attributes() -> None:
    assert '<td class="a" width="5" style="color:#111">' in inline(PAGE.format(css=CSS))


def test_media_rules_stay_with_their_important() -> None:
    sheet = re.findall(r"<style>(.*?)</style>", inline(PAGE.format(css=CSS)), re.DOTALL)
    assert len(sheet) == 1
    assert re.search(r"prefers-color-scheme: dark\).*\.a \{color: #eee !important", sheet[0])
    assert "#111" not in sheet[0]


def test_comments_and_slots_stay() -> None:
    page = inline(PAGE.format(css=CSS))
    for mark in (
        "<!--abc:card:1-->",
        "<!--abc:/card-->",
        "<!--[if mso]>",
        'href="abc-unsubscribe"',
    ):
        assert mark in page


def test_the_width_of_a_picture_is_not_overwritten() -> None:
    assert 'width="556" style="width:100%"' in inline(PAGE.format(css=CSS))


@pytest.mark.parametrize(
    "css",
    [
        "@import url(http://127.0.0.1:9/x.css);",
        "@IMPORT 'x.css';",
        "@\\69mport url(http://127.0.0.1:9/x.css);",
        "@font-face { src: url(https://example.org/f.woff) }",
    ],
)
def test_a_sheet_that_would_load_something_is_refused(css: str) -> None:
    with pytest.raises(ValueError, match="only @media"):
        inline(PAGE.format(css=css))


def test_nothing_is_ever_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object, **__: object) -> NoReturn:
        pytest.fail("inlining opened a connection")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "create_connection", connect)
    link = '<link rel="stylesheet" href="http://127.0.0.1:9/x.css">'
    assert link in inline(PAGE.format(css=CSS).replace("<title>", f"{link}<title>"))


def test_a_comment_may_hold_an_at_sign() -> None:
    assert "color:red" in inline(PAGE.format(css="/* by me@example.org */ .a { color: red }"))


def test_equal_pages_give_equal_bytes() -> None:
    assert inline(PAGE.format(css=CSS)) == inline(PAGE.format(css=CSS))
