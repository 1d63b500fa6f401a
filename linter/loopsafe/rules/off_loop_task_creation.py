"""LSF107: a task started where no loop runs."""

from __future__ import annotations

from typing import ClassVar

from loopsafe.rules.off_loop import OffLoopRule


class OffLoopTaskCreation(OffLoopRule):
    """A task is started on a thread where no event loop runs, or not the right one.

    ## What it does
    Reports `asyncio.create_task`, `asyncio.ensure_future`, `asyncio.gather` and their like, and `create_task` or
    `start_soon` of a task group, in code that runs on a thread which does not run the event loop.

    ## Why is this bad?
    `asyncio.create_task` looks for the loop that runs on this thread: on a worker thread there is none, the call raises
    `RuntimeError: no running event loop` and the coroutine is never awaited. `ensure_future(..., loop=loop)` and a task
    group's methods find their loop but schedule on it without waking it: the task starts late, or under debug mode
    never.

    ## Example
    ```python
    class Doorbell:
        async def listen(self) -> None:
            self._loop = asyncio.get_running_loop()
            await asyncio.to_thread(self._wait_for_button)

        def _wait_for_button(self) -> None:
            while button.wait():
                asyncio.create_task(self._ring())
    ```

    ## Use instead
    ```python
    def _wait_for_button(self) -> None:
        while button.wait():
            asyncio.run_coroutine_threadsafe(self._ring(), self._loop)
    ```

    ## Fix safety
    Unsafe where the task is used, since `run_coroutine_threadsafe` returns a concurrent future, and where the loop must
    be captured. Safe otherwise. Not offered with `name=` or `context=`, which would be dropped, for `gather`, and for
    `TaskGroup.create_task` where the task is used.

    ## Conditions checked before reporting
    - The called name is known to be asyncio's function, or the receiver to be a task group.
    - A path leads from the start of a thread to the call, and every hop of it is shown.
    - No test on the way establishes that a loop runs on this thread.
    - The thread does not run a loop of its own.
    """

    code: ClassVar[str] = "LSF107"
    name: ClassVar[str] = "off-loop-task-creation"
    category: ClassVar[str] = "task-creation"
