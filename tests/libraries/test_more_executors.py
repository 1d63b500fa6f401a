"""more-executors, over a pool of threads."""

from __future__ import annotations

from tests.libraries.measure import Claim, Probe, claims, library

more_executors = library("more_executors")


@claims("runs", "more_executors.*.with_map")
async def test_map(claim: Claim) -> None:
    probe, wanted = Probe(), Probe()
    with more_executors.Executors.thread_pool(max_workers=1).with_map(probe) as pool:
        # The job waits until the probe is handed over: what is done before is gone through where it is asked for.
        pool.submit(wanted.wait)
        wanted()
        await probe.called()
    claim.check(probe)
