"""LSF104: an asyncio future, task or handle touched from another thread."""

from __future__ import annotations

from typing import ClassVar

from loopsafe.rules.off_loop import OffLoopRule


class OffLoopFuture(OffLoopRule):
    """An asyncio future, task or handle is completed or cancelled off its event loop.

    ## What it does
    Reports `set_result`, `set_exception`, `cancel` and `add_done_callback` of `asyncio.Future` and `asyncio.Task`, and
    `cancel` of `asyncio.Handle` and `asyncio.TimerHandle`, in code that runs on a thread which does not run their loop.

    ## Why is this bad?
    Completing a future schedules its callbacks, and the task that awaits it, on its loop. From another thread they are
    scheduled without waking the loop: the result arrives late, by seconds or minutes. Under debug mode the call raises
    after the state has changed, and the awaiting task never wakes. A task cancelled this way may go on running.

    ## Example
    ```python
    async def measure(laser: Laser) -> float:
        loop = asyncio.get_running_loop()
        distance = loop.create_future()

        def fire() -> None:
            distance.set_result(laser.range())

        threading.Thread(target=fire).start()
        return await distance
    ```

    ## Use instead
    ```python
    def fire() -> None:
        loop.call_soon_threadsafe(distance.set_result, laser.range())
    ```

    ## Fix safety
    Safe where the call is a statement of its own: a future knows its loop. Unsafe where a `try` around the call expects
    `InvalidStateError`, which after the change surfaces in the loop's exception handler, and where `done()` is asked in
    the same function. Not offered where the value that `cancel` returns is used.

    ## Conditions checked before reporting
    - The receiver's type is known to be a future, task or handle of asyncio: `concurrent.futures.Future` has the same
      method names, is made for threads and is never reported; neither is the future that
      `asyncio.run_coroutine_threadsafe` returns.
    - A path leads from the start of a thread to the call, and every hop of it is shown.
    - No test on the way establishes that this is the loop's own thread.
    - The thread does not run the loop that the future belongs to.
    """

    code: ClassVar[str] = "LSF104"
    name: ClassVar[str] = "off-loop-future"
    category: ClassVar[str] = "future"
