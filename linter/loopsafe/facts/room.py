"""Room to nest in: the same for each file, whoever asks and however deep in calls that is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")

# Python's limit on calls in calls is reached long before, in its own code and in ours.
_STACK = 64 << 20
_setting = threading.Lock()
_open = threading.local()


class _Room:
    """A thread that has nothing else to do than what it is given, one after the other."""

    def __init__(self) -> None:
        self._works: SimpleQueue[Callable[[], Any] | None] = SimpleQueue()
        self._outcomes: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        # A daemon: Ctrl-C ends the wait for it, and then nobody wants it any more.
        thread = threading.Thread(target=self._run, daemon=True)
        with _setting:
            before = threading.stack_size(_STACK)
            try:
                thread.start()
            finally:
                threading.stack_size(before)

    def do(self, work: Callable[[], Result]) -> Result:
        """What `work` gives, or raises."""
        self._works.put(work)
        result, error = self._outcomes.get()
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]

    def close(self) -> None:
        """It is done."""
        self._works.put(None)

    def _run(self) -> None:
        while (work := self._works.get()) is not None:
            outcome: tuple[Any, BaseException | None]
            try:
                outcome = (work(), None)
            except BaseException as error:
                outcome = (None, error)
            del work
            self._outcomes.put(outcome)
            del outcome


@contextmanager
def one_room() -> Iterator[None]:
    """What this thread does `with_room` in here is done on one other: to start one takes a fifth of a file's time."""
    around = getattr(_open, "room", None)
    try:
        room = around or _Room()
    except (RuntimeError, MemoryError):  # there are too many threads already
        room = None
    _open.room = room
    try:
        yield
    finally:
        _open.room = around
        if room is not None and room is not around:
            room.close()


def with_room(do: Callable[[], Result]) -> Result:
    """What `do` gives, or raises, on a thread that has nothing else to do.

    How deep the calls may go, and how large the stack is, depends on the thread: on the first one it is up to the
    system, and on who has called whom before.
    """
    with one_room():
        room = _open.room
        return do() if room is None else room.do(do)
