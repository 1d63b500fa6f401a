"""LSF108: a class of the project that belongs to a loop, called from another thread."""

from __future__ import annotations

from typing import ClassVar

from loopsafe.rules.off_loop import OffLoopRule


class OffLoopProjectApi(OffLoopRule):
    """A class of the project that belongs to an event loop by what it does is called off that loop.

    ## What it does
    Reports a call, made on another thread, of a method that sets an event or completes a future which its object holds,
    where the object's class also has coroutine methods that wait. The finding stands at the boundary: at the call by
    which code of the thread enters the class, not deep inside. Methods called `send_nowait`, `recv_nowait`,
    `receive_nowait` and `close` make the class a channel: those calls are LSF101. A call of a function that the project
    itself marks with `# loopsafe: runs-on=loop` is reported likewise.

    ## Why is this bad?
    Whatever wakes a task through an asyncio event or future may only be done on the loop's own thread, however many
    methods lie between. From another thread the waiting task is marked as ready, but a loop that sleeps is not woken.
    Under debug mode the call raises when the event or future is already marked as done, and the task never wakes.
    The method itself is right, for the loop's own tasks may call it: the caller must cross.

    ## Example
    ```python
    class Drawbridge:
        def __init__(self) -> None:
            self._lowered = asyncio.Event()

        async def pass_over(self) -> None:
            await self._lowered.wait()

        def lower(self) -> None:
            self._lowered.set()


    class Castle:
        def __init__(self, bridge: Drawbridge) -> None:
            self._bridge = bridge

        async def receive_guests(self) -> None:
            self._loop = asyncio.get_running_loop()
            threading.Thread(target=self._keep_watch).start()
            await self._bridge.pass_over()

        def _keep_watch(self) -> None:
            self._bridge.lower()
    ```

    ## Use instead
    ```python
    def _keep_watch(self) -> None:
        self._loop.call_soon_threadsafe(self._bridge.lower)
    ```

    ## Fix safety
    Safe where the call is a statement of its own and the loop is in scope. Unsafe where its result is used, and where
    the loop must be captured.

    ## Conditions checked before reporting
    - The method is seen to do a loop-bound operation on what its object holds, itself or through other methods, and the
      class has coroutine methods that wait, so that code on the loop uses it too. Or the project has marked it.
    - A path leads from the start of a thread to the call, and every hop of it is shown. Where the thread starts
      inside the class there is no boundary, and the operation is reported with its own code.
    - No test on the way establishes that this is the loop's own thread.
    """

    code: ClassVar[str] = "LSF108"
    name: ClassVar[str] = "off-loop-project-api"
    category: ClassVar[str] = "project"
