"""The other side of a violation: who waits for the object on its loop, and where."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

from loopsafe.runtime.places import frames, own
from loopsafe.runtime.violations import Spot, spot, spots

_HOLDING = ("_getters", "_putters", "_waiters", "_finished", "_cond", "_state", "_waiter", "waiting_receivers")


def waiting_for(it: Any, loop: Any, thread: int) -> tuple[bool, tuple[Spot, ...]]:
    """Whether tasks of the loop wait for the object, and where they stand; else where the loop's thread stands."""
    wanted = {id(one) for one in _futures(it)}
    for task in _tasks(loop):
        if id(getattr(task, "_fut_waiter", None)) in wanted:
            return True, _stands(task)
    stack = own(list(frames(sys._current_frames().get(thread))))
    return False, spots(stack, 4)


def _futures(it: Any, depth: int = 3) -> Iterator[Any]:
    """The futures on which whoever waits for the object does so."""
    if asyncio.isfuture(it):
        yield it
        return
    for name in _HOLDING if depth else ():
        held = getattr(it, name, None)
        try:
            many = list(held) if held is not None and not asyncio.isfuture(held) else [held]
        except (TypeError, RuntimeError):
            many = [held]
        for one in many:
            if one is not None:
                yield from _futures(one, depth - 1)


def _tasks(loop: Any) -> set[asyncio.Task[Any]]:
    # Tasks may begin and end while they are listed.
    for _ in itertools.repeat(None, 10):
        try:
            return asyncio.all_tasks(loop)
        except (RuntimeError, TypeError, AttributeError):
            continue
    return set()


def _stands(task: asyncio.Task[Any]) -> tuple[Spot, ...]:
    """Where the coroutines of a task stand, from the inside out."""
    found: list[FrameType] = []
    at: Any = task.get_coro()
    while at is not None and len(found) < 20:
        frame = getattr(at, "cr_frame", None) or getattr(at, "gi_frame", None)
        if frame is not None:
            found.append(frame)
        at = getattr(at, "cr_await", None) or getattr(at, "gi_yieldfrom", None)
    return tuple(spot(frame) for frame in own(found[::-1]))
