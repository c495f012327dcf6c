"""What the kill tests share: a server that records, a launcher, a house, and lines to say."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kill_house import House
from kill_relay import Recorder, recording
from kill_workers import Launcher, launching


@pytest.fixture(scope="session")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    with launching(tmp_path_factory.mktemp("launcher")) as one:
        yield one


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording(Recorder()) as one:
        yield one


@pytest.fixture
def house(tmp_path: Path, recorder: Recorder, launcher: Launcher) -> House:
    return House(tmp_path, recorder, launcher)


@pytest.fixture(scope="session")
def kills() -> int | None:
    """How many kills the operator of `make kill-test` asks for; None in the ordinary suite."""
    asked = os.environ.get("DIGEST_TEST_KILLS")
    return int(asked) if asked else None


@pytest.fixture
def tell(request: pytest.FixtureRequest, kills: int | None) -> Callable[[str], None]:
    """Say a line now to whoever runs `make kill-test`; the ordinary suite is silent."""
    plugins = request.config.pluginmanager
    reporter, capture = plugins.get_plugin("terminalreporter"), plugins.get_plugin("capturemanager")

    def say(line: str) -> None:
        if kills and reporter is not None and capture is not None:
            with capture.global_and_fixture_disabled():
                reporter.ensure_newline()
                reporter.write_line(line)

    return say
