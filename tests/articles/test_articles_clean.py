"""Of strangers' HTML a few safe elements are kept, and cleaning twice changes nothing."""

from __future__ import annotations

import importlib.util
import json
import threading
import time
from pathlib import Path

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.articles.clean import DEPTH, SIZE, clean

REL = 'rel="nofollow noopener noreferrer"'
KEPT = {
    "html",
    "head",
    "body",
    "p",
    "br",
    "a",
    "em",
    "strong",
    "b",
    "i",
    "ul",
    "ol",
    "li",
    "blockquote",
    "h2",
    "h3",
    "h4",
    "code",
    "pre",
    "figure",
    "figcaption",
    "img",
}
ATTRIBUTES = {"a": {"href", "rel"}, "img": {"src", "alt", "width", "height"}}


def assert_clean(html: str) -> None:
    assert clean(html) == html
    for element in html5lib.parse(html, namespaceHTMLElements=False).iter():
        assert element.tag in KEPT, element.tag
        assert set(element.attrib) <= ATTRIBUTES.get(element.tag, set())
        for name in ("href", "src"):
            if name in element.attrib:
                assert element.attrib[name].lower().startswith(("https://", "http://", "mailto:"))


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (
            "<p>Ein <b>Wort</b> & ein <i>zweites</i>.",
            "<p>Ein <b>Wort</b> &amp; ein <i>zweites</i>.</p>",
        ),
        ("<div>Eins<div>zwei</div>drei</div>", "<p>Eins</p><p>zwei</p>drei"),
        ("<h1>Groß</h1><h6>klein</h6>", "<h2>Groß</h2><h4>klein</h4>"),
        ("<ul><li>a<li>b<ol><li>c</ol></ul>", "<ul><li>a</li><li>b<ol><li>c</li></ol></li></ul>"),
        ("<li>allein</li>", "<p>allein</p>"),
        ("<table><tr><td>a<td>b</table>", "<p>a</p><p>b</p>"),
        ("<pre>\n\n x\n  y</pre>", "<pre> x\n  y</pre>"),
        ("<p>  viel \n Raum  </p>", "<p> viel Raum </p>"),
        ("<p></p><p><b> </b></p><p>etwas</p>", "<p>etwas</p>"),
        ("<blockquote><p>Zitat</blockquote>", "<blockquote><p>Zitat</p></blockquote>"),
        (
            "<figure><img src='https://i.example/a'><figcaption>Hafen</figure>",
            '<figure><img src="https://i.example/a" alt=""><figcaption>Hafen</figcaption></figure>',
        ),
        ("a<svg viewBox='0 0 1 1'/>b<svg><text>c</text></svg>d", "abd"),
        ("a<custom-part>b</custom-part><video-player>c</video-player>", "abc"),
        ("1 < 2 &lt;b&gt; 3 &amp;amp; 4", "1 &lt; 2 &lt;b&gt; 3 &amp;amp; 4"),
        ("", ""),
        ("<p>", ""),
    ],
)
def test_what_is_written_stays_readable(html: str, expected: str) -> None:
    assert clean(html) == expected
    assert_clean(expected)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (
            "<a href='https://s.example/?p=1&utm_source=rss'>x</a>",
            f'<a href="https://s.example/?p=1" {REL}>x</a>',
        ),
        ("<a href='mailto:ada@s.example'>x</a>", f'<a href="mailto:ada@s.example" {REL}>x</a>'),
        ("<a href='/b'>x</a>", f'<a href="https://s.example/b" {REL}>x</a>'),
        (
            "<a href='https://s.example/' target=_top onclick=a() class=b style=c rel=opener>x</a>",
            f'<a href="https://s.example/" {REL}>x</a>',
        ),
        ("<a href='java&#10;script:a()'>x</a>", "x"),
        ("<a href='ftp://s.example/'>x</a><a>y</a>", "xy"),
        (
            "<img src='b.jpg' alt='Ein \"Hund\"' width=600 height=400px srcset='c.jpg 2x'>",
            '<img src="https://s.example/b.jpg" alt="Ein &quot;Hund&quot;" width="600">',
        ),
        (
            "<img src='data:image/gif;base64,AA' data-src='https://s.example/b.jpg'>",
            '<img src="https://s.example/b.jpg" alt="">',
        ),
        ("<img src='https://s.example/b.jpg' width=1 height=1>", ""),
        ("<img src='https://vg01.met.vgwort.de/na/1'>", ""),
        ("<img src='mailto:ada@s.example'>", ""),
    ],
)
def test_links_and_pictures_lead_to_the_web_and_say_nothing_of_the_reader(
    html: str, expected: str
) -> None:
    assert clean(html, base="https://s.example/a") == expected
    assert_clean(expected)


def test_without_a_base_what_is_relative_leads_nowhere() -> None:
    assert clean("<a href='/b'>x</a><img src=c.jpg>") == "x"


@pytest.mark.parametrize(
    "piece",
    [
        "<div>",
        "<b>",
        "<blockquote>",
        "<ul><li>",
        "<p>x",
        "<table><tr><td>x",
        "&",
        "<",
        '<a href="',
        "<!--",
        "<svg ",
        "<img src ",
        "<pre>\n",
        "<code><a href=http://a/><b><i>x</a>",
        "<b a=1><p>x",
        "<a href=https://x.example/?a&b>y",
        "\u202e",
        "\ud800",
        "<script>",
        "</p>",
        "<p",
        "=\"'",
        "\x00",
    ],
)
def test_no_input_takes_long_and_none_comes_out_deep(piece: str) -> None:
    for size in (SIZE, 500_000):
        begun = time.perf_counter()
        html = clean(piece * (size // len(piece)))
        assert (
            time.perf_counter() - begun < 2.5
        )  # 0.2 s where nothing else runs; nh3 alone takes 20
        assert len(html) <= SIZE + 200
        assert_clean(html)
        assert html.count("<blockquote>") + html.count("<ul>") <= 2 * DEPTH


def test_a_text_is_not_cut_inside_a_tag_or_an_entity() -> None:
    for tail in ("<a href='https://x.example/'>", "&eacute;", "<!-- x -->"):
        for shift in range(len(tail)):
            assert clean("x" * (SIZE - shift) + tail * 5).strip("x\u00e9") in {"", "\u00e9" * 5}


pieces = st.lists(
    st.sampled_from(
        [
            "<p>",
            "</p>",
            "<div>",
            "</div>",
            "<b>",
            "</b>",
            "<a href='https://x.example/?a=1&b'>",
            "</a>",
            "<ul>",
            "<li>",
            "</ul>",
            "<ol>",
            "<pre>",
            "</pre>",
            "\n",
            "\r",
            " ",
            "\t",
            "x",
            "&amp;",
            "&nbsp;",
            "&lt;",
            "&",
            "<",
            ">",
            '"',
            "'",
            "=",
            "<h1>",
            "</h1>",
            "<h3>",
            "<blockquote>",
            "</blockquote>",
            "<table>",
            "<tr>",
            "<td>",
            "</table>",
            "<figure>",
            "<figcaption>",
            "</figure>",
            "<br>",
            "<hr>",
            "<img src=https://i.example/a.jpg alt='&quot;'>",
            "<svg>",
            "</svg>",
            "<math>",
            "<mtext>",
            "<style>",
            "</style>",
            "<!--",
            "-->",
            "<title>",
            "</title>",
            "<template>",
            "<noscript>",
            "<code>",
            "</code>",
            "<em>",
            "<strong>",
            "\u00a0",
            "\u202e",
            "\u0085",
            "\ud83d",
            "\x00",
            "</",
            "<!",
            "<![CDATA[",
            "]]>",
            "<?x",
            "<a href='javascript:a()'>",
            "<p title='</p>",
            "'>",
            "<body onload=a()>",
        ]
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(pieces.map("".join))
def test_cleaning_twice_changes_nothing(html: str) -> None:
    assert_clean(clean(html))
    assert_clean(clean(html, base="https://site.example/"))


@given(st.text(max_size=300))
def test_it_never_raises(text: str) -> None:
    clean(clean(text)).encode()


def test_hostile_payloads_come_to_nothing(corpora: Path) -> None:
    spec = importlib.util.spec_from_file_location("check_html", corpora / "xss" / "check_html.py")
    assert spec is not None
    assert spec.loader is not None
    judge = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(judge)
    payloads = json.loads((corpora / "xss" / "payloads.json").read_text())["payloads"]
    assert len(payloads) > 50
    for each in payloads:
        html = clean(each["payload"], base="https://site.example/")
        assert judge.check(html) == []
        assert_clean(html)


def test_many_threads_may_clean_at_once() -> None:
    done: list[bool] = []
    work = [
        threading.Thread(
            target=lambda: done.append(len({clean("<b>x</b>" * 200) for _ in range(5)}) == 1)
        )
        for _ in range(6)
    ]
    for each in work:
        each.start()
    for each in work:
        each.join()
    assert done == [True] * 6
