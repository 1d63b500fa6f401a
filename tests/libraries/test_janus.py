"""janus, whose asynchronous side refuses other threads."""

from __future__ import annotations

import asyncio

import pytest

from tests.libraries.measure import Claim, claims, library

janus = library("janus")


@claims("operations", "janus.AsyncQueue.put_nowait", "janus.AsyncQueue.get_nowait")
async def test_async_side(claim: Claim) -> None:
    queue = janus.Queue()
    await queue.async_q.put(2)
    arguments = (1,) if claim.member == "put_nowait" else ()
    with pytest.raises(RuntimeError, match="no running event loop"):
        await asyncio.to_thread(getattr(queue.async_q, claim.member), *arguments)
    assert await asyncio.to_thread(getattr(queue, claim.row.crossing).get_nowait) == 2
    await queue.aclose()
    claim.note("RuntimeError")
