"""The guard: puts its checks in front of what is watched, and says what it sees."""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
from collections.abc import Callable, Sequence
from inspect import CO_COROUTINE
from types import FrameType, ModuleType
from typing import Any, Literal, get_args

from loopsafe.runtime import imports, marks, watching
from loopsafe.runtime.boundaries import boundary, is_chained, is_finalizer, is_handled
from loopsafe.runtime.journal import harmless, tell
from loopsafe.runtime.owners import foreign
from loopsafe.runtime.patching import Undo
from loopsafe.runtime.places import HERE, frames, is_own, name_of, own
from loopsafe.runtime.repair import hand_over
from loopsafe.runtime.rows import Operation
from loopsafe.runtime.starts import start_of
from loopsafe.runtime.violations import LoopSafetyError, Violation, silenced, spot, spots
from loopsafe.runtime.waiting import waiting_for

Action = Literal["report", "raise", "repair"]
ACTIONS: tuple[Action, ...] = get_args(Action)
Listener = Callable[[Violation], object]


class Guard:
    """What is seen, and what happens then."""

    def __init__(self, action: Action, listener: Listener) -> None:
        self.action, self.listener = action, listener
        self.seen: dict[tuple[str, str, int], Violation] = {}
        self.ignores: Callable[[Violation], bool] = lambda violation: False
        self.undo: list[Undo] = []
        self._lock = threading.Lock()
        self._here = threading.local()

    def check(self, it: Any, operation: Operation) -> bool:
        """Whether the operation, whose frame called this, is to be handed over rather than done.

        Raises:
            LoopSafetyError: it is on the wrong thread, and the action is to raise.
        """
        loop, thread = foreign(it, operation)
        if not thread:
            return False
        counts = self._act(harmless(self._told, it, operation, loop, thread, sys._getframe(1)))
        return counts and self.action == "repair" and not operation.waits and operation.owner != "none"

    def hand(self, it: Any, operation: Operation, arguments: tuple[Sequence[object], dict[str, object]]) -> Any:
        """Do on its loop what `check` wants to be handed over."""
        return hand_over(it, operation, foreign(it, operation)[0], arguments)

    def waits(self, future: Any) -> None:
        """A concurrent future is waited for on the thread of the loop that is to complete it: that never ends.

        Raises:
            LoopSafetyError: the action is to raise.
        """
        if future.done():
            return
        self._act(harmless(self._told_of_wait, future, sys._getframe(1)))

    def _act(self, violation: Violation | None) -> bool:
        """Raise, if that is the action; whether there is a violation."""
        if violation and self.action == "raise":
            raise LoopSafetyError(violation)
        return violation is not None

    def _told(self, it: Any, operation: Operation, loop: Any, thread: int, frame: FrameType) -> Violation | None:
        """What is wrong with the operation of the frame, which is told; None if it does not count."""
        if self._is_within(frame) or is_chained(frame) or is_finalizer(frame):
            return None
        if operation.code == "LSF107" and operation.owner == "none" and is_handled(frame):
            return None
        self._here.last = id(frame), frame.f_code
        return self._tell(_violation(it, operation, loop, thread, frame))

    def _told_of_wait(self, future: Any, frame: FrameType) -> Violation | None:
        name, here = threading.current_thread().name, spots(own(list(frames(frame.f_back))))
        loop = _in_words(future._loopsafe_loop)
        api = f"run_coroutine_threadsafe().{frame.f_code.co_name}"
        return self._tell(Violation("LSF205", api, here[0], here, name, loop, name, (), waits=True))

    def _is_within(self, frame: FrameType) -> bool:
        """Whether an operation that was told of does this one inside."""
        last = getattr(self._here, "last", None)
        return last is not None and any((id(one), one.f_code) == last for one in frames(frame.f_back))

    def _tell(self, violation: Violation) -> Violation | None:
        """Tell of it, once for each place; None if it does not count."""
        if silenced(violation.place, violation.code) or silenced(violation.stack[0], violation.code):
            return None
        if self.ignores(violation):
            return None
        with self._lock:
            new = self.seen.setdefault(violation.key, violation) is violation
        if new or self.action == "raise":
            harmless(self.listener, violation)
        return violation


def _violation(it: Any, operation: Operation, loop: Any, thread: int, frame: FrameType) -> Violation:
    everything = list(frames(frame.f_back))
    stack, start = own(everything), start_of(everything)
    here = HERE[operation.side]()
    at, code = boundary(stack, operation.code)
    if here is not None and (operation.waits or at.f_code.co_flags & CO_COROUTINE):
        code = "LSF204"
    place, told = spot(at), spots(stack)
    if start and not is_own(at):
        # The thread runs the operation itself.
        place, told = start, (start,)
    waits, places = waiting_for(it, loop, thread)
    return Violation(
        code=code,
        api=f"{operation.api}.{operation.method}",
        place=place,
        stack=told,
        thread=threading.current_thread().name,
        loop=_in_words(loop),
        loop_thread=name_of(thread),
        waiting=places,
        waits=waits,
        second_loop=here is not None,
        start=start,
    )


def _in_words(loop: Any) -> str:
    return f"{type(loop).__name__} {id(loop):#x}"


_GUARDS: list[Guard] = []


def install(action: Action = "report", listener: Listener | None = None) -> Guard:
    """Watch from now on. What is seen goes to the listener, else to standard error; once for each place.

    Raises:
        ValueError: there is no such action.
        RuntimeError: a guard is there already.
        Exception: asyncio cannot be changed; it is as it was.
    """
    if action not in ACTIONS:
        raise ValueError(f"the action is one of {', '.join(ACTIONS)}, not `{action}`")
    if _GUARDS:
        raise RuntimeError("the guard is installed already")
    guard = Guard(action, listener or tell)
    _GUARDS.append(guard)
    try:
        # Each as soon as it is known: what follows may fail.
        guard.undo.extend(watching.watch_asyncio(guard))
    except BaseException:
        uninstall()
        raise
    guard.undo.append(imports.after_import(functools.partial(_loaded, guard)))
    return guard


def _loaded(guard: Guard, module: ModuleType) -> None:
    for watch in (watching.watch_library, marks.watch_marked):
        harmless(guard.undo.extend, watch(module, guard))


def uninstall() -> None:
    """Leave everything as it was before `install`."""
    while _GUARDS:
        guard = _GUARDS.pop()
        for undo in reversed(guard.undo):
            with contextlib.suppress(AttributeError):
                undo()


def seen() -> tuple[Violation, ...]:
    """What the guard has seen, in order, once for each place."""
    return tuple(_GUARDS[-1].seen.values()) if _GUARDS else ()
