"""LSF103: an asyncio event, lock, semaphore or condition touched from another thread."""

from __future__ import annotations

from typing import ClassVar

from loopsafe.rules.off_loop import OffLoopRule


class OffLoopSyncPrimitive(OffLoopRule):
    """An asyncio event, lock, semaphore or condition is set, released or notified off its event loop.

    ## What it does
    Reports `Event.set` and `Event.clear`, `Lock.release`, `Semaphore.release`, `BoundedSemaphore.release`,
    `Condition.release`, `Condition.notify` and `Condition.notify_all` of asyncio's primitives in code that runs on a
    thread which does not run their loop.

    ## Why is this bad?
    These primitives order tasks of one loop, not threads. Setting an event from another thread marks its waiters as
    ready without waking the loop they wait on; they go on when something else wakes it. Under debug mode the call
    raises after the flag is set, and the waiters never wake: a lock released this way can stay locked for good.
    `clear` wakes nobody, but may overtake a `set` that was handed over to the loop.

    ## Example
    ```python
    class Kettle:
        def __init__(self) -> None:
            self._boiled = asyncio.Event()

        async def brew(self) -> None:
            self._loop = asyncio.get_running_loop()
            threading.Timer(180, self._whistle).start()
            await self._boiled.wait()

        def _whistle(self) -> None:
            self._boiled.set()
    ```

    ## Use instead
    ```python
    def _whistle(self) -> None:
        self._loop.call_soon_threadsafe(self._boiled.set)
    ```

    ## Fix safety
    Safe where the call is a statement of its own and the loop is in scope; `set` and `clear` in a row become one
    callback. Unsafe where a `try` around the call expects its exception, where the loop must be captured, and where
    `clear` comes some time after `set`. Not offered for `notify` and `notify_all`, since the condition's lock must be
    held by a task of the loop.

    ## Conditions checked before reporting
    - The receiver's type is known to be an async primitive: those of `threading` and `multiprocessing` have the same
      method names and are never reported.
    - A path leads from the start of a thread to the call, and every hop of it is shown.
    - No test on the way establishes that this is the loop's own thread.
    - The thread does not run the loop that the primitive belongs to.
    """

    code: ClassVar[str] = "LSF103"
    name: ClassVar[str] = "off-loop-sync-primitive"
    category: ClassVar[str] = "sync-primitive"
