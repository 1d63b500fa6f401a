"""ReactiveX: what schedulers run, where the items of a stream come, and whom a subject calls."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.libraries.measure import Claim, Probe, claims, library

reactivex = library("reactivex")
scheduler = library("reactivex.scheduler")
eventloop = library("reactivex.scheduler.eventloop")
operators = library("reactivex.operators")
subject = library("reactivex.subject")

THREADED = ("NewThreadScheduler", "ThreadPoolScheduler", "EventLoopScheduler", "TimeoutScheduler")


def schedule(how: object, claim: Claim, probe: Probe) -> Any:
    """Have the method of the claim run the probe, soon; what ends that."""
    first = {"schedule": (), "schedule_absolute": (how.now,)}.get(claim.member, (0.01,))  # type: ignore[attr-defined]
    return getattr(how, claim.member)(*first, probe)


@claims("runs", "reactivex.scheduler.NewThreadScheduler.schedule*")
@pytest.mark.parametrize("kind", THREADED)
async def test_schedulers_with_threads(claim: Claim, kind: str) -> None:
    probe = Probe()
    scheduled = schedule(getattr(scheduler, kind)(), claim, probe)
    await probe.called()
    # Periodic work would keep the process from ending.
    scheduled.dispose()
    claim.check(probe)


@claims("runs", "reactivex.scheduler.NewThreadScheduler.subscribe")
@pytest.mark.parametrize("way", ["observe_on", "subscribe_on"])
@pytest.mark.parametrize("kind", THREADED[:3])
async def test_streams(claim: Claim, kind: str, way: str) -> None:
    probe = Probe()
    moved = getattr(operators, way)(getattr(scheduler, kind)())
    reactivex.of(1).pipe(operators.map(str), moved).subscribe(probe)
    await probe.called()
    claim.check(probe)


@claims("runs", "reactivex.scheduler.NewThreadScheduler.subscribe")
@pytest.mark.parametrize("make", [lambda: reactivex.timer(0.01), lambda: reactivex.interval(0.01)])
async def test_streams_in_time(claim: Claim, make: object) -> None:
    probe = Probe()
    stream = make().pipe(operators.take(1)).subscribe(probe)  # type: ignore[operator]
    await probe.called()
    stream.dispose()
    claim.check(probe)


@claims("runs", "reactivex.scheduler.eventloop.*.schedule*")
async def test_schedulers_of_a_loop(claim: Claim) -> None:
    probe, kind = Probe(), claim.name.split(".")[-2]
    how = getattr(eventloop, kind)(asyncio.get_running_loop())
    if claim.row.crossing:
        await asyncio.to_thread(schedule, how, claim, probe)
    else:
        schedule(how, claim, probe)
    await probe.called()
    claim.check(probe)


@claims("runs", "reactivex.subject.Subject.*")
def test_subjects(claim: Claim) -> None:
    probe, one = Probe(), subject.Subject()
    one.subscribe(**{claim.member: probe})
    given = {"on_next": (1,), "on_error": (ValueError(),)}.get(claim.member, ())
    getattr(one, claim.member)(*given)
    claim.check(probe)
