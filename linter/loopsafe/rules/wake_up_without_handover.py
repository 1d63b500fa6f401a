"""LSF206: the loop is woken after the work was done off its thread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from loopsafe.rules.base import Rule

if TYPE_CHECKING:
    from loopsafe.contexts.analysis import Analysis, Violation


class WakeUpWithoutHandover(Rule):
    """An operation is done off its event loop, and then an empty callback is handed over to wake the loop.

    ## What it does
    Reports `loop.call_soon_threadsafe` with a callback that does nothing, in a function which has just done a
    loop-bound operation on a thread that does not run the loop. The operation itself is reported too, with its own
    code.

    ## Why is this bad?
    The wake-up makes the late item arrive, and so hides half of the bug. The operation still runs on the wrong thread:
    it races with the loop's own use of the object, and under debug mode it raises after the waiting task has lost its
    place, before the wake-up is reached. Handing over the operation itself is the same call, and right.

    ## Example
    ```python
    class Doorbell:
        async def wait_for_ring(self) -> str:
            loop = asyncio.get_running_loop()
            visitors: asyncio.Queue[str] = asyncio.Queue()

            def listen() -> None:
                visitors.put_nowait("postman")  # noqa: LSF102
                loop.call_soon_threadsafe(lambda: None)

            threading.Thread(target=listen).start()
            return await visitors.get()
    ```

    ## Use instead
    ```python
    def listen() -> None:
        loop.call_soon_threadsafe(visitors.put_nowait, "postman")
    ```

    ## Fix safety
    Not offered by itself: it goes with the fix of the operation before it. What is left of the wake-up does no harm.

    ## Conditions checked before reporting
    - The callback is a lambda or a function of the same file without any effect, and is given no arguments.
    - A loop-bound operation stands before it in the same function, and a path leads from the start of a thread to it.
    - No test on the way establishes that this is the loop's own thread.
    """

    code: ClassVar[str] = "LSF206"
    name: ClassVar[str] = "wake-up-without-handover"
    message: ClassVar[str] = "`{operation}` only wakes; {remedy}"

    def check(self, analysis: Analysis) -> Iterator[Violation]:
        """The wake-ups that follow an operation done off its loop."""
        return analysis.empty_wakeups()
