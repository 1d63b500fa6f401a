"""LSF204: an object of one event loop touched on another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from loopsafe.rules.base import Rule

if TYPE_CHECKING:
    from loopsafe.contexts.analysis import Analysis, Violation


class AwaitOnForeignLoop(Rule):
    """An object of one event loop is awaited or changed on another.

    ## What it does
    Reports what is done to an asyncio queue, lock, event, future, stream or the like on another loop than its own:
    `asyncio.run(self._queue.put(x))` in a worker, `new_event_loop().run_until_complete(self._lock.acquire())`, and
    whatever coroutines do that a thread runs on a loop of its own. A class that runs a loop in a thread is reported the
    other way round: where its coroutines for the caller's loop touch what belongs to the thread's.

    ## Why is this bad?
    A new loop makes the coroutine run, but not in the right place. `put` completes the getter that waits on the other
    loop without waking it: the item arrives when something else does. Under debug mode the call raises after the getter
    was taken off the list, which then waits for good. Where both loops wait, as for a lock, the second gets
    `RuntimeError: ... is bound to a different event loop`; before anybody waits nothing is amiss, so tests pass.

    ## Example
    ```python
    class Beekeeper:
        def __init__(self) -> None:
            self._swarms: asyncio.Queue[str] = asyncio.Queue()

        async def keep(self) -> None:
            self._loop = asyncio.get_running_loop()
            threading.Thread(target=self._watch_hives).start()
            while True:
                print(await self._swarms.get())

        def _watch_hives(self) -> None:
            asyncio.run(self._swarms.put("north meadow"))
    ```

    ## Use instead
    ```python
    def _watch_hives(self) -> None:
        asyncio.run_coroutine_threadsafe(self._swarms.put("north meadow"), self._loop).result()
    ```
    In a coroutine it is `await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(..., self._loop))`.

    ## Fix safety
    Unsafe: the thread, or the other loop, then waits for the loop that owns the object. Plain operations are handed
    over with `call_soon_threadsafe`, as the rules about them do. Not offered where no loop is in scope, and for
    `async with` and `async for`, whose whole block would have to move.

    ## Conditions checked before reporting
    - A path leads from the start of the thread, over the call that runs its loop, to the use.
    - Somebody waits for the same object on another loop, in a function that never runs on this one; or the object
      belongs to the loop it was made on, as futures, tasks, streams and client sessions do, and that is another.
    - What the thread makes itself, and what is handed over with `run_coroutine_threadsafe`, is not reported; nor are
      loops that follow one another on one thread.
    - No test on the way establishes that this is the object's own loop.
    """

    code: ClassVar[str] = "LSF204"
    name: ClassVar[str] = "await-on-foreign-loop"
    message: ClassVar[str] = "`{operation}` runs on a loop not its own; {remedy}"

    def check(self, analysis: Analysis) -> Iterator[Violation]:
        """The uses on a loop that is not the object's."""
        return analysis.foreign_uses()
