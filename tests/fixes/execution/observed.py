"""An event loop that notices what happens to it from other threads. For the process that runs cases.

What is noticed is what asyncio itself does: in debug mode it raises. Without, a callback comes to stand in the list of
a loop that sleeps in `select` and that nobody has woken. The thread first waits until the loop sleeps, so that no case
depends on luck. A signal handler runs in that sleep, on the loop's own thread, and does not end it either.
"""

from __future__ import annotations

import asyncio
import functools
import selectors
import signal
import sys
import threading
import time
from asyncio import futures, tasks
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FAULTS: list[tuple[str, list[tuple[str, int, str]]]] = []
CROSSED: list[list[tuple[str, int, str]]] = []
LOOPS: list[Observed] = []
_LONGEST = 0.05


def rows(folder: str) -> list[tuple[str, int, str]]:
    """Place and function of each frame of the case's own on this thread, innermost first."""
    found, frame = [], sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename.startswith(folder):
            name = str(Path(frame.f_code.co_filename).relative_to(folder))
            found.append((name, frame.f_lineno, frame.f_code.co_name))
        frame = frame.f_back  # type: ignore[assignment]
    return found


def _wakes_no_loop() -> bool:
    """Whether a signal is over with its handler: asyncio asks for a byte on its own pipe once it has a handler."""
    pipe = signal.set_wakeup_fd(-1)
    if pipe != -1:
        signal.set_wakeup_fd(pipe)
    return pipe == -1


class _Selector(selectors.SelectSelector):
    """`select` itself, which sees no descriptor that is added while it waits; says when it waits."""

    asleep = False

    def select(self, timeout: float | None = None) -> Any:
        """Wait."""
        self.asleep = timeout is None or timeout > 0
        try:
            return super().select(timeout)
        finally:
            self.asleep = False


class Observed(asyncio.SelectorEventLoop):
    """The loop."""

    folder = ""
    debug = False
    failed: Callable[[BaseException | None], None]

    def __init__(self) -> None:
        self.selector = _Selector()
        super().__init__(self.selector)
        self.set_debug(self.debug)
        LOOPS.append(self)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep what a callback raised."""
        type(self).failed(context.get("exception"))

    @property
    def foreign(self) -> bool:
        """Whether it runs, on another thread than this."""
        return self.is_running() and self._thread_id != threading.get_ident()  # type: ignore[attr-defined]

    def fall_asleep(self) -> None:
        """Wait until it sleeps."""
        end = time.monotonic() + _LONGEST
        while self.foreign and not self.selector.asleep and time.monotonic() < end:
            _sleep(0.0005)

    def call_soon(self, callback: Any, *args: Any, **kwargs: Any) -> Any:
        """Notice what does not wake the loop."""
        return self._watched("call_soon", lambda: super(Observed, self).call_soon(callback, *args, **kwargs))

    def call_at(self, when: float, callback: Any, *args: Any, **kwargs: Any) -> Any:
        """Notice what does not wake the loop."""
        when = min(when, self.time() + 0.03)
        return self._watched("call_at", lambda: super(Observed, self).call_at(when, callback, *args, **kwargs))

    def stop(self) -> None:
        """Notice what does not wake the loop."""
        self._watched("stop", super().stop)

    def _add_reader(self, *args: Any) -> Any:
        return self._watched("add_reader", lambda: super(Observed, self)._add_reader(*args))  # type: ignore[misc]

    def _add_writer(self, *args: Any) -> Any:
        return self._watched("add_writer", lambda: super(Observed, self)._add_writer(*args))  # type: ignore[misc]

    def call_soon_threadsafe(self, callback: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep that this was asked for, once it has been done."""
        return crossing(super().call_soon_threadsafe)(callback, *args, **kwargs)

    def _watched(self, name: str, act: Callable[[], Any]) -> Any:
        if not self.foreign and not (self.selector.asleep and _wakes_no_loop()):
            return act()
        self.fall_asleep()
        try:
            result = act()
        except RuntimeError as error:
            FAULTS.append((f"raises {error}", rows(self.folder)))
            raise
        if self.selector.asleep:
            FAULTS.append((f"{name} does not wake the loop", rows(self.folder)))
        return result


class Policy(asyncio.DefaultEventLoopPolicy):
    """Makes all loops observed ones."""

    def new_event_loop(self) -> Observed:
        """A loop."""
        return Observed()


def crossing(hand_over: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which hands a callback over to a loop's thread, as one of which is kept that it was asked for."""

    def noted(callback: Any, *args: Any, **kwargs: Any) -> Any:
        places = rows(Observed.folder)

        @functools.wraps(callback)
        def crossed(*given: Any) -> Any:
            CROSSED.append(places)
            return callback(*given)

        return hand_over(crossed if callable(callback) else callback, *args, **kwargs)

    return noted


def interrupt(number: int) -> None:
    """Send the main thread a signal as soon as a loop sleeps."""

    def send() -> None:
        while not any(loop.selector.asleep for loop in LOOPS):
            _sleep(0.0005)
        # One that came just before the system call would not end it, and its handler would never run.
        _sleep(0.02)
        signal.pthread_kill(threading.main_thread().ident, number)  # type: ignore[arg-type]

    threading.Thread(target=send, daemon=True).start()


async def until(holds: Callable[[], Any]) -> None:
    """Wait for something that happens on another thread."""
    while not holds():
        await asyncio.sleep(0.001)


def install(folder: str, debug: bool, failed: Callable[[BaseException | None], None]) -> None:
    """Observe all loops, and see to it that somebody waits for whatever is done on a foreign thread."""
    Observed.folder, Observed.debug, Observed.failed = folder, debug, staticmethod(failed)
    asyncio.set_event_loop_policy(Policy())
    futures.Future = asyncio.Future = futures._PyFuture  # type: ignore[attr-defined,misc,assignment]
    tasks.Task = asyncio.Task = tasks._PyTask  # type: ignore[attr-defined,misc,assignment]
    for cls, name, waiters in (
        (asyncio.Queue, "put_nowait", lambda queue: [queue._getters]),
        (asyncio.Queue, "get_nowait", lambda queue: [queue._putters]),
        (asyncio.Queue, "task_done", lambda queue: [queue._finished._waiters]),
        (asyncio.Event, "set", lambda event: [event._waiters]),
        (asyncio.Lock, "release", _waiters),
        (asyncio.Semaphore, "release", _waiters),
        (asyncio.Condition, "notify", lambda condition: [condition._waiters]),
    ):
        setattr(cls, name, _with_waiter(getattr(cls, name), waiters))
    for name in ("set_result", "set_exception", "cancel"):
        setattr(asyncio.Future, name, _with_callback(getattr(asyncio.Future, name)))


def _waiters(thing: Any) -> list[Any]:
    if thing._waiters is None:
        thing._waiters = __import__("collections").deque()
    return [thing._waiters]


def _with_waiter(method: Any, waiters: Any) -> Any:
    @functools.wraps(method)
    def waited(self: Any, *args: Any, **kwargs: Any) -> Any:
        # While a queue is made, nobody can wait for it.
        made = sys._getframe(1).f_code.co_name == "__init__"
        for loop in () if made else _owners(getattr(self, "_loop", None)):
            for places in waiters(self):
                if not any(not waiter.done() for waiter in places):
                    places.append(_Waiter(loop=loop))
        return method(self, *args, **kwargs)

    return waited


class _Waiter(futures._PyFuture):  # type: ignore[name-defined,misc]
    """Stands for a task that waits."""

    def __init__(self, *, loop: Any) -> None:
        super().__init__(loop=loop)
        self.add_done_callback(lambda _: None)


def _with_callback(method: Any) -> Any:
    @functools.wraps(method)
    def waited(self: Any, *args: Any, **kwargs: Any) -> Any:
        if list(_owners(self._loop)) and not self._callbacks and not self.done():
            self.add_done_callback(lambda _: None)
        return method(self, *args, **kwargs)

    return waited


def _owners(loop: Any) -> Iterator[Any]:
    """The loop to which the object belongs, if it runs on another thread than this."""
    running = [one for one in LOOPS if one.is_running()]
    if loop is None and all(one.foreign for one in running):
        # A loop that the case runs in a thread is meant, if there is one.
        loop = running[-1] if running else None
    return iter([loop] if isinstance(loop, Observed) and loop.foreign else [])


_sleep = time.sleep
