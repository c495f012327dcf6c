"""A disk that is full, fails or lies, and a database that cannot be read: whole processes."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from fault_sink import Sink, copies
from fault_stand import EVERYBODY, READERS, Stand, names, standing
from kill_workers import Launcher

pytest_plugins = ["kill_fixtures", "fault_fixtures"]

STRACE = shutil.which("strace")


@pytest.fixture
def stand(stand: Stand, sink: Sink) -> Stand:
    stand.name_relay(sink.port)
    return stand


def check_that_all_arrive(stand: Stand, sink: Sink, *, at_most: int) -> None:
    """The fault is gone and the time has come; so many copies are allowed."""
    stand.bring_forward()
    process = stand.send()
    assert process.wait() == 0, process.said()
    assert stand.queue() == {"sent": READERS}
    assert names(sink.taken()) == sorted(EVERYBODY)
    assert copies(sink.taken()) <= at_most
    stand.verify()


def check_no_false_word(stand: Stand, sink: Sink) -> int:
    """Who is sent was taken, and what was taken is sent or in doubt; how many are in doubt."""
    rows = stand.sql(
        "SELECT s.address, d.state FROM deliveries d"
        " JOIN subscriptions p ON p.id = d.subscription_id"
        " JOIN subscribers s ON s.id = p.subscriber_id"
    )
    taken = set(names(sink.taken()))
    assert {address for address, state in rows if state == "sent"} <= taken
    doubtful = {address for address, state in rows if state in ("dotted", "uncertain")}
    assert taken <= {address for address, state in rows if state == "sent"} | doubtful
    return len(doubtful)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes, on which only we write."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "digest-test", str(place)]
    made = subprocess.run(mount, capture_output=True, check=False)  # noqa: S603 -- our own words
    if made.returncode:
        pytest.skip(f"no small disk can be mounted here: {made.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)  # noqa: S603, S607 -- our own mount


def fill(disk: Path) -> Path:
    """Take all the room that is left."""
    filler = disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    return filler


def test_a_full_disk_stops_a_worker_and_room_lets_it_go_on(
    ready: Path, disk: Path, launcher: Launcher, sink: Sink
) -> None:
    """Row 31: what was answered is written down when there is room; nothing new is begun."""
    with standing(ready, disk, launcher, EVERYBODY) as stand:
        stand.name_relay(sink.port)
        sink.start("-W", ".:1")
        worker = stand.worker()
        stand.until(lambda: len(sink.taken()) >= 2, worker)
        filler = fill(disk)
        stand.until(lambda: "disk is full" in worker.said(), worker)
        assert len(sink.taken()) <= 2 * 4
        filler.unlink()
        stand.until_sent(worker)
        assert (copies(sink.taken()), names(sink.taken())) == (0, sorted(EVERYBODY))
        assert stand.verify()["possible_copies"] == 0


def test_on_a_full_disk_no_send_begins(
    ready: Path, disk: Path, launcher: Launcher, sink: Sink
) -> None:
    with standing(ready, disk, launcher, EVERYBODY) as stand:
        stand.name_relay(sink.port)
        sink.start()
        filler = fill(disk)
        process = stand.send()
        assert process.wait() == 1
        last = process.said().splitlines()[-1]
        assert last.startswith("digest: the database cannot be used: ")
        assert sink.taken() == []
        filler.unlink()
        check_that_all_arrive(stand, sink, at_most=0)


def test_a_file_that_may_not_grow_is_a_full_disk(stand: Stand, sink: Sink) -> None:
    """The same without a disk of our own: a limit on the size of files."""
    worker = stand.worker()
    stand.until(stand.relay_is_away, worker)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (32_768, most))
    sink.start()
    stand.until(lambda: "disk I/O error" in worker.said(), worker)
    assert check_no_false_word(stand, sink) <= 4
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (most, most))
    stand.until_sent(worker)
    assert (copies(sink.taken()), names(sink.taken())) == (0, sorted(EVERYBODY))


def strace(inject: str) -> tuple[str, ...]:
    if STRACE is None:
        pytest.skip("no strace here: apt install strace")
    calls = "fdatasync,fsync"
    quiet = ("-f", "-qq", "--seccomp-bpf", "-o", os.devnull)
    return (STRACE, *quiet, "-e", f"trace={calls}", "-e", f"inject={calls}:{inject}")


def test_a_disk_that_cannot_sync_is_never_believed(stand: Stand, sink: Sink) -> None:
    """Row 32: from the third sync of each thread on, and for good."""
    sink.start()
    with stand.under(*strace("error=EIO:when=3+")) as process:
        # it waits for its disk, as long as nobody asks it to end
        stand.until(lambda: "disk I/O error" in stand.heard())
        _end(process.pid)
    assert "Traceback" not in stand.heard()
    assert "our own fault" not in stand.heard()
    doubtful = check_no_false_word(stand, sink)
    assert doubtful <= 4
    check_that_all_arrive(stand, sink, at_most=doubtful)


def test_killed_at_a_sync_the_books_are_right(stand: Stand, sink: Sink) -> None:
    """Row 2: between the dot and its record, and at other moments that only a disk knows."""
    sink.start()
    with stand.under(*strace("signal=KILL:when=2")) as process:
        process.wait(30)
    assert process.returncode in (0, 1, -signal.SIGKILL, 128 + signal.SIGKILL)
    doubtful = check_no_false_word(stand, sink)
    assert doubtful <= 4
    check_that_all_arrive(stand, sink, at_most=doubtful)


def _end(pid: int) -> None:
    """Kill what strace runs; it ends with it."""
    for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        os.kill(int(each), signal.SIGKILL)


def damage(database: Path, how: str) -> None:
    data = bytearray(database.read_bytes())
    match how:
        case "no database at all":
            data = bytearray(b"these are not the books\n" * 500)
        case "half of it is gone":
            del data[len(data) // 2 :]
        case _:
            data[8192 : 8192 + 4096 * 8] = b"\xff" * 4096 * 8
    database.write_bytes(data)


@pytest.mark.parametrize(
    "how", ["no database at all", "half of it is gone", "a page in its middle"]
)
def test_a_damaged_database_is_told_in_one_line(stand: Stand, sink: Sink, how: str) -> None:
    """Row 35."""
    damage(stand.folder / "digest.db", how)
    sink.start()
    for command in (("send", "--no-gather"), ("status",)):
        process = stand.start(*command)
        assert process.wait() == 1
        assert len(process.said().splitlines()) == 1
        assert "the database cannot be used: " in process.said()
    assert sink.taken() == []


def test_a_database_of_a_newer_program_is_left_alone(stand: Stand, sink: Sink) -> None:
    stand.sql("UPDATE alembic_version SET version_num = '9999_later'")
    before = (stand.folder / "digest.db").read_bytes()
    sink.start()
    for command in ("send", "worker", "status"):
        process = stand.start(command)
        assert process.wait() == 1
        assert "a newer digest wrote it" in process.said()
        assert len(process.said().splitlines()) == 1
    assert sink.taken() == []
    assert (stand.folder / "digest.db").read_bytes() == before
