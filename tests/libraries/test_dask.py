"""dask's scheduler with threads."""

from __future__ import annotations

from tests.libraries.measure import Claim, Probe, claims, library

dask = library("dask")


@claims("runs", "dask.delayed")
async def test_function(claim: Claim) -> None:
    probe = Probe()
    dask.compute(dask.delayed(probe)(), scheduler="threads")
    claim.check(probe)


@claims("decorators", "dask.delayed")
async def test_decorator(claim: Claim) -> None:
    probe = Probe()
    dask.delayed(claim.handler(probe))().compute(scheduler="threads")
    claim.check(probe)
