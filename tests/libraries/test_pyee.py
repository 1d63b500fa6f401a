"""pyee, whose emitter with an executor has a pool of threads."""

from __future__ import annotations

from tests.libraries.measure import Claim, Probe, claims, library

executor = library("pyee.executor")


@claims("runs", "pyee.executor.ExecutorEventEmitter.*")
async def test_handler(claim: Claim) -> None:
    with executor.ExecutorEventEmitter() as emitter:
        probe = Probe()
        getattr(emitter, claim.member)("event", probe)
        emitter.emit("event")
        await probe.called()
    claim.check(probe)


@claims("decorators", "pyee.executor.ExecutorEventEmitter.*")
async def test_decorator(claim: Claim) -> None:
    with executor.ExecutorEventEmitter() as emitter:
        probe = Probe()
        getattr(emitter, claim.member)("event")(claim.handler(probe))
        emitter.emit("event")
        await probe.called()
    claim.check(probe)
