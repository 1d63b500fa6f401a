"""What becomes of an operation that another thread does, in asyncio's debug mode: it is refused, or handed over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from tests.libraries.measure import LIMIT, Claim

Operation = Callable[[], object]
# Makes, on the loop, an operation and one who waits for its effect.
Scene = Callable[[], Awaitable[tuple[Operation, "asyncio.Future[Any]"]]]


async def waiting(awaitable: Awaitable[Any]) -> asyncio.Task[Any]:
    """A task that has come to what it waits for."""

    async def wait() -> Any:
        return await awaitable

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    return task


def in_debug_mode(main: Coroutine[Any, Any, None]) -> None:
    """Run on a loop that is left as it is: `asyncio.run` would wait for tasks that never wake again."""
    loop = asyncio.new_event_loop()
    loop.set_debug(True)
    loop.set_exception_handler(lambda *_: None)
    try:
        loop.run_until_complete(main)
    finally:
        loop.close()


def check_refused(claim: Claim, scene: Scene) -> None:
    """On another thread the operation raises, and who waits goes on waiting."""

    async def main() -> None:
        operation, waiter = await scene()
        waiter._log_destroy_pending = False
        with pytest.raises(RuntimeError, match=r"Non-thread-safe operation|no running event loop"):
            await asyncio.to_thread(operation)
        await asyncio.sleep(0)
        assert not waiter.done()
        claim.note("RuntimeError")

    in_debug_mode(main())


def check_wakes(claim: Claim, scene: Scene, hand_over: Callable[[Operation], Awaitable[object]]) -> None:
    """Handed over, the operation wakes who waits. `hand_over` is called on the loop."""

    async def main() -> None:
        operation, waiter = await scene()
        await hand_over(operation)
        assert await asyncio.wait([waiter], timeout=LIMIT) == ({waiter}, set())
        claim.note("wakes")

    in_debug_mode(main())


async def call_soon_threadsafe(operation: Operation) -> None:
    """Hand over from a thread, as most rows have it."""
    await asyncio.to_thread(asyncio.get_running_loop().call_soon_threadsafe, operation)
