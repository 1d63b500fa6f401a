"""LSF208: work is handed to a loop that nobody runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from loopsafe.rules.base import Rule

if TYPE_CHECKING:
    from loopsafe.contexts.analysis import Analysis, Violation


class DeadLoop(Rule):
    """Something is handed to an event loop that nobody runs.

    ## What it does
    Reports `create_task`, `call_soon`, `asyncio.run_coroutine_threadsafe` and their like for a loop that is made by
    `asyncio.new_event_loop()`, kept under one name, and run nowhere.

    ## Why is this bad?
    A loop does nothing by itself: what it is given waits until `run_forever` or `run_until_complete` is called. If
    nobody does, the coroutine never runs, and whoever waits for its result waits for ever.

    ## Example
    ```python
    class Post:
        def __init__(self) -> None:
            self._loop = asyncio.new_event_loop()

        def send(self, letter: str) -> None:
            asyncio.run_coroutine_threadsafe(self._carry(letter), self._loop)

        async def _carry(self, letter: str) -> None:
            await asyncio.sleep(1)
    ```

    ## Use instead
    ```python
    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
    ```

    ## Fix safety
    Not offered: who is to run the loop, and until when, is for the program to say.

    ## Conditions checked before reporting
    - The loop is made by `new_event_loop`, and is held by one local name, or by one attribute with a leading
      underscore.
    - Every mention of that name is seen, and none runs the loop, sets it, returns it or passes it on.
    """

    code: ClassVar[str] = "LSF208"
    name: ClassVar[str] = "dead-loop"
    message: ClassVar[str] = "`{operation}` waits for a loop that nobody runs; {remedy}"

    def check(self, analysis: Analysis) -> Iterator[Violation]:
        """The hand-overs to loops that nobody runs."""
        return analysis.dead_hand_overs()
