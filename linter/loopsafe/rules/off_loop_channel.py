"""LSF101: an async channel touched from another thread."""

from __future__ import annotations

from typing import ClassVar

from loopsafe.rules.off_loop import OffLoopRule


class OffLoopChannel(OffLoopRule):
    """An async channel is sent to, received from or closed off its event loop.

    ## What it does
    Reports `send_nowait`, `recv_nowait`, `receive_nowait` and `close` of an async channel in code that runs on a
    thread which does not run the channel's loop: LiveKit's `aio.Chan`, the memory object streams of anyio, the memory
    channels of trio.

    ## Why is this bad?
    A channel wakes the task that waits at its other end by scheduling a callback, and only the loop's own thread may
    schedule without telling the loop. From another thread the item is stored but a sleeping loop is not woken: the
    waiting task goes on when something else happens to wake the loop. Under asyncio's debug mode, and under trio, the
    call raises after it has taken the waiter off the list, so that the waiter never wakes.

    ## Example
    ```python
    class Thumbnailer:
        def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
            self._loop = loop
            self._images = aio.Chan[Image]()

        async def run(self) -> None:
            self._loop.run_in_executor(None, self._render)
            async for image in self._images:
                show(image)

        def _render(self) -> None:
            self._images.send_nowait(render_page())
    ```

    ## Use instead
    ```python
    def _render(self) -> None:
        self._loop.call_soon_threadsafe(self._images.send_nowait, render_page())
    ```

    ## Fix safety
    Safe where the call is a statement of its own and the loop is in scope. Unsafe where its result is used or where a
    `try` around it expects the channel's exceptions: those then surface in the loop's exception handler. Not offered
    for receiving, since the item is needed on this thread. On a worker thread of anyio or trio, and only there, the
    crossing is `from_thread.run_sync`, which waits, gives the result and raises here.

    ## Conditions checked before reporting
    - The receiver's type is known to be an async channel.
    - A path leads from the start of a thread to the call, and every hop of it is shown.
    - No test on the way establishes that this is the loop's own thread.
    - The thread does not run the loop that the channel belongs to.
    """

    code: ClassVar[str] = "LSF101"
    name: ClassVar[str] = "off-loop-channel"
    category: ClassVar[str] = "channel"
