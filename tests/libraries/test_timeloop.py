"""timeloop, with a job that is due at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from tests.libraries.measure import Claim, Probe, claims, library

timeloop = library("timeloop")


@claims("decorators", "timeloop.Timeloop.job")
async def test_job(claim: Claim) -> None:
    probe, jobs = Probe(), timeloop.Timeloop()
    jobs.job(interval=timedelta(milliseconds=10))(claim.handler(probe))
    jobs.start()
    await probe.called()
    await asyncio.to_thread(jobs.stop)
    claim.check(probe)
