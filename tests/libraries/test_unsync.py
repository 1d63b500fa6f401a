"""unsync, which has a pool of threads and a loop of its own."""

from __future__ import annotations

from tests.libraries.measure import Claim, Probe, claims, library

unsync = library("unsync")


@claims("decorators", "unsync.unsync")
async def test_decorator(claim: Claim) -> None:
    probe = Probe()
    unsync.unsync(claim.handler(probe))()
    await probe.called()
    claim.check(probe, on_async="own-loop")
