"""The spool: what it said it took is there, whoever else writes, and whatever crashes."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from digest.store.spool import Goodbye, Spool, goodbyes

NOW = datetime(2026, 11, 23, 7, 0, 0, 123456, tzinfo=UTC)


def goodbye(number: int, *, never: bool = False, at: datetime = NOW) -> Goodbye:
    return Goodbye(ref=number.to_bytes(12), at=at, door="mail", never=never)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "digest.spool")


def held(spool: Spool) -> list[int]:
    found, unreadable = goodbyes(spool.read())
    assert unreadable == 0
    return [int.from_bytes(each.ref) for each in found]


def test_what_goes_in_comes_out_to_the_microsecond(spool: Spool) -> None:
    berlin = NOW.astimezone(timezone(timedelta(hours=1)))
    said = [goodbye(1), goodbye(2, never=True), goodbye(1, at=berlin)]
    for each in said:
        spool.append(each)
    assert goodbyes(spool.read()) == (said, 0)


def test_a_spool_that_is_not_there_is_empty(spool: Spool) -> None:
    assert spool.is_empty()
    assert (spool.read(), spool.names(bytes(12)), spool.clear(b"")) == (b"", False, True)
    assert not spool.path.exists()


def test_only_its_owner_reads_it_and_it_names_nobody(spool: Spool) -> None:
    before = os.umask(0)
    try:
        spool.append(goodbye(7))
    finally:
        os.umask(before)
    assert stat.S_IMODE(spool.path.stat().st_mode) == 0o600
    assert spool.path.read_text() == (
        '{"ref":"000000000000000000000007","at":"2026-11-23T07:00:00.123456+00:00",'
        '"door":"mail","never":false}\n'
    )


def test_the_line_and_its_name_are_forced_to_the_disk_before_it_returns(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    forced: list[tuple[str, int]] = []
    fsync = os.fsync

    def note(file: int) -> None:
        fsync(file)
        what = os.fstat(file)
        forced.append(
            ("folder" if stat.S_ISDIR(what.st_mode) else "file", spool.path.stat().st_size)
        )

    monkeypatch.setattr(os, "fsync", note)
    spool.append(goodbye(1))
    size = spool.path.stat().st_size
    assert size > 0
    assert forced == [("file", size), ("folder", size)]


def test_a_torn_line_is_nobodys_and_costs_no_other(spool: Spool) -> None:
    spool.append(goodbye(1))
    whole = spool.path.read_bytes()
    for cut in range(1, len(whole) - 1):
        spool.path.write_bytes(whole + whole[:cut])
        assert goodbyes(spool.read()) == ([goodbye(1)], 1)
        spool.append(goodbye(2))
        assert goodbyes(spool.read()) == ([goodbye(1), goodbye(2)], 1)


def test_a_line_that_lost_only_its_end_is_whole(spool: Spool) -> None:
    """As an editor leaves it: nobody who stands there whole is overlooked."""
    spool.append(goodbye(1))
    spool.path.write_bytes(spool.path.read_bytes().rstrip(b"\n"))
    spool.append(goodbye(2))
    assert held(spool) == [1, 2]


@pytest.mark.parametrize(
    "line",
    [
        b"\0\xff",
        b"[]",
        b'"ref"',
        b'{"ref":"00"}',
        b'{"ref":"xx","at":"2026-11-23T07:00:00+00:00","door":"web"}',
        b'{"ref":"00","at":"2026-11-23T07:00:00","door":"web"}',
        b'{"ref":1,"at":2,"door":3}',
    ],
)
def test_what_is_no_wish_is_counted_and_harms_nobody(spool: Spool, line: bytes) -> None:
    spool.append(goodbye(1))
    spool.path.write_bytes(line + b"\n" + spool.path.read_bytes() + line)
    assert goodbyes(spool.read()) == ([goodbye(1)], 2)


def test_only_what_was_read_is_taken_out(spool: Spool) -> None:
    spool.append(goodbye(1))
    read = spool.read()
    spool.append(goodbye(2))
    assert not spool.clear(read)
    assert held(spool) == [1, 2]
    assert spool.clear(spool.read())
    assert spool.is_empty()
    spool.append(goodbye(3))  # as long as the first one, by another process
    assert not spool.clear(read)
    assert held(spool) == [3]


def test_it_says_who_waits(spool: Spool) -> None:
    spool.append(goodbye(1))
    assert spool.names(goodbye(1).ref)
    assert not spool.names(goodbye(2).ref)
    spool.clear(spool.read())
    assert not spool.names(goodbye(1).ref)


# --------------------------------------------------------------- processes

APPEND = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from digest.store.spool import Goodbye, Spool
path, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
spool = Spool(path)
print("ready", flush=True)
sys.stdin.readline()
for number in range(first, first + count):
    at = datetime(2026, 11, 23, tzinfo=UTC)
    spool.append(Goodbye(ref=number.to_bytes(12), at=at, door="mail"))
    print(number, flush=True)
"""


def appending(spool: Spool, first: int, count: int) -> subprocess.Popen[str]:
    """A process that writes so many wishes when it is told to, and says each when it is taken."""
    process = subprocess.Popen(  # noqa: S603 -- our own program
        [sys.executable, "-c", APPEND, str(spool.path), str(first), str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def said(process: subprocess.Popen[str]) -> list[int]:
    """What it said that it had taken."""
    out, _ = process.communicate(timeout=30)
    return [int(line) for line in out.splitlines()]


def test_two_processes_write_and_a_third_takes_out_and_nothing_is_lost(spool: Spool) -> None:
    writers = [appending(spool, first, 150) for first in (1000, 2000)]
    for each in writers:
        go(each)
    taken: list[int] = []
    while any(each.poll() is None for each in writers) or not spool.is_empty():
        data = spool.read()
        if spool.clear(data):
            found, unreadable = goodbyes(data)
            assert unreadable == 0
            taken += [int.from_bytes(each.ref) for each in found]
    heard = [each for writer in writers for each in said(writer)]
    assert sorted(taken) == sorted(heard) == [*range(1000, 1150), *range(2000, 2150)]


def test_a_killed_process_had_written_all_that_it_said(spool: Spool) -> None:
    writer = appending(spool, 0, 100_000)
    go(writer)
    assert writer.stdout is not None
    heard = [int(writer.stdout.readline()) for _ in range(50)]
    writer.send_signal(signal.SIGKILL)
    said(writer)
    found, _ = goodbyes(spool.read())
    assert [int.from_bytes(each.ref) for each in found][:50] == heard
    spool.append(goodbye(999_999))
    assert goodbyes(spool.read())[0][-1] == goodbye(999_999)


def test_on_a_full_disk_nothing_is_claimed_and_nothing_is_lost(spool: Spool) -> None:
    """A limit on the size of files, which cuts a line in its middle as a full disk does."""
    spool.append(goodbye(1))
    before = spool.path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 50, limits[1]))
        with pytest.raises(OSError, match="File too large"):
            spool.append(goodbye(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert spool.path.read_bytes() == before
    spool.append(goodbye(2))
    assert held(spool) == [1, 2]


def test_a_device_that_takes_nothing_is_told(spool: Spool) -> None:
    spool.path.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        spool.append(goodbye(1))
