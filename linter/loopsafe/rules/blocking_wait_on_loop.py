"""LSF205: a loop's own thread waits for what only that loop can do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from loopsafe.rules.base import Rule

if TYPE_CHECKING:
    from loopsafe.contexts.analysis import Analysis, Violation


class BlockingWaitOnLoop(Rule):
    """The thread of an event loop waits for a coroutine that it has handed to that same loop.

    ## What it does
    Reports `asyncio.run_coroutine_threadsafe(coroutine, loop).result()`, and `.exception()`, where the loop is the one
    that runs here: in a coroutine, or in a plain function that a coroutine calls.

    ## Why is this bad?
    The wait stops the loop's thread, and only this thread could run the coroutine: a deadlock, for good or until the
    timeout, with every other task of the loop stopped as well. `run_coroutine_threadsafe` is for other threads.

    ## Example
    ```python
    class Archive:
        async def find(self, title: str) -> str:
            loop = asyncio.get_running_loop()
            return asyncio.run_coroutine_threadsafe(self._search(title), loop).result()

        async def _search(self, title: str) -> str:
            await asyncio.sleep(1)
            return title.upper()
    ```

    ## Use instead
    ```python
    async def find(self, title: str) -> str:
        return await self._search(title)
    ```

    ## Fix safety
    Not offered: a plain function that waits must become a coroutine function, and so must its callers.

    ## Conditions checked before reporting
    - The loop is taken from `get_running_loop` or `get_event_loop`, and is not known to live in another thread.
    - The wait stands in a coroutine, or in a plain function that a coroutine calls. Waits on worker threads are right
      and are not reported.
    - It is the future of `run_coroutine_threadsafe` that is waited for, itself or by a local name. Awaiting
      `asyncio.wrap_future(...)` and adding a callback do not block.
    """

    code: ClassVar[str] = "LSF205"
    name: ClassVar[str] = "blocking-wait-on-loop"
    message: ClassVar[str] = "`{operation}` waits for its own loop; {remedy}"

    def check(self, analysis: Analysis) -> Iterator[Violation]:
        """The waits for the loop that runs there."""
        return analysis.blocking_waits()
