"""The guard on uvloop, anyio and trio, as they are installed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest
import trio

from loopsafe import runtime


@pytest.fixture
def found() -> Iterator[list[runtime.Violation]]:
    seen: list[runtime.Violation] = []
    runtime.install("raise", seen.append)
    yield seen
    runtime.uninstall()


def codes(found: list[runtime.Violation]) -> list[str]:
    return [violation.code for violation in found]


def refused(function: Callable[[], Any]) -> None:
    with pytest.raises(runtime.LoopSafetyError):
        function()


@pytest.mark.parametrize("debug", [False, True])
def test_uvloop(found: list[runtime.Violation], debug: bool) -> None:
    uvloop = pytest.importorskip("uvloop")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[int] = asyncio.Queue()
        future = loop.create_future()

        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"x\n")
        assert await reader.readline() == b"x\n"
        assert found == []

        def work() -> None:
            for wrong in (
                lambda: loop.call_soon(print), lambda: loop.call_later(1, print), lambda: loop.call_at(1, print),
                loop.stop, lambda: loop.add_reader(0, print), lambda: future.set_result(1), future.cancel,
                lambda: queue.put_nowait(1), lambda: writer.write(b"x"), writer.close,
            ):  # fmt: skip
                refused(wrong)
            coroutine = asyncio.sleep(0)
            refused(lambda: loop.create_task(coroutine))
            coroutine.close()
            loop.call_soon_threadsafe(future.set_result, 1)

        await asyncio.to_thread(work)
        assert await future == 1
        assert queue.empty()
        writer.close()
        server.close()

    loop = uvloop.new_event_loop()
    loop.set_debug(debug)
    loop.run_until_complete(main())
    loop.close()
    assert codes(found) == ["LSF105"] * 5 + ["LSF104"] * 2 + ["LSF102"] + ["LSF106"] * 2 + ["LSF105"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_anyio(found: list[runtime.Violation], backend: str) -> None:
    async def main() -> None:
        sending, receiving = anyio.create_memory_object_stream[int](5)
        scope = anyio.CancelScope()

        def work() -> None:
            refused(lambda: sending.send_nowait(1))
            refused(receiving.receive_nowait)
            refused(sending.close)
            refused(scope.cancel)
            anyio.from_thread.run_sync(sending.send_nowait, 2)

        with scope:
            await anyio.to_thread.run_sync(work)
        assert await receiving.receive() == 2
        sending.close()
        receiving.close()

    anyio.run(main, backend=backend)
    assert codes(found) == ["LSF101", "LSF101", "LSF101", "LSF104"]


def test_anyio_s_portal_is_right(found: list[runtime.Violation]) -> None:
    async def add(one: int, other: int) -> int:
        event = anyio.Event()
        event.set()
        await event.wait()
        return one + other

    with anyio.from_thread.start_blocking_portal() as portal:
        assert portal.call(add, 1, 2) == 3
        assert portal.start_task_soon(add, 3, 4).result() == 7
    assert found == []


def test_trio(found: list[runtime.Violation]) -> None:
    async def main() -> None:
        sending, receiving = trio.open_memory_channel[int](5)
        event, semaphore, scope = trio.Event(), trio.Semaphore(0), trio.CancelScope()

        def work() -> None:
            refused(lambda: sending.send_nowait(1))
            refused(receiving.receive_nowait)
            refused(event.set)
            refused(semaphore.release)
            refused(scope.cancel)
            trio.from_thread.run_sync(sending.send_nowait, 2)

        with scope:
            await trio.to_thread.run_sync(work)
        assert not event.is_set()
        assert await receiving.receive() == 2

    trio.run(main)
    assert codes(found) == ["LSF101", "LSF101", "LSF103", "LSF103", "LSF104"]


def test_a_run_after_the_other_is_right(found: list[runtime.Violation]) -> None:
    event = trio.Event()

    async def use() -> None:
        event.set()
        await event.wait()

    trio.run(use)
    trio.run(use)
    assert found == []


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop is not for Windows")
def test_uvloop_is_as_before_without_the_guard() -> None:
    uvloop = pytest.importorskip("uvloop")
    before = dict(vars(uvloop.Loop))
    runtime.install()
    assert dict(vars(uvloop.Loop)) != before
    runtime.uninstall()
    assert dict(vars(uvloop.Loop)) == before
