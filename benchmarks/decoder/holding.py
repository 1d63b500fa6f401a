"""What holds the event loop, and what holds memory."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import statistics
import time
from typing import Any

from benchmarks.decoder.peers import OURS, PEERS, Peer, cut, megabytes, queued, stream
from tests.support.audio import file_of, tone, wav

_HOUR = 3600
_PUSHES = 15
_WATCHED = 10.0
_PAUSE = 0.02


@functools.cache
def hour() -> list[bytes]:
    """An hour of mp3 in chunks: a minute of frames without a header in front, again and again."""
    minute = file_of("mp3 without tags", 60.0)
    return cut(minute * (_HOUR // 60), 4096)


def measure_loop(rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds for which one call holds the loop: `push` of 10 MB of WAV, `aclose` with an hour pushed.

    Medians; and, of pushes, the longest without the time in which other programs had the cores.
    """
    large = wav(tone(57.0, 44100, 2).tobytes(), 44100, 2)
    pushes: dict[str, list[tuple[float, float]]] = {peer.name: [] for peer in PEERS}
    closes: dict[str, list[float]] = {peer.name: [] for peer in PEERS}
    for _ in range(_PUSHES):
        for peer in PEERS:
            pushes[peer.name].append(asyncio.run(_push(peer, large)))
    for _ in range(rounds):
        for peer in PEERS:
            closes[peer.name].append(asyncio.run(_close(peer)))
    alone = {name: max(own for _, own in times) for name, times in pushes.items()}
    return {
        "push of 10 MB": {name: statistics.median(took for took, _ in times) for name, times in pushes.items()},
        "... the longest, without waiting for a core": alone,
        "aclose with an hour queued": {name: statistics.median(times) for name, times in closes.items()},
    }


async def _push(peer: Peer, data: bytes) -> tuple[float, float]:
    decoder = peer.make("audio/wav", 48000, 2)
    waited, begun = queued(), time.perf_counter()
    decoder.push(data)
    took, waited = time.perf_counter() - begun, queued() - waited
    await decoder.aclose()
    return 1000 * took, 1000 * (took - waited)


async def _close(peer: Peer) -> float:
    decoder = peer.make("audio/mpeg", None, 1)
    for chunk in hour():
        decoder.push(chunk)
    before, quiet = time.process_time(), 0
    # Until nothing more is decoded: LiveKit's decodes the hour, ours what `max_buffered` allows. A busy machine may
    # give this process nothing to do it with for a while, so it has to be quiet for seconds.
    while quiet < 10:
        await asyncio.sleep(0.2)
        now = time.process_time()
        quiet = 0 if now - before > 0.005 else quiet + 1
        before = now
    begun = time.perf_counter()
    await decoder.aclose()
    return 1000 * (time.perf_counter() - begun)


def measure_memory() -> dict[str, float]:
    """Megabytes that an hour of mp3 adds at most, where a consumer takes 26 ms of sound every 20 ms."""
    return {peer.name: _memory(peer) for peer in PEERS}


def _memory(peer: Peer) -> float:
    hour()
    asyncio.run(stream(peer, hour()[:20], "audio/mpeg", None, 1))
    gc.collect()
    return asyncio.run(_slowly(peer))


async def _slowly(peer: Peer) -> float:
    # Frames as long as those of mp3, which are LiveKit's.
    options: dict[str, Any] = {"frame_ms": 1000 * 576 / 22050} if peer is OURS else {}
    decoder = peer.make("audio/mpeg", None, 1, **options)
    before, most = megabytes(), 0.0

    async def feed() -> None:
        for chunk in hour():
            await peer.feed(decoder, chunk)

    feeding = asyncio.create_task(feed())
    end = time.monotonic() + _WATCHED
    while time.monotonic() < end:
        await anext(decoder)
        await asyncio.sleep(_PAUSE)
        most = max(most, megabytes() - before)
    feeding.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await feeding
    await decoder.aclose()
    return most
