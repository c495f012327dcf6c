"""What the fault tests share: a ready edition, a folder for each fault, and a fault server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_sink import Sink, sinking
from fault_stand import EVERYBODY, READERS, Stand, prepare, standing
from kill_workers import Launcher


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory, launcher: Launcher) -> Path:
    """The folder of a database with an edition for all readers, to be copied."""
    return prepare(tmp_path_factory.mktemp("faults") / "ready", launcher, READERS)


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    with sinking(tmp_path / "sink") as one:
        yield one


@pytest.fixture
def stand(ready: Path, tmp_path: Path, launcher: Launcher) -> Iterator[Stand]:
    """A folder whose relay nobody has named yet."""
    with standing(ready, tmp_path, launcher, EVERYBODY) as one:
        yield one
