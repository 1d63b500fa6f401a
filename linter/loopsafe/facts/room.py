"""Room to nest in: the same for each file, whoever asks and however deep in calls that is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")

# Python's limit on calls in calls is reached long before, in its own code and in ours.
_STACK = 64 << 20
_setting = threading.Lock()


class _Work(Generic[Result]):
    """Something to do, and what came of it."""

    def __init__(self, do: Callable[[], Result]) -> None:
        self._do = do
        self._results: list[Result] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        """Do it."""
        try:
            self._results.append(self._do())
        except BaseException as error:
            self._error = error

    def outcome(self) -> Result:
        """What came of it, also where that is an exception."""
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return self._results.pop()


def with_room(do: Callable[[], Result]) -> Result:
    """What `do` gives, or raises, on a thread that has nothing else to do.

    How deep the calls may go, and how large the stack is, depends on the thread: on the first one it is up to the
    system, and on who has called whom before.
    """
    work = _Work(do)
    try:
        thread = _started(work)
    except (RuntimeError, MemoryError):  # there are too many already
        return do()
    thread.join()
    return work.outcome()


def _started(work: _Work[Result]) -> threading.Thread:
    # A daemon: Ctrl-C ends the wait for it, and then nobody wants it any more.
    thread = threading.Thread(target=work.run, daemon=True)
    with _setting:
        before = threading.stack_size(_STACK)
        try:
            thread.start()
        finally:
            threading.stack_size(before)
    return thread
