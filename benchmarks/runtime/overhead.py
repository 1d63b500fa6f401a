"""What the guard costs: asyncio's own work, with and without it, in turns within one process.

    python -m benchmarks.runtime.overhead [--loop uvloop] [--rounds 15]

Each round runs a piece of work without the guard, with it, and without again. A ratio is the median over the rounds of
the processor time with the guard over the mean of its two neighbours, so that what else the machine does counts little.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from loopsafe import runtime

Work = Callable[[], Awaitable[object]]


async def queue() -> None:
    """A producer and a consumer that wait for each other."""
    items: asyncio.Queue[int] = asyncio.Queue(10)

    async def produce() -> None:
        for number in range(5_000):
            await items.put(number)

    task = asyncio.create_task(produce())
    for _ in range(5_000):
        await items.get()
    await task


async def queue_at_once() -> None:
    """Put and get without a wait: little else is done between the checks."""
    items: asyncio.Queue[int] = asyncio.Queue()
    for number in range(20_000):
        items.put_nowait(number)
        items.get_nowait()


async def event() -> None:
    """Two tasks that wake each other."""
    here, there = asyncio.Event(), asyncio.Event()

    async def answer() -> None:
        for _ in range(3_000):
            await there.wait()
            there.clear()
            here.set()

    task = asyncio.create_task(answer())
    for _ in range(3_000):
        there.set()
        await here.wait()
        here.clear()
    await task


async def lock() -> None:
    """Ten tasks that share a lock and a semaphore."""
    one, few = asyncio.Lock(), asyncio.Semaphore(3)

    async def use() -> None:
        for _ in range(200):
            async with few, one:
                await asyncio.sleep(0)

    await asyncio.gather(*(use() for _ in range(10)))


async def futures() -> None:
    """Futures that are awaited and completed by a callback."""
    loop = asyncio.get_running_loop()
    for number in range(5_000):
        future = loop.create_future()
        loop.call_soon(future.set_result, number)
        await future


async def tree() -> None:
    """A tree of tasks, each of which waits for its children."""

    async def grow(depth: int) -> None:
        if depth:
            await asyncio.gather(*(grow(depth - 1) for _ in range(6)))
        else:
            await asyncio.sleep(0)

    await grow(5)


async def timers() -> None:
    """Timers, most of them cancelled."""
    loop = asyncio.get_running_loop()
    for _ in range(10_000):
        loop.call_later(10, print).cancel()
    await asyncio.sleep(0)


async def streams() -> None:
    """Lines there and back over a connection to this machine."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for _ in range(1_500):
        writer.write(b"a line\n")
        await writer.drain()
        await reader.readline()
    writer.close()
    server.close()


WORK: tuple[Work, ...] = (queue, queue_at_once, event, lock, futures, tree, timers, streams)


def seconds(work: Work, factory: Callable[[], Any]) -> float:
    """How long the work takes on a new loop."""
    loop = factory()
    try:
        start = time.process_time()
        loop.run_until_complete(work())
        return time.process_time() - start
    finally:
        loop.close()


def ratio(work: Work, factory: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Milliseconds without the guard, and the ratio with it."""
    off = [seconds(work, factory)]
    ratios = []
    for _ in range(rounds):
        runtime.install("report")
        on = seconds(work, factory)
        runtime.uninstall()
        off.append(seconds(work, factory))
        ratios.append(on / ((off[-2] + off[-1]) / 2))
    return statistics.median(off) * 1000, statistics.median(ratios)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    factory: Callable[[], Any] = asyncio.new_event_loop
    if options.loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    print(f"Python {sys.version.split()[0]}, {options.loop}, {options.rounds} rounds\n")
    print("| work | off, ms | on, times off |\n|---|---|---|")
    for work in WORK:
        milliseconds, times = ratio(work, factory, options.rounds)
        print(f"| {work.__name__}: {(work.__doc__ or '').rstrip('.')} | {milliseconds:.1f} | {times:.2f} |", flush=True)


if __name__ == "__main__":
    main()
