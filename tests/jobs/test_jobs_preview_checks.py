"""What is asked beyond a mail: its links where they lead, and SpamAssassin where it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from digest.jobs.answers import ask_links, say_answers
from digest.jobs.spam import Points, count_points, say_points
from digest.messages.checks import Mail
from digest.model.feed import FeedFailure, Fetched
from digest.model.message import Links

HOME = "https://news.example.org"
LINKS = Links(
    unsubscribe=f"{HOME}/unsubscribe/tok",
    preferences=f"{HOME}/preferences/tok",
    view=f"{HOME}/archive/a/1",
    archive=f"{HOME}/archive/a",
)
HEADER = "X-Spam-Status: No, score={} required=5.0 tests=HTML_MESSAGE,\\n\\tMISSING_DATE x=no"


@dataclass
class Answering:
    """A fetcher that knows what each address answers, and who was asked."""

    statuses: dict[str, int]
    asked: list[str] = field(default_factory=list)

    async def find(self, url: str) -> Fetched | FeedFailure:
        self.asked.append(url)
        status = self.statuses.get(url, 200)
        if status != 200:
            return FeedFailure(reason=f"HTTP {status}", status=status or None)
        return Fetched(body=b"", url=url, content_type=None, etag=None, last_modified=None)


def mail(*urls: str) -> Mail:
    html = "".join(f'<a href="{url}">x</a>' for url in urls)
    return Mail(
        subject="s", preheader="p", html=f"<p>{html}</p>", text="t", links=LINKS, public_url=HOME
    )


async def asked_by(answering: Answering, *urls: str) -> Any:
    world = cast("Any", type("World", (), {"fetcher": answering})())
    return await ask_links(world, mail(*urls))


async def test_what_does_not_answer_is_found_and_what_keeps_machines_out_is_no_error() -> None:
    one, two, three = (f"https://{name}.example/" for name in ("a", "b", "c"))
    answers = await asked_by(Answering({one: 404, two: 403, three: 0}), one, two, three, one)
    found = say_answers(answers, "en")
    assert [(each.level, each.where) for each in found] == [
        ("error", one),
        ("warning", two),
        ("warning", three),
    ]
    assert "HTTP 404" in found[0].what


async def test_nothing_of_ours_is_asked_least_of_all_a_readers_links() -> None:
    fetcher = Answering({})
    answers = await asked_by(
        fetcher,
        LINKS.unsubscribe,
        f"{LINKS.preferences}?do=pause",
        HOME,
        "http://a.example/",
        "mailto:a@b.example",
        "#",
        "https://a.example/",
        f"{HOME}.evil.example/",
    )
    assert fetcher.asked == ["https://a.example/", f"{HOME}.evil.example/"]
    assert [each.level for each in say_answers(answers, "en")] == ["ok"]


def program(folder: Path, body: str) -> str:
    path = folder / "spamassassin"
    path.write_text(f"#!/bin/sh\n{body}\n", "utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(("score", "level"), [("-0.1", "ok"), ("2.4", "warning"), ("7.0", "error")])
async def test_the_points_of_spamassassin_are_told(tmp_path: Path, score: str, level: str) -> None:
    said = program(tmp_path, f"cat >/dev/null; printf '{HEADER.format(score)}\\n\\nx\\n'")
    points = await count_points(b"Subject: x\r\n\r\nx", program=said)
    assert points == Points(score=float(score), tests=("HTML_MESSAGE", "MISSING_DATE"))
    assert say_points(points, "en").level == level


async def test_where_it_is_missing_silent_or_slow_nothing_fails(tmp_path: Path) -> None:
    missing = await count_points(b"x", program="no-such-program-here")
    assert say_points(missing, "en").level == "ok"
    assert "not installed" in say_points(missing, "en").what
    for body in ("exec true", "cat", "exit 3"):
        silent = await count_points(b"x", program=program(tmp_path, body))
        assert say_points(silent, "en").level == "warning", body
    slow = await count_points(b"x", program=program(tmp_path, "exec sleep 60"), seconds=0.3)
    assert say_points(slow, "de").where == "no answer within 0.3 s"
