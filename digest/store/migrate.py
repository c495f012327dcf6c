"""Brings a database to the shape that this program knows, or refuses one from a newer program."""

from __future__ import annotations

from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from digest.errors import StoreTooNew
from digest.store.dialect import lock_for_migration

_SCRIPTS = ScriptDirectory(str(Path(__file__).parent / "migrations"))


def is_current(connection: Connection) -> bool:
    """True when there is nothing to migrate, asked without taking any lock."""
    return MigrationContext.configure(connection).get_current_revision() == _head()


def migrate(connection: Connection) -> list[str]:
    """Run every migration that the database lacks, in the caller's transaction.

    Returns the revisions that ran, oldest first. Raises StoreTooNew when the database has a
    revision that this program does not know: a newer program wrote it, and to write to it without
    knowing its rules could lose mail.
    """
    lock_for_migration(connection)
    context = MigrationContext.configure(connection)
    current = context.get_current_revision()
    known = {script.revision for script in _SCRIPTS.walk_revisions()}
    if current is not None and current not in known:
        raise StoreTooNew(
            f"the database is at revision {current}, which this program does not know: "
            "a newer digest wrote it; install that version or restore a backup"
        )
    missing = list(_SCRIPTS.iterate_revisions("head", current or "base"))[::-1]
    with Operations.context(context):
        for script in missing:
            script.module.upgrade()
    _stamp(context, current, missing[-1].revision if missing else None)
    return [script.revision for script in missing]


def _head() -> str | None:
    return _SCRIPTS.get_current_head()


def _stamp(context: MigrationContext, current: str | None, target: str | None) -> None:
    """Write the reached revision down in the same transaction as the migrations."""
    if target is not None and target != current:
        context.stamp(_SCRIPTS, target)
