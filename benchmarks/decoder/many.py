"""Two hundred streams on one event loop."""

from __future__ import annotations

import asyncio
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.decoder.peers import PEERS, Peer, Ticker, blocking, megabytes, threads
from tests.support.audio import file_of

_STREAMS = 200
_SECONDS = 10.0
_THREADS = 2
_MIME, _RATE, _CHANNELS = "audio/mpeg", 48000, 1


def _file() -> bytes:
    return file_of("mp3 24k mono", _SECONDS)


def measure_at_once(rounds: int) -> dict[str, dict[str, float]]:
    """All pushed at once, held against a pool of two threads that decode blocking. Medians; the worst of stalls."""
    pools: list[float] = []
    results: dict[str, list[dict[str, float]]] = {peer.name: [] for peer in PEERS}
    for _ in range(rounds):
        pools.append(_pool())
        for peer in PEERS:
            results[peer.name].append(asyncio.run(_at_once(peer)))
    found = {"blocking pool": {"seconds": statistics.median(pools)}, "idle loop": {"stall": asyncio.run(_idle_loop())}}
    for name, rows in results.items():
        found[name] = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
        found[name]["speed"] = statistics.median(pool / row["seconds"] for pool, row in zip(pools, rows, strict=True))
        found[name]["worst stall"] = max(row["stall"] for row in rows)
    return found


async def _idle_loop() -> float:
    """How long a loop with nothing to do is kept waiting: that much is the machine's."""
    ticker = Ticker()
    await asyncio.sleep(5)
    return ticker.stop()


def _pool() -> float:
    begun = time.perf_counter()
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(lambda _: blocking(_file(), _RATE, _CHANNELS), range(_STREAMS)))
    return time.perf_counter() - begun


async def _at_once(peer: Peer) -> dict[str, float]:
    before, memory, ticker = threads(), megabytes(), Ticker()
    most = 0
    peak = 0.0

    async def one() -> None:
        nonlocal most, peak
        decoder = peer.make(_MIME, _RATE, _CHANNELS)
        decoder.push(_file())
        decoder.end_input()
        async for _ in decoder:
            pass
        most, peak = max(most, threads()), max(peak, megabytes())
        await decoder.aclose()

    begun = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(_STREAMS)))
    took = time.perf_counter() - begun
    return {"seconds": took, "stall": ticker.stop(), "threads": most - before, "megabytes": peak - memory}


def measure_idle() -> dict[str, dict[str, float]]:
    """Kilobytes and threads for a decoder that waits, after 4 KiB that came 1 KiB at a time."""
    return {peer.name: asyncio.run(_idle(peer)) for peer in PEERS}


async def _idle(peer: Peer) -> dict[str, float]:
    async def one() -> Any:  # noqa: ANN401
        decoder = peer.make(_MIME, _RATE, _CHANNELS)
        for at in range(0, 4096, 1024):
            decoder.push(_file()[at : at + 1024])
            await asyncio.sleep(0.1)
        await anext(decoder)
        return decoder

    # What comes once for the whole process is not counted.
    used = await one()
    before, memory = threads(), megabytes()
    idle = await asyncio.gather(*(one() for _ in range(_STREAMS)))
    await asyncio.sleep(0.5)
    each = {"kilobytes": 1000 * (megabytes() - memory) / _STREAMS, "threads": threads() - before}
    for decoder in (used, *idle):
        await decoder.aclose()
    return each


def measure_paced() -> dict[str, dict[str, dict[str, float]]]:
    """All as fast as they are played, 1 KiB at a time; and within how many seconds they all begin."""
    return {f"{spread}": {peer.name: asyncio.run(_paced(peer, spread)) for peer in PEERS} for spread in (0.1, 1.0)}


async def _paced(peer: Peer, spread: float) -> dict[str, float]:
    data, firsts, ticker = _file(), list[float](), Ticker()
    processor, begun = time.process_time(), time.perf_counter()

    async def one(number: int) -> None:
        decoder = peer.make(_MIME, _RATE, _CHANNELS)
        start = begun + number / _STREAMS * spread
        feeding = asyncio.create_task(feed(decoder, start))
        first = None
        async for _ in decoder:
            first = first or time.perf_counter() - start
        firsts.append(first or _SECONDS)
        await feeding
        await decoder.aclose()

    async def feed(decoder: Any, start: float) -> None:  # noqa: ANN401
        for at in range(0, len(data), 1024):
            await asyncio.sleep(start + at / len(data) * _SECONDS - time.perf_counter())
            decoder.push(data[at : at + 1024])
        decoder.end_input()

    await asyncio.gather(*map(one, range(_STREAMS)))
    return {
        "first frame": 1000 * statistics.median(firsts),
        "slowest first frame": 1000 * max(firsts),
        "stall": ticker.stop(),
        "seconds": time.perf_counter() - begun,
        "processor": time.process_time() - processor,
    }
