"""How far the work is, on standard error, for a terminal and for long work only."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_PATIENCE = 0.5
_BETWEEN_DRAWINGS = 0.1


class ProgressBar:
    """Called as (what is done, how much, of how much) while work goes on; shows itself when that turns out to be long.

    It is never full: what comes after the last of something takes time, too.
    """

    def __init__(self) -> None:
        self._next_drawing = time.monotonic() + _PATIENCE
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Draw, unless it is too early."""
        now = time.monotonic()
        if now < self._next_drawing or (total and done >= total):
            return
        # Not at every call: drawing takes longer than reading a small file.
        self._next_drawing = now + _BETWEEN_DRAWINGS
        bar = self._bar = self._bar or _open_bar()
        if self._task is not None and stage != self._stage:
            bar.remove_task(self._task)
            self._task = None
        if self._task is None:
            self._stage, self._task = stage, bar.add_task(stage, total=total or None, count="")
        count = f"{done:,} of {total:,}" if total else f"{done:,}" if done else ""
        bar.update(self._task, completed=done, count=count, refresh=True)

    def close(self) -> None:
        """Take the bar off the screen."""
        if self._bar:
            self._bar.stop()


def _open_bar() -> Progress:
    # Most runs end before this is needed.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    # No share in per cent: it would be one of the first half only.
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}")
    # Without a drawing thread: the analysis may fork, and threads do not survive that.
    bar = Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
    bar.start()
    return bar


@contextlib.contextmanager
def progress(quiet: bool) -> Iterator[ProgressBar | None]:
    """A bar where someone can see it, else None."""
    if quiet or sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield None
        return
    bar = ProgressBar()
    try:
        yield bar
    finally:
        bar.close()
