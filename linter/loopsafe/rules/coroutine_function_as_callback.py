"""LSF202: a coroutine function given where a plain function is called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from loopsafe.rules.base import Rule

if TYPE_CHECKING:
    from loopsafe.contexts.analysis import Analysis, Violation


class CoroutineFunctionAsCallback(Rule):
    """A coroutine function, or a coroutine, is handed to something that calls it and awaits nothing.

    ## What it does
    Reports an `async def` function, or the coroutine it gives, in a place where a plain function is expected:
    `loop.call_soon_threadsafe`, `call_soon`, `call_later`, `call_at`, `loop.run_in_executor`, `asyncio.to_thread`,
    `Executor.submit`, `threading.Thread(target=...)`, `threading.Timer`, `add_done_callback`, `signal.signal`, and in
    the callbacks that libraries call on threads of their own. A lambda that only makes the coroutine counts the same,
    and so does an `async def` that overrides a method which a library calls on a thread: `Thread.run`,
    `logging.Handler.emit`, `FileSystemEventHandler.on_modified`.

    ## Why is this bad?
    Calling a coroutine function runs none of its body: it gives a coroutine, which somebody must await. These callers
    throw it away, and nothing happens but `RuntimeWarning: coroutine ... was never awaited`, often much later and
    without a trace of the cause. A coroutine in such a place cannot be called at all: `TypeError`.

    ## Example
    ```python
    class Telegraph:
        def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
            self._loop = loop

        def on_wire(self, text: str) -> None:
            self._loop.call_soon_threadsafe(self._deliver, text)

        async def _deliver(self, text: str) -> None:
            await asyncio.sleep(1)
            print(text)
    ```

    ## Use instead
    ```python
    def on_wire(self, text: str) -> None:
        asyncio.run_coroutine_threadsafe(self._deliver(text), self._loop)
    ```
    On the loop's own thread it is `asyncio.create_task(self._deliver(text))` or `await self._deliver(text)`; where a
    thread is to run the coroutine on a loop of its own, `threading.Thread(target=asyncio.run, args=(coroutine,))`.

    ## Fix safety
    `loop.call_soon_threadsafe(c, x)` becomes `asyncio.run_coroutine_threadsafe(c(x), loop)`: unsafe, since then the
    coroutine runs for the first time. Not offered elsewhere: which loop is to run it is for the author to say.

    ## Conditions checked before reporting
    - The outer call is known to call what it is given, and not to await what that gives. `create_task`, `start_soon` of
      anyio and trio, `run_coroutine_threadsafe` and `asyncio.run` expect coroutines and are never reported.
    - Everything that may stand in the place is a coroutine function or a coroutine of the project.
    """

    code: ClassVar[str] = "LSF202"
    name: ClassVar[str] = "coroutine-function-as-callback"
    message: ClassVar[str] = "`{operation}` awaits no coroutine; {remedy}"

    def check(self, analysis: Analysis) -> Iterator[Violation]:
        """The calls that are given a coroutine function or a coroutine."""
        return analysis.coroutine_callbacks()
