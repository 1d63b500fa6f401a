"""Who runs where: the loop of this thread, the thread of a loop, and which frames are a program's own."""

from __future__ import annotations

import os
import sys
import sysconfig
import threading
import weakref
from asyncio import events
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from loopsafe.runtime.rows import Side

running: Callable[[], Any] = events._get_running_loop
"""The asyncio loop that runs on this thread, or None."""

_STDLIB = tuple(
    os.path.join(os.path.realpath(path), "") for path in {sysconfig.get_path("stdlib"), os.path.dirname(os.__file__)}
)
_INSTALLED = ("site-packages", "dist-packages")
# Their own code is no more the place of a mistake than asyncio's is.
_LIBRARIES = frozenset(
    (
        "anyio", "trio", "uvloop", "outcome", "sniffio", "importlib", "runpy", "concurrent",
        "_pytest", "pluggy", "pytest", "pytest_asyncio", "pytest_trio", "xdist",
    )
)  # fmt: skip
_TRIO: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
_OURS = f"{__name__.rpartition('.')[0]}."


def set_loop() -> Any:
    """The asyncio loop that was set for this thread, whether it runs or not, or None. None is made."""
    policy = events._event_loop_policy  # type: ignore[attr-defined]
    return getattr(getattr(policy, "_local", None), "_loop", None)


def trio_runner() -> Any:
    """The trio run of this thread, or None."""
    run = sys.modules.get("trio._core._run")
    return getattr(run.GLOBAL_RUN_CONTEXT, "runner", None) if run else None


def either() -> Any:
    """The asyncio loop of this thread, else the trio run, or None."""
    return running() or trio_runner()


HERE: dict[Side, Callable[[], Any]] = {"asyncio": running, "trio": trio_runner, "any": either}
"""What runs on this thread, by what is asked for."""


def note_thread(loop: Any) -> None:
    """Keep which thread this is, of a run of trio: it does not say."""
    if not hasattr(loop, "is_running"):
        _TRIO[loop] = threading.get_ident()


def elsewhere(loop: Any) -> int:
    """The thread that runs the loop, if it runs and on another thread than this; else 0.

    -1 stands for a thread that is not known. What stands in for a loop in a test is none.
    """
    if loop is None:
        return 0
    queue = getattr(loop, "entry_queue", None)
    if queue is not None and not hasattr(loop, "is_running"):
        thread = 0 if queue.done or trio_runner() is loop else _TRIO.get(loop, -1)
    elif loop.is_running() is True:
        thread = getattr(loop, "_loopsafe_thread", None) or getattr(loop, "_thread_id", None) or -1
    else:
        return 0
    return 0 if thread == threading.get_ident() else thread


def name_of(thread: int) -> str:
    """What a thread is called."""
    known = threading._active.get(thread)  # type: ignore[attr-defined]
    return known.name if known else "another thread"


def frames(innermost: FrameType | None) -> Iterator[FrameType]:
    """A stack, from the inside out."""
    while innermost is not None:
        yield innermost
        innermost = innermost.f_back


def own(stack: list[FrameType]) -> list[FrameType]:
    """The frames of the program's own; of its libraries where it has none; never ours."""
    return list(filter(is_own, stack)) or [frame for frame in stack if not _is_ours(frame)][:1]


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith(_OURS)


def is_own(frame: FrameType) -> bool:
    """Whether a frame is the program's own, or that of a library which it uses for other things than its loop."""
    root = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    if root in _LIBRARIES or _is_ours(frame):
        return False
    # The tests that Python brings along are programs like others.
    return root == "test" or not is_of_python(frame.f_code.co_filename)


def is_of_python(path: str) -> bool:
    """Whether a file belongs to the standard library."""
    if path.startswith("<"):
        return path.startswith(("<frozen", "<string"))
    return path.startswith(_STDLIB) and not any(part in path for part in _INSTALLED)
