"""Where a run's time goes: processor seconds by stage, and by file."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

_SLOWEST = 10


class Stopwatch:
    """Adds up the time of stages; nested ones count for themselves and for what they are part of."""

    def __init__(self) -> None:
        self._stages: defaultdict[str, float] = defaultdict(float)
        self._files: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str, file: str = "") -> Iterator[None]:
        """What runs inside is this stage, for this file where one is given."""
        start = time.process_time()
        try:
            yield
        finally:
            taken = time.process_time() - start
            self._stages[name] += taken
            if file:
                self._files[file] += taken

    def lines(self) -> Iterator[str]:
        """The stages in order of their first end, and the slowest files."""
        yield from (f"{seconds:8.3f} s  {name}" for name, seconds in self._stages.items())
        yield "slowest files:"
        slowest = sorted(self._files.items(), key=lambda item: -item[1])[:_SLOWEST]
        yield from (f"{seconds:8.3f} s  {name}" for name, seconds in slowest)
