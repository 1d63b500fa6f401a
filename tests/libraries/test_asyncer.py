"""asyncer's way to a thread."""

from __future__ import annotations

from tests.libraries.measure import Claim, Probe, claims, library

asyncer = library("asyncer")


@claims("runs", "asyncer.asyncify")
async def test_function(claim: Claim) -> None:
    probe = Probe()
    await asyncer.asyncify(probe)()
    claim.check(probe)
