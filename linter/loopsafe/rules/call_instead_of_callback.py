"""LSF201: a function called where it should have been passed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from loopsafe.rules.base import Rule

if TYPE_CHECKING:
    from loopsafe.contexts.analysis import Analysis, Violation


class CallInsteadOfCallback(Rule):
    """A callback is called on the spot, and its result passed, where the function itself should be passed.

    ## What it does
    Reports a call that stands where a function is expected: `loop.call_soon_threadsafe(f(x))`,
    `future.add_done_callback(f(x))`, `loop.run_in_executor(None, f(x))`, `threading.Thread(target=f())` and their like.

    ## Why is this bad?
    The parentheses call the function here and now, on this thread, and hand over what it returns. The very call that
    was meant to cross to the loop's thread, or to a worker, stays on this one, and the loop later fails with
    `TypeError: 'NoneType' object is not callable`.

    ## Example
    ```python
    class Piano:
        def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
            self._loop = loop
            self._keys: asyncio.Queue[str] = asyncio.Queue()

        def on_press(self, key: str) -> None:
            self._loop.call_soon_threadsafe(self._keys.put_nowait(key))
    ```

    ## Use instead
    ```python
    def on_press(self, key: str) -> None:
        self._loop.call_soon_threadsafe(self._keys.put_nowait, key)
    ```

    ## Fix safety
    Safe, since what was passed until now is known to be None, or a task or handle. The arguments move along. Where
    there is no place for them (`add_done_callback`), it is unsafe without and not offered with arguments: the function
    is given others.

    ## Conditions checked before reporting
    - The outer call is known to expect a function in this place.
    - The inner call is known to give nothing that can be called: a function of the project that returns no value, or an
      operation that gives none, a task or a handle. Calls that give a function, such as `functools.partial(...)`, and
      calls of which nothing is known are not reported.
    """

    code: ClassVar[str] = "LSF201"
    name: ClassVar[str] = "call-instead-of-callback"
    message: ClassVar[str] = "`{operation}` is called, not passed; {remedy}"

    def check(self, analysis: Analysis) -> Iterator[Violation]:
        """The calls that stand where a callback is expected."""
        return analysis.called_callbacks()
