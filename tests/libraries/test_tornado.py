"""tornado on asyncio's loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.operations import Operation, Scene, check_refused, check_wakes, waiting

ioloop = library("tornado.ioloop")
concurrent = library("tornado.concurrent")
locks = library("tornado.locks")
queues = library("tornado.queues")


@claims("runs", "tornado.ioloop.IOLoop.run_in_executor")
async def test_executor(claim: Claim) -> None:
    probe = Probe()
    await ioloop.IOLoop.current().run_in_executor(None, probe)
    claim.check(probe)


@claims("decorators", "tornado.concurrent.run_on_executor")
async def test_run_on_executor(claim: Claim) -> None:
    probe = Probe()
    members = {"executor": ThreadPoolExecutor(), "work": concurrent.run_on_executor(claim.handler(probe))}
    await type("Worker", (), members)().work()
    claim.check(probe)


CROSSINGS = ("add_callback", "spawn_callback", "add_callback_from_signal")


@claims("runs", *(f"tornado.ioloop.IOLoop.{name}" for name in CROSSINGS))
async def test_crossing(claim: Claim) -> None:
    probe = Probe()
    await asyncio.to_thread(getattr(ioloop.IOLoop.current(), claim.member), probe)
    await probe.called()
    assert claim.row.crossing
    claim.check(probe)


@claims("runs", *(f"tornado.ioloop.IOLoop.{name}" for name in ("call_later", "call_at", "add_timeout")))
async def test_later(claim: Claim) -> None:
    probe = Probe()
    getattr(ioloop.IOLoop.current(), claim.member)(0, probe)
    await probe.called()
    claim.check(probe)


@claims("runs", "tornado.ioloop.PeriodicCallback")
async def test_periodic(claim: Claim) -> None:
    probe = Probe()
    periodic = ioloop.PeriodicCallback(probe, 1)
    periodic.start()
    await probe.called()
    periodic.stop()
    claim.check(probe)


# ---------------------------------------------------------------- operations

async def put_nowait() -> tuple[Operation, asyncio.Future[Any]]:
    queue = queues.Queue()
    return lambda: queue.put_nowait(1), await waiting(queue.get())


async def get_nowait() -> tuple[Operation, asyncio.Future[Any]]:
    queue = queues.Queue(1)
    queue.put_nowait(1)
    return queue.get_nowait, await waiting(queue.put(2))


async def task_done() -> tuple[Operation, asyncio.Future[Any]]:
    queue = queues.Queue()
    queue.put_nowait(1)
    queue.get_nowait()
    return queue.task_done, await waiting(queue.join())


async def event_set() -> tuple[Operation, asyncio.Future[Any]]:
    event = locks.Event()
    return event.set, await waiting(event.wait())


async def notify() -> tuple[Operation, asyncio.Future[Any]]:
    condition = locks.Condition()
    return condition.notify, await waiting(condition.wait())


async def release() -> tuple[Operation, asyncio.Future[Any]]:
    semaphore = locks.Semaphore(0)
    return semaphore.release, await waiting(semaphore.acquire())


async def call_later() -> tuple[Operation, asyncio.Future[Any]]:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    loop = ioloop.IOLoop.current()
    return lambda: loop.call_later(0, future.set_result, 1), future


SCENES: dict[str, Scene] = {
    "tornado.queues.Queue.put_nowait": put_nowait,
    "tornado.queues.Queue.get_nowait": get_nowait,
    "tornado.queues.Queue.task_done": task_done,
    "tornado.locks.Event.set": event_set,
    "tornado.locks.Condition.notify": notify,
    "tornado.locks.Semaphore.release": release,
    "tornado.ioloop.IOLoop.call_later": call_later,
}


async def add_callback(operation: Operation) -> None:
    """Hand over from a thread."""
    await asyncio.to_thread(ioloop.IOLoop.current().add_callback, operation)


@claims("operations", *SCENES)
def test_debug_mode_refuses(claim: Claim) -> None:
    check_refused(claim, SCENES[claim.name])


@claims("operations", *SCENES)
def test_handed_over_it_wakes_who_waits(claim: Claim) -> None:
    assert claim.row.fix == "none" or claim.row.crossing_method == "add_callback"
    check_wakes(claim, SCENES[claim.name], add_callback)


@claims("operations", "tornado.ioloop.IOLoop.add_callback")
async def test_wakes_nobody_in_a_signal_handler(claim: Claim) -> None:
    """On the loop's own thread it is `call_soon`: the loop, which may be waiting, is not woken."""
    assert claim.row.only_in == ("signal",)
    loop = asyncio.get_running_loop()
    woken = []
    loop._write_to_self = lambda: woken.append(1)  # type: ignore[attr-defined]
    ioloop.IOLoop.current().add_callback(print)
    assert not woken
    getattr(ioloop.IOLoop.current(), claim.row.twin)(print)
    del loop._write_to_self  # type: ignore[attr-defined]
    assert woken
    claim.note("wakes nobody")


@claims("operations", "tornado.ioloop.PeriodicCallback.start")
async def test_periodic_of_no_loop(claim: Claim) -> None:
    probe = Probe()
    periodic = ioloop.PeriodicCallback(probe, 1)
    await asyncio.to_thread(periodic.start)
    assert periodic.io_loop is not ioloop.IOLoop.current()
    periodic.stop()
    await asyncio.to_thread(periodic.io_loop.close)
    claim.note("another loop")
