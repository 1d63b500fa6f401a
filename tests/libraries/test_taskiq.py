"""taskiq with its broker in memory."""

from __future__ import annotations

from tests.libraries.measure import Claim, Probe, claims, library

taskiq = library("taskiq")


@claims("decorators", "taskiq.AsyncBroker.task")
async def test_task(claim: Claim) -> None:
    probe, broker = Probe(), taskiq.InMemoryBroker()
    task = broker.task("measured")(claim.handler(probe))
    await (await task.kiq()).wait_result()
    await broker.shutdown()
    claim.check(probe)
