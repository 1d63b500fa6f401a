"""LSF203: the loop to cross to is looked for on the thread that needs it."""

from __future__ import annotations

from typing import ClassVar

from loopsafe.rules.off_loop import OffLoopRule


class LoopLookedUpOffLoop(OffLoopRule):
    """The event loop is asked for on a thread that does not run one.

    ## What it does
    Reports `asyncio.get_running_loop()` and `asyncio.get_event_loop()` in code that runs on a thread without a loop of
    its own, most often to find the loop to hand something over to.

    ## Why is this bad?
    Both look for the loop of the thread they are called on, not for the program's. `get_running_loop` raises
    `RuntimeError` on any thread but the loop's. So does `get_event_loop` on all threads but the main one; there it may
    give a loop that nobody runs, to which what is handed over is lost. The loop has to be taken while it runs, before
    the thread starts.

    ## Example
    ```python
    class Lighthouse:
        def __init__(self) -> None:
            self._ships: asyncio.Queue[str] = asyncio.Queue()

        async def keep(self) -> None:
            threading.Thread(target=self._look_out).start()
            print(await self._ships.get())

        def _look_out(self) -> None:
            loop = asyncio.get_event_loop()
            loop.call_soon_threadsafe(self._ships.put_nowait, "brig")
    ```

    ## Use instead
    ```python
    async def keep(self) -> None:
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._look_out).start()
        print(await self._ships.get())

    def _look_out(self) -> None:
        self._loop.call_soon_threadsafe(self._ships.put_nowait, "brig")
    ```

    ## Fix safety
    Not offered: the loop must be taken in another function, and brought here.

    ## Conditions checked before reporting
    - A path leads from the start of a thread to the call, and every hop of it is shown.
    - The thread does not run a loop, and the function neither makes nor sets one. Signal handlers are not reported:
    they
      run on the main thread, where the loop usually is.
    - No `try` around the call handles `RuntimeError` or all exceptions: such code asks whether there is a loop.
    - No test on the way establishes that this is the loop's own thread.
    """

    code: ClassVar[str] = "LSF203"
    name: ClassVar[str] = "loop-looked-up-off-loop"
    message: ClassVar[str] = "`{operation}` finds no loop {where}; {remedy}"
    category: ClassVar[str] = "lookup"
