"""LSF105: a method of an event loop called from another thread."""

from __future__ import annotations

from typing import ClassVar

from loopsafe.rules.off_loop import OffLoopRule


class OffLoopLoopCall(OffLoopRule):
    """An event loop's method is called from a thread that does not run that loop.

    ## What it does
    Reports `call_soon`, `call_later`, `call_at`, `create_task`, `stop`, `add_reader`, `add_writer`, `remove_reader`,
    `remove_writer`, `add_signal_handler` and their like of an event loop in code that runs on another thread. Also
    `run_until_complete` and `run_forever` on a thread, where the loop runs already on the one that starts it, or may on
    others of the same pool: they raise `RuntimeError: This event loop is already running`.

    ## Why is this bad?
    Only `call_soon_threadsafe` wakes a loop that sleeps. `call_soon` and `create_task` from another thread leave their
    callback in the list until something else wakes the loop. `call_later` changes the heap of timers while the loop
    reads it, which can end the loop with "list changed size during iteration". `stop` only sets a flag: an idle loop
    does not stop, and no mode of asyncio reports it.

    ## Example
    ```python
    class Lighthouse:
        async def shine(self) -> None:
            self._loop = asyncio.get_running_loop()
            await asyncio.to_thread(self._watch_for_dusk)

        def _watch_for_dusk(self) -> None:
            self._loop.call_later(60, self._light)

        def _light(self) -> None:
            print("lit")
    ```

    ## Use instead
    ```python
    def _watch_for_dusk(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.call_later, 60, self._light)
    ```

    ## Fix safety
    `call_soon` becomes `call_soon_threadsafe`, which takes the same arguments and returns the same handle: safe. Other
    methods are handed to `call_soon_threadsafe`, but not where the returned handle is used. `create_task` becomes
    `asyncio.run_coroutine_threadsafe`: unsafe where the task is used, as it becomes a concurrent future.

    ## Conditions checked before reporting
    - The receiver is known to be an event loop.
    - A path leads from the start of a thread to the call, and every hop of it is shown.
    - No test on the way establishes that this is the loop's own thread, or that the loop does not run.
    - The thread does not run this loop itself. If it is the call that would run it: what starts the thread runs on
      this loop, or is a pool of several threads; no lock around the call lets them take turns.
    - Methods made for other threads, `call_soon_threadsafe`, `run_in_executor`, `is_running`, `is_closed` and `time`,
      are never reported.
    """

    code: ClassVar[str] = "LSF105"
    name: ClassVar[str] = "off-loop-loop-call"
    category: ClassVar[str] = "loop-call"
