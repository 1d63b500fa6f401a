"""huey with its queue in memory."""

from __future__ import annotations

import asyncio

from tests.libraries.measure import Claim, Probe, claims, library

huey = library("huey")


@claims("decorators", "huey.Huey.task")
async def test_task(claim: Claim) -> None:
    probe, queue = Probe(), huey.MemoryHuey()
    task = queue.task()(claim.handler(probe))
    consumer = queue.create_consumer(workers=1, initial_delay=0.01, periodic=False)
    consumer.start()
    task()
    await probe.called()
    await asyncio.to_thread(consumer.stop, graceful=True)
    claim.check(probe)
