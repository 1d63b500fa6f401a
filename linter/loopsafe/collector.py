"""Memory that is not freed: there is nothing to gain while an analysis runs, nor at the end of the process."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """Nothing made in here is garbage before the end; looking for it again and again costs a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Left:
    allowed = False
    things: tuple[object, ...] = ()


def leave_last() -> None:
    """Say that this process ends by `os._exit`: taking millions of objects apart would take a sixth of its time."""
    _Left.allowed = True


def leave(*things: object) -> None:
    """Keep what the latest analysis was made of, where that may be left to the end of the process."""
    if _Left.allowed:
        _Left.things = things
