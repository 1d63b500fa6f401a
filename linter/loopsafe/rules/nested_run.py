"""LSF207: a loop is run below a running one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from loopsafe.rules.base import Rule

if TYPE_CHECKING:
    from loopsafe.contexts.analysis import Analysis, Violation


class NestedRun(Rule):
    """A loop is run on a thread on which one runs already.

    ## What it does
    Reports `asyncio.run`, `loop.run_until_complete` and their like in a coroutine, in a plain function that a coroutine
    calls, and in a callback that is given to a loop.

    ## Why is this bad?
    A thread runs one loop at a time. `asyncio.run` raises `RuntimeError: asyncio.run() cannot be called from a running
    event loop`, and `run_until_complete` refuses likewise, also for a loop that is new: the coroutine that was to run
    never does.

    ## Example
    ```python
    class Editor:
        async def edit(self) -> None:
            await asyncio.sleep(60)
            self.save()

        def save(self) -> None:
            asyncio.run(self._write())

        async def _write(self) -> None:
            await asyncio.sleep(1)
    ```

    ## Use instead
    ```python
    async def edit(self) -> None:
        await asyncio.sleep(60)
        await self.save()

    async def save(self) -> None:
        await self._write()
    ```

    ## Fix safety
    Not offered: the function must become a coroutine function, and so must its callers.

    ## Conditions checked before reporting
    - The call is one that runs a loop on the thread that calls it, and every function on the way to it is shown.
    - The way begins in a coroutine, or with a callback that a loop is given.
    - No test around the calls asks for a running loop or for the thread, and no `try` around the call that runs the
      loop handles `RuntimeError`.
    - The project does not import `nest_asyncio`, which lets loops run below others.
    """

    code: ClassVar[str] = "LSF207"
    name: ClassVar[str] = "nested-run"
    message: ClassVar[str] = "`{operation}` raises below a running loop; {remedy}"

    def check(self, analysis: Analysis) -> Iterator[Violation]:
        """The loops that are run below a running one."""
        return analysis.nested_runs()
