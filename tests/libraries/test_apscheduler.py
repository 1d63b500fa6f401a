"""APScheduler: also the scheduler for asyncio runs plain functions in a pool."""

from __future__ import annotations

import threading
from typing import Any

from tests.libraries.measure import Claim, Probe, claims, library

asyncio_scheduler = library("apscheduler.schedulers.asyncio")
background = library("apscheduler.schedulers.background")
blocking = library("apscheduler.schedulers.blocking")

SCHEDULERS = {
    "AsyncIOScheduler": asyncio_scheduler.AsyncIOScheduler,
    "BackgroundScheduler": background.BackgroundScheduler,
    "BlockingScheduler": blocking.BlockingScheduler,
}


def scheduler_of(claim: Claim) -> Any:
    name = claim.name.split(".")[-2]
    if name == "TornadoScheduler":
        return library("apscheduler.schedulers.tornado").TornadoScheduler(timezone="UTC")
    return SCHEDULERS[name](timezone="UTC")


async def run(scheduler: Any, probe: Probe) -> None:
    """Until the probe is called."""
    if isinstance(scheduler, blocking.BlockingScheduler) and not isinstance(scheduler, background.BackgroundScheduler):
        threading.Thread(target=scheduler.start).start()
    else:
        scheduler.start()
    await probe.called()
    scheduler.shutdown()


@claims("runs", "apscheduler.schedulers.*Scheduler.add_job")
async def test_job(claim: Claim) -> None:
    probe, scheduler = Probe(), scheduler_of(claim)
    scheduler.add_job(claim.handler(probe))
    await run(scheduler, probe)
    claim.check(probe)


@claims("decorators", "apscheduler.schedulers.*Scheduler.scheduled_job")
async def test_decorated_job(claim: Claim) -> None:
    probe, scheduler = Probe(), scheduler_of(claim)
    scheduler.scheduled_job("date")(claim.handler(probe))
    await run(scheduler, probe)
    claim.check(probe)


@claims("runs", "apscheduler.schedulers.*Scheduler.add_listener")
async def test_listener(claim: Claim) -> None:
    probe, scheduler = Probe(), scheduler_of(claim)
    scheduler.add_listener(probe, library("apscheduler.events").EVENT_JOB_EXECUTED)
    scheduler.add_job(print)
    await run(scheduler, probe)
    claim.check(probe)
