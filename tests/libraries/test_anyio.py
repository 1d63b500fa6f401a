"""anyio on asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from tests.libraries import operations
from tests.libraries.measure import Claim, Place, Probe, claims, library
from tests.libraries.operations import Operation, Scene, check_refused, check_wakes

anyio = library("anyio")
library("anyio.from_thread")
library("anyio.to_process")


@claims("runs", "anyio.to_thread.run_sync")
async def test_to_thread(claim: Claim) -> None:
    probe = Probe()
    await anyio.to_thread.run_sync(probe)
    claim.check(probe)


@claims("runs", "anyio.from_thread.run_sync", "anyio.from_thread.run")
async def test_from_thread(claim: Claim) -> None:
    probe = Probe()

    async def coroutine() -> None:
        probe()

    handed = coroutine if claim.member == "run" else probe
    await anyio.to_thread.run_sync(getattr(anyio.from_thread, claim.member), handed)
    assert claim.row.crossing
    claim.check(probe)


@claims("runs", "anyio.from_thread.BlockingPortal.call", "anyio.from_thread.BlockingPortal.start_task_soon")
async def test_portal(claim: Claim) -> None:
    probe = Probe()
    async with anyio.from_thread.BlockingPortal() as portal:
        await asyncio.to_thread(getattr(portal, claim.member), probe)
        await probe.called()
    assert claim.row.crossing
    claim.check(probe)


@claims("runs", "anyio.abc.TaskGroup.start_soon")
async def test_task_group(claim: Claim) -> None:
    probe = Probe()

    async def coroutine() -> None:
        probe()

    async with anyio.create_task_group() as group:
        group.start_soon(coroutine)
    claim.check(probe)


@claims("runs", "anyio.to_process.run_sync")
async def test_to_process(claim: Claim) -> None:
    home = Place.here()
    claim.check_places([await anyio.to_process.run_sync(Place.here)], home)


# ---------------------------------------------------------------- operations

async def waiting(awaitable: Awaitable[Any]) -> asyncio.Task[Any]:
    """A task that has come to what it waits for: anyio's checkpoints come before."""
    task = await operations.waiting(awaitable)
    await anyio.wait_all_tasks_blocked()
    return task


async def run_sync(operation: Operation) -> None:
    """Hand over from a worker thread."""
    await anyio.to_thread.run_sync(anyio.from_thread.run_sync, operation)


async def send_nowait() -> tuple[Operation, asyncio.Future[Any]]:
    send, receive = anyio.create_memory_object_stream(1)
    return lambda: send.send_nowait(1), await waiting(receive.receive())


async def receive_nowait() -> tuple[Operation, asyncio.Future[Any]]:
    send, receive = anyio.create_memory_object_stream(0)
    return receive.receive_nowait, await waiting(send.send(1))


async def close() -> tuple[Operation, asyncio.Future[Any]]:
    send, receive = anyio.create_memory_object_stream(0)

    async def ended() -> None:
        with pytest.raises(anyio.EndOfStream):
            await receive.receive()

    return send.close, await waiting(ended())


async def event_set() -> tuple[Operation, asyncio.Future[Any]]:
    event = anyio.Event()
    return event.set, await waiting(event.wait())


async def semaphore_release() -> tuple[Operation, asyncio.Future[Any]]:
    semaphore = anyio.Semaphore(0)
    return semaphore.release, await waiting(semaphore.acquire())


async def cancel() -> tuple[Operation, asyncio.Future[Any]]:
    scope = anyio.CancelScope()

    async def wait() -> None:
        with scope:
            await anyio.Event().wait()

    return scope.cancel, await waiting(wait())


SCENES: dict[str, Scene] = {
    "anyio.streams.memory.MemoryObjectSendStream.send_nowait": send_nowait,
    "anyio.streams.memory.MemoryObjectReceiveStream.receive_nowait": receive_nowait,
    "anyio.streams.memory.MemoryObjectSendStream.close": close,
    "anyio.Event.set": event_set,
    "anyio.Semaphore.release": semaphore_release,
    "anyio.CancelScope.cancel": cancel,
}


@claims("operations", *SCENES)
def test_off_the_loop_it_fails(claim: Claim) -> None:
    check_refused(claim, SCENES[claim.name])


@claims("operations", *SCENES)
def test_handed_over_it_wakes_who_waits(claim: Claim) -> None:
    assert claim.row.crossing == "anyio.from_thread.run_sync"
    check_wakes(claim, SCENES[claim.name], run_sync)


@claims("operations", "anyio.Lock.acquire_nowait", "anyio.CapacityLimiter.acquire_nowait", "anyio.create_task_group")
async def test_on_a_thread_it_raises(claim: Claim) -> None:
    owners = {"Lock": anyio.Lock(), "CapacityLimiter": anyio.CapacityLimiter(1), "anyio": anyio}
    with pytest.raises(RuntimeError):
        await asyncio.to_thread(getattr(owners[claim.name.split(".")[-2]], claim.member))
    claim.note("RuntimeError")


@claims("operations", "anyio.abc.TaskGroup.start_soon")
async def test_no_task_from_a_thread(claim: Claim) -> None:
    async with anyio.create_task_group() as group:
        with pytest.raises(RuntimeError):
            await asyncio.to_thread(group.start_soon, anyio.lowlevel.checkpoint)
        # The crossing that the row names works where the loop's own does not.
        await anyio.to_thread.run_sync(anyio.from_thread.run_sync, group.start_soon, anyio.lowlevel.checkpoint)
    claim.note("RuntimeError")
