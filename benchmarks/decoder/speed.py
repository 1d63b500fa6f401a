"""Speed and processor time against a blocking decode, and what the event loop's thread has to do for it."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks.decoder.peers import PEERS, Peer, blocking, cut, stream
from tests.support.audio import file_of

# Kind, rate and channels of the output.
_CASES = (
    ("mp3 24k mono", 24000, 1),
    ("mp3 24k mono", 48000, 1),
    ("mp3 44k stereo", 48000, 1),
    ("aac 44k stereo", 48000, 1),
    ("flac 48k stereo", 48000, 2),
    ("flac 16k mono", 16000, 1),
    ("wav 44k stereo", 44100, 2),
    ("ogg opus mono", 48000, 1),
    ("ogg opus stereo", 48000, 1),
    ("ogg vorbis", 48000, 1),
)
_CHUNK = 2048


def measure(rounds: int, seconds: float) -> list[dict[str, Any]]:
    """A row for each case: medians of `rounds` rounds, in each of which everybody has a turn."""
    return [_case(*case, rounds, seconds) for case in _CASES]


def _case(kind: str, rate: int, channels: int, rounds: int, seconds: float) -> dict[str, Any]:
    data = file_of(kind, seconds)
    chunks = cut(data, _CHUNK)
    blocks: list[tuple[float, ...]] = []
    streams: dict[str, list[tuple[float, ...]]] = {peer.name: [] for peer in PEERS}
    for _ in range(rounds):
        blocks.append(_timed(lambda: blocking(data, rate, channels)))
        for peer in PEERS:
            work = stream(peer, chunks, None, rate, channels)
            streams[peer.name].append(_timed(lambda work=work: asyncio.run(work)))  # type: ignore[misc]
    row: dict[str, Any] = {"case": f"{kind} to {rate // 1000}k/{channels}"}
    row["blocking"] = seconds / statistics.median(wall for wall, *_ in blocks)
    for peer in PEERS:
        pairs = list(zip(blocks, streams[peer.name], strict=True))
        row[f"{peer.name}: speed"] = statistics.median(block[0] / mine[0] for block, mine in pairs)
        row[f"{peer.name}: CPU"] = statistics.median(mine[1] / block[1] for block, mine in pairs)
        row[f"{peer.name}: loop"] = statistics.median(mine[2] for _, mine in pairs) / seconds * 1e6
        row[f"{peer.name}: wake-ups"] = asyncio.run(_wakeups(peer, chunks, rate, channels)) / seconds
    return row


def _timed(work: Callable[[], object]) -> tuple[float, float, float]:
    """Seconds on the clock, of the processor, and of the processor in this thread."""
    begun = time.perf_counter(), time.process_time(), time.thread_time()
    work()
    wall, process, thread = time.perf_counter(), time.process_time(), time.thread_time()
    return wall - begun[0], process - begun[1], thread - begun[2]


async def _wakeups(peer: Peer, chunks: list[bytes], rate: int, channels: int) -> int:
    """How often the loop is called from another thread."""
    loop = asyncio.get_running_loop()
    call, count = loop.call_soon_threadsafe, 0

    def counted(*arguments: Any, **options: Any) -> asyncio.Handle:  # noqa: ANN401
        nonlocal count
        count += 1
        return call(*arguments, **options)

    loop.call_soon_threadsafe = counted  # type: ignore[method-assign]
    await stream(peer, chunks, None, rate, channels)
    return count
