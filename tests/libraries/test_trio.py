"""trio, which refuses whatever comes from another thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.libraries.measure import Claim, Probe, claims, library

trio = library("trio")
testing = library("trio.testing")


@claims("runs", "trio.to_thread.run_sync", "trio.lowlevel.start_thread_soon")
def test_thread(claim: Claim) -> None:
    async def main() -> None:
        probe = Probe()
        if claim.member == "run_sync":
            await trio.to_thread.run_sync(probe)
        else:
            trio.lowlevel.start_thread_soon(probe, lambda outcome: None)
        await trio.to_thread.run_sync(probe.wait)
        claim.check(probe)

    trio.run(main)


@claims("runs", "trio.lowlevel.start_thread_soon")
def test_delivery(claim: Claim) -> None:
    async def main() -> None:
        probe = Probe()
        trio.lowlevel.start_thread_soon(object, probe)
        await trio.to_thread.run_sync(probe.wait)
        claim.check(probe)

    trio.run(main)


@claims("runs", "trio.from_thread.run_sync", "trio.from_thread.run")
def test_from_thread(claim: Claim) -> None:
    async def main() -> None:
        probe = Probe()

        async def coroutine() -> None:
            probe()

        handed = probe if claim.member == "run_sync" else coroutine
        await trio.to_thread.run_sync(getattr(trio.from_thread, claim.member), handed)
        assert claim.row.crossing
        claim.check(probe)

    trio.run(main)


@claims("runs", "trio.lowlevel.TrioToken.run_sync_soon")
def test_token(claim: Claim) -> None:
    async def main() -> None:
        probe, token = Probe(), trio.lowlevel.current_trio_token()
        await trio.to_thread.run_sync(token.run_sync_soon, probe)
        await trio.to_thread.run_sync(probe.wait)
        assert claim.row.crossing
        claim.check(probe)

    trio.run(main)


@claims("runs", "trio.Nursery.start_soon")
def test_nursery(claim: Claim) -> None:
    async def main() -> None:
        probe = Probe()

        async def coroutine() -> None:
            probe()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(coroutine)
        claim.check(probe)

    trio.run(main)


# ---------------------------------------------------------------- operations

Operation = Callable[[], object]
# An operation, and what awaits its effect.
Scene = Callable[[], tuple[Operation, Callable[[], Any]]]


def send_nowait() -> tuple[Operation, Callable[[], Any]]:
    send, receive = trio.open_memory_channel(0)
    return lambda: send.send_nowait(1), receive.receive


def receive_nowait() -> tuple[Operation, Callable[[], Any]]:
    send, receive = trio.open_memory_channel(0)
    return receive.receive_nowait, lambda: send.send(1)


def event_set() -> tuple[Operation, Callable[[], Any]]:
    event = trio.Event()
    return event.set, event.wait


def semaphore_release() -> tuple[Operation, Callable[[], Any]]:
    semaphore = trio.Semaphore(0)
    return semaphore.release, semaphore.acquire


def cancel() -> tuple[Operation, Callable[[], Any]]:
    scope = trio.CancelScope()

    async def wait() -> None:
        with scope:
            await trio.sleep_forever()

    return scope.cancel, wait


SCENES: dict[str, Scene] = {
    "trio.MemorySendChannel.send_nowait": send_nowait,
    "trio.MemoryReceiveChannel.receive_nowait": receive_nowait,
    "trio.Event.set": event_set,
    "trio.Semaphore.release": semaphore_release,
    "trio.CancelScope.cancel": cancel,
}


# `CancelScope.cancel` is silent: it fills the run queue of a loop that does not wake up.
@claims("operations", *(name for name in SCENES if name != "trio.CancelScope.cancel"))
def test_on_a_thread_it_raises(claim: Claim) -> None:
    async def main() -> None:
        operation, wait = SCENES[claim.name]()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await testing.wait_all_tasks_blocked()
            (task,) = nursery.child_tasks
            with pytest.raises(RuntimeError, match="must be called from async context"):
                await trio.to_thread.run_sync(operation)
            await testing.wait_all_tasks_blocked()
            # It would sleep for ever, for what would have woken it is gone, and cannot be cancelled either.
            assert task in nursery.child_tasks
            trio.lowlevel.reschedule(task)
        claim.note("RuntimeError")

    trio.run(main)


@claims("operations", *SCENES)
def test_handed_over_it_wakes_who_waits(claim: Claim) -> None:
    async def main() -> None:
        operation, wait = SCENES[claim.name]()
        assert claim.row.crossing == "trio.from_thread.run_sync"
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await testing.wait_all_tasks_blocked()
            await trio.to_thread.run_sync(trio.from_thread.run_sync, operation)
        claim.note("wakes")

    trio.run(main)


@claims("operations", "trio.Nursery.start_soon")
def test_no_task_from_a_thread(claim: Claim) -> None:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            with pytest.raises((RuntimeError, AttributeError)):
                await trio.to_thread.run_sync(nursery.start_soon, trio.lowlevel.checkpoint)
            await trio.to_thread.run_sync(trio.from_thread.run_sync, nursery.start_soon, trio.lowlevel.checkpoint)
        claim.note("raises")

    trio.run(main)
