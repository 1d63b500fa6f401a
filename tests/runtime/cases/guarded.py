"""What `tests/fixes/execution/stage.py` runs cases with when the guard is to watch them: its `observed`, in short.

A fault is a violation: its code, and the rows of the case on which the thread stands, the one that is told of first.
"""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loopsafe import runtime
from loopsafe.runtime import guard
from loopsafe.runtime.boundaries import boundary

FAULTS: list[tuple[str, list[tuple[str, int, str]]]] = []
CROSSED: list[list[tuple[str, int, str]]] = []
LOOPS: list[Any] = []
UVLOOP = "LOOPSAFE_TEST_UVLOOP" in os.environ
_sleep = time.sleep


class Observed:
    """What the stage asks of it."""

    folder = ""


def _loop_class() -> type:
    if UVLOOP:
        import uvloop

        base: Any = uvloop.Loop
    else:
        base = asyncio.SelectorEventLoop

    class Loop(base):
        def __init__(self) -> None:
            super().__init__()
            LOOPS.append(self)

        def fall_asleep(self) -> None:
            pass

    return Loop


def crossing(hand_over: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which hands a callback over: nobody here counts that."""
    return hand_over


def interrupt(number: int) -> None:
    """Send the main thread a signal."""

    def send() -> None:
        _sleep(0.02)
        signal.pthread_kill(threading.main_thread().ident, number)  # type: ignore[arg-type]

    threading.Thread(target=send, daemon=True).start()


async def until(holds: Callable[[], Any]) -> None:
    """Wait for something that happens on another thread."""
    while not holds():
        await asyncio.sleep(0.001)


def install(folder: str, debug: bool, failed: Callable[[BaseException | None], None]) -> None:
    """Begin to watch."""
    Observed.folder = folder
    loop_class = _loop_class()

    class Policy(asyncio.DefaultEventLoopPolicy):
        def new_event_loop(self) -> Any:
            loop = loop_class()
            loop.set_debug(debug)
            loop.set_exception_handler(lambda _, context: failed(context.get("exception")))
            return loop

    asyncio.set_event_loop_policy(Policy())
    # The stage calls into a case as if it were a part of it.
    guard.boundary = lambda stack, code: boundary([one for one in stack if _is_below(one, folder)] or stack, code)
    runtime.install("report", functools.partial(_note, folder))


def _note(folder: str, violation: runtime.Violation) -> None:
    spots = [violation.place, *violation.stack]
    own = [(str(Path(one.path).relative_to(folder)), one.row, one.function) for one in spots if _is_in(one, folder)]
    FAULTS.append((violation.code, own))
    if violation.code == "LSF205":
        # It would wait for ever.
        raise runtime.LoopSafetyError(violation)


def _is_below(frame: Any, folder: str) -> bool:
    return frame.f_code.co_filename.startswith(os.path.join(folder, ""))


def _is_in(spot: runtime.Spot, folder: str) -> bool:
    return spot.path.startswith(os.path.join(folder, ""))
