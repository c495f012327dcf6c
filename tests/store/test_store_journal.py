from __future__ import annotations

import errno
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.errors import StoreError
from digest.model.journal import Closed, Considered, Entry, Left, Made, Rejoined, Reopened
from digest.store.journal import WIDTH, Journal

NOW = datetime(2026, 11, 23, 7, 0, 0, 123456, tzinfo=UTC)
ANNA, BEN = "a" * 64, "b" * 64

ARTICLE = Considered(
    key="k1",
    link_key=None,
    url="https://stadtblatt.example/eins",
    title="Brücke\nzu \u2028 und “offen”",
    seen_at=NOW - timedelta(hours=3),
    position=1,
    section=None,
    reason=None,
)
EDITION = Made(
    id=7,
    newsletter="stadtblatt",
    schedule="daily",
    number=3,
    nonce="0f" * 16,
    made_at=NOW,
    language="de",
    subject="Drei Zeilen",
    slot_at=NOW - timedelta(minutes=1),
    manual=False,
    articles=(ARTICLE, replace(ARTICLE, key="k2", position=None, reason="limit")),
)
ENTRIES: list[Entry] = [
    Left(person=ANNA, newsletter="stadtblatt", at=NOW),
    Rejoined(person=ANNA, newsletter="stadtblatt", at=NOW + timedelta(days=1)),
    Closed(person=BEN, reason="complaint", at=NOW),
    Reopened(person=BEN, at=NOW),
    EDITION,
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "digest.journal"


def begin(path: Path, *entries: Entry, mark: int = 5) -> Journal:
    journal = Journal.begin(path, journal="1" * 32, database="2" * 32, mark=mark)
    journal.append(entries)
    journal.settle()
    return journal


def reopen(path: Path) -> Journal:
    found = Journal.open(path)
    assert found is not None
    return found


def test_what_is_written_is_read_back_by_whoever_opens_it_next(path: Path) -> None:
    begin(path, *ENTRIES[:2]).append(ENTRIES[2:])
    again = reopen(path)
    assert list(again.read()) == ENTRIES
    assert (again.id, again.database, again.mark()) == ("1" * 32, "2" * 32, 5)


def test_where_there_is_none_there_is_none_until_one_is_whole(path: Path) -> None:
    assert Journal.open(path) is None
    draft = Journal.begin(path, journal="1", database="2", mark=0)
    draft.append(ENTRIES)
    assert Journal.open(path) is None
    draft.settle()
    assert len(list(reopen(path).read())) == len(ENTRIES)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_only_its_owner_may_read_it(path: Path) -> None:
    begin(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_mark_is_written_over_in_place_and_never_goes_back(path: Path) -> None:
    journal = begin(path, *ENTRIES)
    size = path.stat().st_size
    for mark in (9, 12, 8, 11):
        journal.advance(mark)
    assert journal.mark() == reopen(path).mark() == 12
    assert path.stat().st_size == size
    assert list(journal.read()) == ENTRIES


@pytest.mark.parametrize("torn", [1, 5, 40])
def test_a_line_that_a_crash_tore_is_cut_off(path: Path, torn: int) -> None:
    begin(path, *ENTRIES)
    path.write_bytes(path.read_bytes()[:-torn])
    again = reopen(path)
    assert list(again.read()) == ENTRIES[:-1]
    again.append([ENTRIES[0]])
    assert list(again.read()) == [*ENTRIES[:-1], ENTRIES[0]]


def test_a_line_that_another_process_tore_while_we_run_is_cut_off_too(path: Path) -> None:
    journal = begin(path, ENTRIES[0])
    with path.open("ab") as other:
        other.write(b'{"did":"left","person":"' + b"x" * 100_000)
    journal.append([ENTRIES[2]])
    assert list(journal.read()) == [ENTRIES[0], ENTRIES[2]]


def test_a_damaged_line_costs_only_itself(path: Path) -> None:
    begin(path, *ENTRIES)
    lines = path.read_bytes().splitlines(keepends=True)
    damaged = [b"\xff\x00{\n", b'{"did":"left"}\n', b"[]\n", b'{"did":"sung"}\n', b"\n"]
    path.write_bytes(b"".join([*lines[:2], *damaged, *lines[2:]]))
    assert list(reopen(path).read()) == [ENTRIES[0], *[None] * len(damaged), *ENTRIES[1:]]


def test_many_processes_share_it(path: Path) -> None:
    begin(path)
    code = (
        "import sys; from pathlib import Path; from datetime import datetime, UTC\n"
        "from digest.store.journal import Journal; from digest.model.journal import Left\n"
        "journal = Journal.open(Path(sys.argv[1])); name = sys.argv[2]\n"
        "for n in range(200):\n"
        "    at = datetime(2026, 1, 1, tzinfo=UTC)\n"
        "    journal.append([Left(person=f'{name}{n}', newsletter='x' * n, at=at)], sync=False)\n"
        "    journal.advance(1000 * int(name) + n)\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(path), str(n)])  # noqa: S603 -- ourselves
        for n in range(3)
    ]
    assert [each.wait(30) for each in processes] == [0, 0, 0]
    found = [each for each in reopen(path).read() if isinstance(each, Left)]
    assert sorted(each.person for each in found) == sorted(
        f"{name}{n}" for name in range(3) for n in range(200)
    )
    assert reopen(path).mark() == 2199


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def test_what_finds_no_room_leaves_no_trace_and_is_written_when_there_is_some(path: Path) -> None:
    journal = begin(path, ENTRIES[0])
    before = path.read_bytes()
    with disk_of(len(before) + 20):
        for entry in ENTRIES[1:3]:
            with pytest.raises(OSError) as problem:  # noqa: PT011 -- the number says which
                journal.append([entry])
            assert problem.value.errno == errno.EFBIG
            assert path.read_bytes() == before
        journal.advance(77)  # the first line needs no room
    journal.append(ENTRIES[3:])
    assert list(reopen(path).read()) == ENTRIES
    assert reopen(path).mark() == 77


def _is_a_folder(path: Path) -> None:
    path.mkdir()


def _is_empty(path: Path) -> None:
    path.touch()


def _is_something_else(path: Path) -> None:
    path.write_text("a diary of mine\n" * 50)


def _has_a_torn_head(path: Path) -> None:
    begin(path, *ENTRIES)
    path.write_bytes(path.read_bytes()[: WIDTH // 2])


@pytest.mark.parametrize(
    "spoil",
    [_is_a_folder, _is_empty, _is_something_else, _has_a_torn_head],
    ids=lambda f: f.__name__,
)
def test_one_that_cannot_be_used_is_told_in_one_line_and_left_alone(
    path: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(
        StoreError, match=r"^the journal .*digest\.journal cannot be used: "
    ) as told:
        Journal.open(path)
    assert "\n" not in str(told.value)
    assert "DIGEST_JOURNAL" in str(told.value)
    assert not path.is_file() or path.read_bytes() == before


def test_one_in_no_folder_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file or directory"):
        Journal.begin(tmp_path / "none" / "digest.journal", journal="1", database="2", mark=0)
