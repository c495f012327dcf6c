"""A progress bar on a terminal, silence in a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from digest.cli.run import told


@contextmanager
def counting(what: str, *, total: int, shown: bool = True) -> Iterator[Callable[[], None]]:
    """Count up to `total` before the operator's eyes; gives the function that counts one."""
    if not (shown and told.is_terminal):
        yield lambda: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=told, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)
