"""Which row of the program started a thread, or gave an executor its job: what runs there may be no code of its own."""

from __future__ import annotations

import sys
from types import CodeType, FrameType
from typing import Any

from loopsafe.runtime.places import frames, is_own
from loopsafe.runtime.violations import Spot, spot_at


def note(started: Any) -> None:
    """Keep with a thread, or a job of an executor, which row starts it."""
    for frame in frames(sys._getframe(2)):
        if is_own(frame):
            started._loopsafe_start = frame.f_code, frame.f_lineno
            return


def start_of(stack: list[FrameType]) -> Spot | None:
    """The row that started what a stack belongs to; of a job, not of the thread that does it."""
    for frame in stack:
        first = frame.f_code.co_varnames[:1]
        start: tuple[CodeType, int] | None = (
            getattr(frame.f_locals.get(*first), "_loopsafe_start", None) if first else None
        )
        if start is not None:
            return spot_at(*start)
    return None
