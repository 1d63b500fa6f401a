"""A progress bar on standard error, for a terminal and for long work only."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_PATIENCE = 0.5
_BETWEEN_DRAWINGS = 0.1


class ProgressBar:
    """Called as (done, in all) while work goes on; shows itself when the work turns out to be long."""

    def __init__(self) -> None:
        self._next_drawing = time.monotonic() + _PATIENCE
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __call__(self, done: int, total: int) -> None:
        """Draw, unless it is too early."""
        now = time.monotonic()
        if now < self._next_drawing:
            return
        # Not at every call: drawing takes longer than reading a small file.
        self._next_drawing = now + _BETWEEN_DRAWINGS
        bar = self._bar = self._bar or _open_bar()
        if self._task is None:
            self._task = bar.add_task("Analysing", total=total)
        bar.update(self._task, completed=done, total=total, refresh=True)

    def close(self) -> None:
        """Take the bar off the screen."""
        if self._bar:
            self._bar.stop()


def _open_bar() -> Progress:
    # Most runs end before this is needed.
    from rich.console import Console
    from rich.progress import Progress

    # Without a drawing thread: the analysis may fork, and threads do not survive that.
    bar = Progress(console=Console(stderr=True), transient=True, auto_refresh=False)
    bar.start()
    return bar


@contextlib.contextmanager
def progress(quiet: bool) -> Iterator[ProgressBar | None]:
    """A bar where someone can see it, else None."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    bar = ProgressBar()
    try:
        yield bar
    finally:
        bar.close()
