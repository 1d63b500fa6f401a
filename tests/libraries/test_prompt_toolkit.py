"""prompt_toolkit's ways to a thread and back."""

from __future__ import annotations

import asyncio

from tests.libraries.measure import Claim, Probe, claims, library

eventloop = library("prompt_toolkit.eventloop")


@claims("runs", "prompt_toolkit.eventloop.run_in_executor_with_context")
async def test_executor(claim: Claim) -> None:
    probe = Probe()
    await eventloop.run_in_executor_with_context(probe)
    claim.check(probe)


@claims("runs", "prompt_toolkit.eventloop.call_soon_threadsafe")
async def test_crossing(claim: Claim) -> None:
    probe, loop = Probe(), asyncio.get_running_loop()
    await asyncio.to_thread(eventloop.call_soon_threadsafe, probe, loop=loop)
    await probe.called()
    assert claim.row.crossing
    claim.check(probe)
