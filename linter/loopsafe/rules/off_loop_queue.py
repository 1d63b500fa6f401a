"""LSF102: an asyncio queue touched from another thread."""

from __future__ import annotations

from typing import ClassVar

from loopsafe.rules.off_loop import OffLoopRule


class OffLoopQueue(OffLoopRule):
    """An asyncio queue is filled, emptied or shut down off its event loop.

    ## What it does
    Reports `put_nowait`, `get_nowait`, `task_done` and `shutdown` of `asyncio.Queue`, `asyncio.LifoQueue` and
    `asyncio.PriorityQueue` in code that runs on a thread which does not run the queue's loop.

    ## Why is this bad?
    Despite the name it shares with `queue.Queue`, an asyncio queue has no locks. `put_nowait` from another thread
    stores the item and marks the waiting getter as ready, but does not wake a loop that sleeps: the getter goes on when
    something else wakes the loop, perhaps minutes later. Under debug mode the call raises after the getter was taken
    off the list, so that the getter never wakes. Two threads that race can exceed `maxsize`.

    ## Example
    ```python
    class Barometer:
        def __init__(self) -> None:
            self._readings: asyncio.Queue[float] = asyncio.Queue()

        async def watch(self) -> None:
            self._loop = asyncio.get_running_loop()
            threading.Thread(target=self._poll, daemon=True).start()
            while True:
                print(await self._readings.get())

        def _poll(self) -> None:
            self._readings.put_nowait(read_sensor())
    ```

    ## Use instead
    ```python
    def _poll(self) -> None:
        self._loop.call_soon_threadsafe(self._readings.put_nowait, read_sensor())
    ```

    ## Fix safety
    Safe where the call is a statement of its own and the loop is in scope. Unsafe where a `try` around the call expects
    `QueueFull`, which after the change surfaces in the loop's exception handler, and where the loop must be captured.
    Not offered for `get_nowait`, since the item is needed on this thread, and then for no other call on that queue in
    the function: they would change places.

    ## Conditions checked before reporting
    - The receiver's type is known to be an asyncio queue: `queue.Queue` and `multiprocessing.Queue` have the same
      method names and are never reported.
    - A path leads from the start of a thread to the call, and every hop of it is shown.
    - No test on the way establishes that this is the loop's own thread.
    - The thread does not run the loop that the queue belongs to.
    """

    code: ClassVar[str] = "LSF102"
    name: ClassVar[str] = "off-loop-queue"
    category: ClassVar[str] = "queue"
