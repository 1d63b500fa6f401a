"""dramatiq with its broker for tests."""

from __future__ import annotations

import asyncio

from tests.libraries.measure import Claim, Probe, claims, library

dramatiq = library("dramatiq")
stub = library("dramatiq.brokers.stub")
middleware = library("dramatiq.middleware")


@claims("decorators", "dramatiq.actor")
async def test_actor(claim: Claim) -> None:
    probe = Probe()
    broker = stub.StubBroker(middleware=[library("dramatiq.middleware.asyncio").AsyncIO()])
    actor = dramatiq.actor(broker=broker)(claim.handler(probe))
    worker = dramatiq.Worker(broker, worker_timeout=10)
    broker.emit_after("process_boot")
    worker.start()
    actor.send()
    await probe.called()
    await asyncio.to_thread(worker.stop)
    claim.check(probe, on_async="own-loop")
