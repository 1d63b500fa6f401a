"""Puts the rows of `rows` into effect: which function gets which check in front."""

from __future__ import annotations

import asyncio
import concurrent.futures.thread
import functools
import importlib
import sys
import threading
from asyncio import futures, tasks, transports
from collections.abc import Iterator
from threading import get_ident
from types import FunctionType, ModuleType
from typing import Any, Protocol

from loopsafe.runtime import rows
from loopsafe.runtime.owners import LOOPS, made
from loopsafe.runtime.patching import Undo, around, in_front, marked
from loopsafe.runtime.places import HERE, running, set_loop
from loopsafe.runtime.rows import Operation, Watched
from loopsafe.runtime.starts import note


class Judge(Protocol):
    """What the rows call: see `guard.Guard`."""

    def check(self, it: Any, operation: Operation) -> bool:
        """Whether to hand over."""

    def hand(self, it: Any, operation: Operation, arguments: Any) -> Any:
        """Hand over."""

    def waits(self, future: Any) -> None:
        """A blocking wait."""


_OWNER = {
    "waits": "self._loopsafe_owner",
    "_loop": "self._loop",
    "self": "self",
    "none": "None",
}


def watch_asyncio(judge: Judge) -> Iterator[Undo]:
    """Watch asyncio, and the libraries that are loaded already; of each change, as it is made, what undoes it."""
    for watched in rows.ASYNCIO:
        yield from _watch(watched, judge)
    yield from _watch_c(judge)
    yield from _watch_transports(judge)
    yield from _watch_loops(asyncio.BaseEventLoop)
    yield from _watch_waits(judge)
    yield from _watch_starts()
    for module in tuple(sys.modules.values()):
        yield from watch_library(module, judge)


def watch_library(module: ModuleType, judge: Judge) -> Iterator[Undo]:
    """Watch what a module that has just been loaded has to be watched; mostly nothing."""
    name = getattr(module, "__name__", "")
    if name == "uvloop":
        yield from _watch_uvloop(module, judge)
    for watched in _BY_MODULE.get(name, ()):
        yield from _watch(watched, judge)


_BY_MODULE: dict[str, list[Watched]] = {}
for _row in rows.LIBRARIES:
    _BY_MODULE.setdefault(_row.place.partition(":")[0], []).append(_row)


def _watch(watched: Watched, judge: Judge) -> Iterator[Undo]:
    module, _, name = watched.place.partition(":")
    try:
        found: Any = importlib.import_module(module)
    except ImportError:
        # Another system, or an older Python.
        return
    owner = getattr(found, name, None) if name else found
    if owner is not None:
        yield from watch_class(owner, watched, judge)


def watch_class(owner: Any, watched: Watched, judge: Judge) -> Iterator[Undo]:
    """Watch a class, or functions of a module, as the row says."""
    slotted = isinstance(owner, type) and not owner.__dictoffset__
    if slotted and watched.owner == "waits" and not owner.__weakrefoffset__:
        # Nothing can be kept of the loop of its objects.
        return
    if watched.owner == "waits" and not watched.holder and not slotted:
        yield marked(owner, "_loopsafe_owner")
        yield marked(owner, "_loopsafe_waits")
    if watched.owner == "waits":
        yield from _watch_making(owner, watched)
    for method in (*watched.operations, *watched.waits):
        if method in vars(owner):
            operation = _operation(watched, method)
            yield in_front(owner, method, _row_for(operation, slotted), _values(operation, judge), watched.wraps)


def _watch_making(owner: Any, watched: Watched) -> Iterator[Undo]:
    """Have the object keep which loop ran where it was made."""
    names = ("__post_init__", "__attrs_post_init__", "__init__")
    name = next((one for one in names if isinstance(vars(owner).get(one), FunctionType)), None)
    if name is None:
        return
    if watched.side == "asyncio" and owner.__dictoffset__:
        # Where no loop runs yet, the thread: it may run one later.
        yield in_front(owner, name, "self._loopsafe_owner = HERE() or ME()", {"HERE": running, "ME": get_ident})
        return
    values = {"MADE": functools.partial(made, HERE[watched.side])}
    holder = f"self.{watched.holder}" if watched.holder else "self"
    yield in_front(owner, name, f"MADE({holder})", values, watched.wraps)


def _operation(watched: Watched, method: str) -> Operation:
    return Operation(
        watched.code, watched.api, method, watched.owner, watched.holder, watched.side,
        method in watched.waits, method in watched.answers,
    )  # fmt: skip


def _values(operation: Operation, judge: Judge) -> dict[str, object]:
    values = {"HERE": HERE[operation.side], "CHECK": judge.check, "HAND": judge.hand, "ROW": operation}
    return {**values, "IS_FUTURE": asyncio.isfuture, "SET": set_loop}


# What stands for the loop where a function is not a method of something that has one: the loop that was set for the
# thread, which it may run later. A future needs none.
_LOOSE = {
    "asyncio.ensure_future": "if HERE() is None and not IS_FUTURE(self): CHECK(loop or SET(), ROW)",
    "asyncio.gather": "if HERE() is None and not any(map(IS_FUTURE, coros_or_futures)): CHECK(SET(), ROW)",
}


def _row_for(operation: Operation, slotted: bool = False) -> str:
    """The row that runs first. On the right thread it is one call of C and one comparison."""
    owner = _OWNER[operation.owner]
    if operation.owner == "none":
        return _LOOSE.get(f"{operation.api}.{operation.method}", "if HERE() is None: CHECK(None, ROW)")
    if slotted and operation.owner == "waits":
        return "CHECK(self, ROW)" if operation.waits else "if CHECK(self, ROW): return HAND(self, ROW, ARGUMENTS)"
    if operation.owner == "waits" and operation.waits:
        owner = "self._loopsafe_waits"
    if operation.holder:
        owner = f"getattr(self.{operation.holder}, '{owner.rpartition('.')[2]}', None)"
    if operation.waits:
        return f"if HERE() is not {owner}: CHECK(self, ROW)"
    return f"if HERE() is not {owner} and CHECK(self, ROW): return HAND(self, ROW, ARGUMENTS)"


def _watch_c(judge: Judge) -> Iterator[Undo]:
    """Watch the futures and tasks that are written in C."""
    for owner, api in ((futures.Future, "asyncio.Future"), (tasks.Task, "asyncio.Task")):
        if owner in (futures._PyFuture, tasks._PyTask):  # type: ignore[attr-defined]
            continue
        row = Watched("", api, "LSF104", rows.FUTURE, owner="_loop")
        yield from watch_class(owner, row, judge)


def _watch_transports(judge: Judge) -> Iterator[Undo]:
    row = Watched("", "transport", "LSF106", rows.TRANSPORT, owner="_loop")
    for owner in tuple(_below(transports.BaseTransport)):
        if owner.__module__.startswith("asyncio.") and owner.__module__ != transports.__name__:
            yield from watch_class(owner, row, judge)


def _below(cls: type) -> set[type]:
    return {cls}.union(*map(_below, cls.__subclasses__()))


def _watch_loops(owner: type) -> Iterator[Undo]:
    """Have a loop say which thread runs it."""
    yield in_front(owner, "run_forever", "RUNS(self)", {"RUNS": _runs})


def _runs(loop: Any) -> None:
    if not loop.is_running():
        LOOPS.add(loop)
        loop._loopsafe_thread = get_ident()


def _watch_uvloop(module: Any, judge: Judge) -> Iterator[Undo]:
    """Watch uvloop's loop. Its Python class is ours to change: methods of C that it inherits become methods of it."""
    row = Watched("", "loop", "LSF105", (*rows.LOOP[:-1], *rows.FILES, *rows.SIGNALS), (), "self", answers=rows.GIVING)
    for name in (*row.operations, "run_forever"):
        if name not in vars(module.Loop):
            setattr(module.Loop, name, getattr(module.Loop, name))
            yield functools.partial(delattr, module.Loop, name)
    yield from watch_class(module.Loop, row, judge)
    yield from _watch_loops(module.Loop)


def _watch_starts() -> Iterator[Undo]:
    """Have threads, and jobs of executors, keep where they were started."""
    yield in_front(threading.Thread, "start", "NOTE(self)", {"NOTE": note})
    yield in_front(concurrent.futures.thread._WorkItem, "__init__", "NOTE(self)", {"NOTE": note})


def _watch_waits(judge: Judge) -> Iterator[Undo]:
    """Watch for threads that wait for what their own loop is to do."""
    yield marked(concurrent.futures.Future, "_loopsafe_loop")
    yield around(tasks.run_coroutine_threadsafe, _promised)  # type: ignore[arg-type]
    row = "if self._loopsafe_loop is not None and self._loopsafe_loop is HERE(): WAITS(self)"
    for name in ("result", "exception"):
        yield in_front(concurrent.futures.Future, name, row, {"HERE": running, "WAITS": judge.waits})


def _promised(original: Any, coroutine: Any, loop: Any) -> Any:
    future = original(coroutine, loop)
    future._loopsafe_loop = loop
    return future
