"""The inbox shows caught mail as a reader would see it, and lets no mail do anything."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import html5lib
import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from digest.demo.inbox import PAGE_SIZE, make_inbox

HOSTILE = (
    b'From: "<script>alert(1)</script>" <x@y.example>\r\n'
    b'To: "><img src=x onerror=alert(1)> <a@leser.example>\r\n'
    b'Subject: <b>fett</b> & "zitiert" {{ 7*7 }}\r\n'
    b'List-Unsubscribe: <https://y.example/"onfocus=alert(1)>\r\n'
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"Content-Type: multipart/alternative; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\n<i>kursiv</i> https://y.example/?a=1&b=2\r\n"
    b"--b\r\nContent-Type: text/html\r\n\r\n"
    b"<!doctype html><html><head><script>x()</script></head><body><p>Hallo</p></body></html>\r\n"
    b"--b--\r\n"
)
NAME = "0001-a@leser.example.eml"


@pytest.fixture
async def inbox(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """An inbox that is mounted below /inbox, as the demo does it."""
    app = Starlette(routes=[Mount("/inbox", make_inbox(tmp_path))])
    home = "http://127.0.0.1/inbox"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=home) as client:
        yield client


def put(folder: Path, name: str, content: bytes, *, second: int = 1) -> None:
    (folder / name).write_bytes(content)
    os.utime(folder / name, (1_790_000_000 + second, 1_790_000_000 + second))


def subjects(page: str) -> list[str]:
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    return [found.text for found in tree.iterfind(".//span[@class='subject']")]


async def test_an_empty_folder_is_an_empty_inbox(inbox: httpx.AsyncClient) -> None:
    answer = await inbox.get("/")
    assert answer.status_code == 200
    assert "Nothing has arrived yet." in answer.text
    assert '<meta http-equiv="refresh" content="5">' in answer.text


async def test_the_newest_comes_first_and_other_files_are_passed_over(
    inbox: httpx.AsyncClient, tmp_path: Path
) -> None:
    put(tmp_path, "0001-a@b.example.eml", b"Subject: alt\r\n\r\n", second=1)
    put(tmp_path, "0002-a@b.example.eml", b"Subject: neu\r\n\r\n", second=3)
    put(tmp_path, "0003-a@b.example.eml", b"Subject: mittel\r\n\r\n", second=2)
    put(tmp_path, ".0004-a@b.example.eml.part", b"Subject: halb\r\n\r\n")
    put(tmp_path, ".0005.eml", b"Subject: versteckt\r\n\r\n")
    put(tmp_path, "notes.txt", b"Subject: nein\r\n\r\n")
    (tmp_path / "0006-link.eml").symlink_to(tmp_path / "notes.txt")
    (tmp_path / "0007-folder.eml").mkdir()
    assert subjects((await inbox.get("/")).text) == ["neu", "mittel", "alt"]


async def test_a_file_that_changes_is_read_again(inbox: httpx.AsyncClient, tmp_path: Path) -> None:
    put(tmp_path, NAME, b"Subject: eins\r\n\r\n", second=1)
    assert subjects((await inbox.get("/")).text) == ["eins"]
    put(tmp_path, NAME, b"Subject: zwei\r\n\r\n", second=2)
    assert subjects((await inbox.get("/")).text) == ["zwei"]


async def test_a_long_list_has_pages(inbox: httpx.AsyncClient, tmp_path: Path) -> None:
    for place in range(PAGE_SIZE + 3):
        put(tmp_path, f"{place:04d}-a.eml", b"Subject: n%d\r\n\r\n" % place, second=place)
    first, second = (await inbox.get("/")).text, (await inbox.get("/?page=2")).text
    assert subjects(first)[0] == f"n{PAGE_SIZE + 2}"
    assert len(subjects(first)) == PAGE_SIZE
    assert subjects(second) == ["n2", "n1", "n0"]
    assert "refresh" not in second
    for odd in ("0", "-1", "x", "99", "٣"):
        assert (await inbox.get("/", params={"page": odd})).status_code == 200


@pytest.mark.parametrize("path", ["/", f"/m/{NAME}", f"/m/{NAME}?view=text"])
async def test_nothing_of_a_mail_becomes_markup(
    inbox: httpx.AsyncClient, tmp_path: Path, path: str
) -> None:
    put(tmp_path, NAME, HOSTILE)
    answer = await inbox.get(path)
    tree = html5lib.parse(answer.text, namespaceHTMLElements=False)
    assert [tree.find(f".//{tag}") for tag in ("script", "b", "i", "img")] == [None] * 4
    assert [
        e.tag for e in tree.iter() if any(str(name).startswith("on") for name in e.attrib)
    ] == []
    assert '<b>fett</b> & "zitiert" {{ 7*7 }}' in "".join(tree.itertext())
    assert "script-src" not in answer.headers["content-security-policy"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; ")


async def test_the_html_part_is_closed_off(inbox: httpx.AsyncClient, tmp_path: Path) -> None:
    put(tmp_path, NAME, HOSTILE)
    page = html5lib.parse((await inbox.get(f"/m/{NAME}")).text, namespaceHTMLElements=False)
    frame = page.find(".//iframe")
    answer = await inbox.get("http://127.0.0.1" + frame.get("src"))
    rules = dict(
        rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; ")
    )
    assert rules["default-src"] == rules["form-action"] == "'none'"
    assert rules["img-src"] == "http: https: data:"
    assert rules["style-src"] == "'unsafe-inline'"
    assert rules["sandbox"] == frame.get("sandbox")
    assert "allow-scripts" not in rules["sandbox"]
    assert "allow-same-origin" not in rules["sandbox"]
    assert '<head><base target="_blank"><script>' in answer.text


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("<HEAD lang=de><p>x", '<HEAD lang=de><base target="_blank"><p>x'),
        ("<html><p>x", '<html><base target="_blank"><p>x'),
        ("<!DOCTYPE html>\r\n<p>x", '<!DOCTYPE html><base target="_blank">\r\n<p>x'),
        ("<header>x", '<base target="_blank"><header>x'),
    ],
)
async def test_links_open_beside_the_inbox(
    inbox: httpx.AsyncClient, tmp_path: Path, page: str, shown: str
) -> None:
    put(tmp_path, NAME, b"Content-Type: text/html\r\n\r\n" + page.encode())
    assert (await inbox.get(f"/m/{NAME}/html")).text.replace("\r\n", "\n") == shown.replace(
        "\r\n", "\n"
    )


async def test_the_text_view_links_addresses(inbox: httpx.AsyncClient, tmp_path: Path) -> None:
    put(tmp_path, NAME, HOSTILE)
    text = (await inbox.get(f"/m/{NAME}?view=text")).text
    page = html5lib.parse(text, namespaceHTMLElements=False)
    link = page.find(".//pre/a")
    assert link.get("href") == link.text == "https://y.example/?a=1&b=2"
    assert link.get("target") == "_blank"


async def test_the_headers_view_shows_the_bytes(inbox: httpx.AsyncClient, tmp_path: Path) -> None:
    raw = b"Subject: =?utf-8?q?=C3=A4?=\r\nList-Unsubscribe:\r\n <https://post.example/u>\r\n\r\n"
    put(tmp_path, NAME, raw)
    text = (await inbox.get(f"/m/{NAME}?view=headers")).text
    page = html5lib.parse(text, namespaceHTMLElements=False)
    assert [e.text for e in page.iterfind(".//dt")] == ["Subject", "List-Unsubscribe"]
    assert [e.text for e in page.iterfind(".//dd")] == [
        "=?utf-8?q?=C3=A4?=",
        "<https://post.example/u>",
    ]
    # the demo writes other addresses into pages; here the mail's own ones count
    assert "https://post.example" not in text


async def test_the_raw_download_is_the_file(inbox: httpx.AsyncClient, tmp_path: Path) -> None:
    content = HOSTILE + b"\x00\xff\n\r"
    put(tmp_path, NAME, content)
    answer = await inbox.get(f"/m/{NAME}/raw")
    assert answer.content == content
    assert answer.headers["content-type"] == "message/rfc822"
    assert answer.headers["content-disposition"] == f"attachment; filename*=utf-8''{NAME}"


async def test_unsubscribe_posts_as_a_mail_program_does(
    inbox: httpx.AsyncClient, tmp_path: Path
) -> None:
    post = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    put(tmp_path, NAME, post + b"List-Unsubscribe: <https://post.example/u/1>\r\n\r\n")
    page = html5lib.parse((await inbox.get(f"/m/{NAME}")).text, namespaceHTMLElements=False)
    form, field = page.find(".//form"), page.find(".//form/input")
    assert (form.get("method"), form.get("action")) == ("post", "https://post.example/u/1")
    assert (field.get("name"), field.get("value")) == ("List-Unsubscribe", "One-Click")


@pytest.mark.parametrize(
    "name", ["nix.eml", "..%2Fsecret.eml", "%2e%2e%2fsecret.eml", "%00", "x\\y"]
)
@pytest.mark.parametrize("tail", ["", "/html", "/raw"])
async def test_only_files_of_the_folder_are_opened(tmp_path: Path, name: str, tail: str) -> None:
    put(tmp_path, "secret.eml", b"Subject: geheim\r\n\r\n")
    (tmp_path / "mail").mkdir()
    put(tmp_path / "mail", NAME, HOSTILE)
    transport = httpx.ASGITransport(make_inbox(tmp_path / "mail"))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answer = await client.get(f"/m/{name}{tail}")
    assert answer.status_code == 404
    assert "geheim" not in answer.text


async def test_odd_names_and_broken_mail_are_shown(
    inbox: httpx.AsyncClient, tmp_path: Path
) -> None:
    put(tmp_path, 'ä ? #&"<b>.eml', b"\xff\x00\x01")
    put(tmp_path, "leer.eml", b"")
    (tmp_path / os.fsdecode(b"\xff.eml")).write_bytes(b"Subject: ohne Adresse\r\n\r\n")
    text = (await inbox.get("/")).text
    assert subjects(text) == ["(no subject)", "(no subject)"]
    links = html5lib.parse(text, namespaceHTMLElements=False).iterfind(".//li/a")
    for link in links:
        for view in ("", "?view=text", "?view=headers", "?width=phone", "?view=x&width=y"):
            answer = await inbox.get("http://127.0.0.1" + link.get("href") + view)
            assert answer.status_code == 200
