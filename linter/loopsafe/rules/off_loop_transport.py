"""LSF106: a transport, stream or server touched from another thread."""

from __future__ import annotations

from typing import ClassVar

from loopsafe.rules.off_loop import OffLoopRule


class OffLoopTransport(OffLoopRule):
    """A transport, stream or server of asyncio is written to or closed off its event loop.

    ## What it does
    Reports the synchronous methods of asyncio's transports (`write`, `sendto`, `close`, `abort`, `pause_reading`, ...),
    of `StreamWriter` (`write`, `writelines`, `write_eof`, `close`), of `StreamReader` (`feed_data`, `feed_eof`) and of
    `Server` (`close`) in code that runs on a thread which does not run their loop.

    ## Why is this bad?
    `write` from another thread races with the loop that sends from the same buffer: under load it raises `BufferError`
    or "deque mutated during iteration", or bytes are lost. With a loop that waits in `select()` the data stays in the
    buffer. `close` schedules the end of the connection without waking the loop: the peer sees it late, and under debug
    mode, where the call raises half way, never.

    ## Example
    ```python
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()

        def tick() -> None:
            writer.write(b"tick\\n")

        await loop.run_in_executor(None, tick)
    ```

    ## Use instead
    ```python
    def tick() -> None:
        loop.call_soon_threadsafe(writer.write, b"tick\\n")
    ```

    ## Fix safety
    Safe where the call is a statement of its own and the loop is in scope: operations handed over are done in the order
    in which they were handed over. Unsafe where the result of the call is used, and where the loop must be captured.

    ## Conditions checked before reporting
    - The receiver's type is known to be a transport, stream or server of asyncio: sockets, files and pipes have the
      same method names and are never reported.
    - A path leads from the start of a thread to the call, and every hop of it is shown.
    - No test on the way establishes that this is the loop's own thread.
    - The thread does not run the loop that the connection belongs to.
    """

    code: ClassVar[str] = "LSF106"
    name: ClassVar[str] = "off-loop-transport"
    category: ClassVar[str] = "transport"
