"""asyncio itself: what runs where, and what debug mode says of operations that come from another thread."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from typing import Any

import pytest

from tests.libraries.measure import LIMIT, Claim, Probe, claims
from tests.libraries.operations import (
    Operation,
    Scene,
    call_soon_threadsafe,
    check_refused,
    check_wakes,
    in_debug_mode,
    waiting,
)
from tests.libraries.servers import HOST


@claims("runs", "asyncio.AbstractEventLoop.run_in_executor")
async def test_run_in_executor(claim: Claim) -> None:
    probe = Probe()
    await asyncio.get_running_loop().run_in_executor(None, probe)
    claim.check(probe)


@claims("runs", "asyncio.to_thread")
async def test_to_thread(claim: Claim) -> None:
    probe = Probe()
    await asyncio.to_thread(probe)
    claim.check(probe)


@claims("runs", "asyncio.AbstractEventLoop.call_soon_threadsafe")
async def test_crossing(claim: Claim) -> None:
    probe = Probe()
    await asyncio.to_thread(asyncio.get_running_loop().call_soon_threadsafe, probe)
    await probe.called()
    assert claim.row.crossing
    claim.check(probe)


@claims("runs", "asyncio.run_coroutine_threadsafe")
async def test_crossing_with_a_coroutine(claim: Claim) -> None:
    probe = Probe()
    await asyncio.to_thread(asyncio.run_coroutine_threadsafe, called(probe), asyncio.get_running_loop())
    await probe.called()
    assert claim.row.crossing
    claim.check(probe)


async def called(probe: Probe) -> None:
    probe()


@claims("runs", "asyncio.AbstractEventLoop.call_soon", "asyncio.AbstractEventLoop.set_exception_handler")
async def test_loop(claim: Claim) -> None:
    probe, loop = Probe(), asyncio.get_running_loop()
    getattr(loop, claim.member)(probe)
    loop.call_soon(lambda: 1 / 0)
    await probe.called()
    claim.check(probe)


@claims("runs", "asyncio.AbstractEventLoop.call_later", "asyncio.AbstractEventLoop.call_at")
async def test_later(claim: Claim) -> None:
    probe, loop = Probe(), asyncio.get_running_loop()
    getattr(loop, claim.member)(0, probe)
    await probe.called()
    claim.check(probe)


@claims("runs", "asyncio.AbstractEventLoop.add_reader", "asyncio.AbstractEventLoop.add_writer")
async def test_sockets(claim: Claim) -> None:
    probe, loop = Probe(), asyncio.get_running_loop()
    mine, other = socket.socketpair()
    other.send(b"1")
    getattr(loop, claim.member)(mine, probe)
    await probe.called()
    getattr(loop, claim.member.replace("add", "remove"))(mine)
    mine.close()
    other.close()
    claim.check(probe)


@claims("runs", "asyncio.AbstractEventLoop.add_signal_handler")
async def test_signal_handler(claim: Claim) -> None:
    probe, loop = Probe(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, probe)
    await asyncio.to_thread(os.kill, os.getpid(), signal.SIGUSR1)
    await probe.called()
    loop.remove_signal_handler(signal.SIGUSR1)
    claim.check(probe)


@claims("runs", "asyncio.Future.add_done_callback")
async def test_done_callback(claim: Claim) -> None:
    probe = Probe()
    asyncio.get_running_loop().run_in_executor(None, print).add_done_callback(probe)
    await probe.called()
    claim.check(probe)


@claims("runs", "asyncio.run_coroutine_threadsafe.Future.add_done_callback")
async def test_done_callback_of_a_hand_over(claim: Claim) -> None:
    probe = Probe()
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01), asyncio.get_running_loop()).add_done_callback(probe)
    await probe.called()
    claim.check(probe)


@claims("runs", "asyncio.create_task", "asyncio.ensure_future", "asyncio.gather", "asyncio.shield")
async def test_tasks(claim: Claim) -> None:
    probe = Probe()
    await getattr(asyncio, claim.member)(called(probe))
    claim.check(probe)


@claims("runs", "asyncio.run", "asyncio.AbstractEventLoop.run_until_complete", "asyncio.Runner.run")
async def test_own_loop(claim: Claim) -> None:
    probe = Probe()
    owners = {"asyncio": asyncio, "Runner": getattr(asyncio, "Runner", None)}
    owner = owners.get(claim.name.split(".")[-2], asyncio.new_event_loop)

    def on_a_thread() -> None:
        made = owner() if callable(owner) else owner
        getattr(made, claim.member)(called(probe))
        if made is not asyncio:
            made.close()

    if owner is None:
        pytest.skip("new in Python 3.11")
    await asyncio.to_thread(on_a_thread)
    claim.check(probe)


@claims("runs", "asyncio.start_server", "asyncio.AbstractEventLoop.create_server")
async def test_server(claim: Claim) -> None:
    probe = Probe(asyncio.Protocol())

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        probe()
        # Left open it would keep the server from ending.
        writer.close()

    async def async_connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected(reader, writer)

    if claim.member == "start_server":
        server = await asyncio.start_server(async_connected if claim.is_async else connected, HOST, 0)
    else:
        server = await asyncio.get_running_loop().create_server(probe, HOST, 0)
    async with server:
        socket.create_connection(server.sockets[0].getsockname()).close()
        await probe.called()
    claim.check(probe)


# ---------------------------------------------------------------- operations

async def put_nowait() -> tuple[Operation, asyncio.Future[Any]]:
    queue: asyncio.Queue[int] = asyncio.Queue()
    return lambda: queue.put_nowait(1), await waiting(queue.get())


async def get_nowait() -> tuple[Operation, asyncio.Future[Any]]:
    queue: asyncio.Queue[int] = asyncio.Queue(1)
    queue.put_nowait(1)
    return queue.get_nowait, await waiting(queue.put(2))


async def task_done() -> tuple[Operation, asyncio.Future[Any]]:
    queue: asyncio.Queue[int] = asyncio.Queue()
    queue.put_nowait(1)
    queue.get_nowait()
    return queue.task_done, await waiting(queue.join())


async def event_set() -> tuple[Operation, asyncio.Future[Any]]:
    event = asyncio.Event()
    return event.set, await waiting(event.wait())


async def lock_release() -> tuple[Operation, asyncio.Future[Any]]:
    lock = asyncio.Lock()
    await lock.acquire()
    return lock.release, await waiting(lock.acquire())


async def semaphore_release() -> tuple[Operation, asyncio.Future[Any]]:
    semaphore = asyncio.Semaphore(0)
    return semaphore.release, await waiting(semaphore.acquire())


async def notify() -> tuple[Operation, asyncio.Future[Any]]:
    condition = asyncio.Condition()

    async def wait() -> None:
        async with condition:
            await condition.wait()

    task = await waiting(wait())
    await condition.acquire()
    return condition.notify, task


async def set_result() -> tuple[Operation, asyncio.Future[Any]]:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    return lambda: future.set_result(1), await waiting(asyncio.wait_for(future, LIMIT))


async def set_exception() -> tuple[Operation, asyncio.Future[Any]]:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    return lambda: future.set_exception(ValueError()), await waiting(asyncio.wait([future]))


async def cancel() -> tuple[Operation, asyncio.Future[Any]]:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    return future.cancel, await waiting(asyncio.wait([future]))


async def add_done_callback() -> tuple[Operation, asyncio.Future[Any]]:
    loop = asyncio.get_running_loop()
    done, waiter = loop.create_future(), loop.create_future()
    done.set_result(1)
    return lambda: done.add_done_callback(waiter.set_result), waiter


async def call_soon() -> tuple[Operation, asyncio.Future[Any]]:
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()
    return lambda: loop.call_soon(waiter.set_result, 1), waiter


async def call_later() -> tuple[Operation, asyncio.Future[Any]]:
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()
    return lambda: loop.call_later(0, waiter.set_result, 1), waiter


async def feed_data() -> tuple[Operation, asyncio.Future[Any]]:
    reader = asyncio.StreamReader()
    return lambda: reader.feed_data(b"1"), await waiting(reader.read(1))


async def close() -> tuple[Operation, asyncio.Future[Any]]:
    mine, other = socket.socketpair()
    mine.setblocking(False)
    _, writer = await asyncio.open_connection(sock=other)
    return writer.close, await waiting(asyncio.get_running_loop().sock_recv(mine, 1))


SCENES: dict[str, Scene] = {
    "asyncio.Queue.put_nowait": put_nowait,
    "asyncio.Queue.get_nowait": get_nowait,
    "asyncio.Queue.task_done": task_done,
    "asyncio.Event.set": event_set,
    "asyncio.Lock.release": lock_release,
    "asyncio.Semaphore.release": semaphore_release,
    "asyncio.Condition.notify": notify,
    "asyncio.Future.set_result": set_result,
    "asyncio.Future.set_exception": set_exception,
    "asyncio.Future.cancel": cancel,
    "asyncio.Future.add_done_callback": add_done_callback,
    "asyncio.AbstractEventLoop.call_soon": call_soon,
    "asyncio.AbstractEventLoop.call_later": call_later,
    "asyncio.StreamReader.feed_data": feed_data,
    "asyncio.StreamWriter.close": close,
}


@claims("operations", *SCENES)
def test_debug_mode_refuses(claim: Claim) -> None:
    check_refused(claim, SCENES[claim.name])


# Who notifies must hold the lock, which a callback cannot: that row has no direct hand-over.
@claims("operations", *(name for name in SCENES if name != "asyncio.Condition.notify"))
def test_handed_over_it_wakes_who_waits(claim: Claim) -> None:
    check_wakes(claim, SCENES[claim.name], call_soon_threadsafe)


@claims("operations", "asyncio.create_task", "asyncio.ensure_future", "asyncio.gather")
async def test_no_task_without_a_loop(claim: Claim) -> None:
    coroutine = called(Probe())
    with pytest.raises(RuntimeError, match=r"no (running|current) event loop"):
        await asyncio.to_thread(getattr(asyncio, claim.member), coroutine)
    assert claim.row.needs_running_loop
    coroutine.close()
    claim.note("RuntimeError")


@claims("operations", "asyncio.get_running_loop", "asyncio.get_event_loop")
async def test_no_loop_to_look_up(claim: Claim) -> None:
    with pytest.raises(RuntimeError, match=r"no (running|current) event loop"):
        await asyncio.to_thread(getattr(asyncio, claim.member))
    claim.note("RuntimeError")


@claims("operations", "asyncio.AbstractEventLoop.create_task")
def test_task_of_another_loop(claim: Claim) -> None:
    async def main() -> None:
        probe = Probe()
        loop = asyncio.get_running_loop()
        with pytest.raises(RuntimeError, match="Non-thread-safe operation"):
            await asyncio.to_thread(loop.create_task, called(probe))
        assert claim.row.fix == "coroutine"
        await asyncio.to_thread(asyncio.run_coroutine_threadsafe, called(probe), loop)
        await probe.called()
        claim.note("RuntimeError")

    in_debug_mode(main())
