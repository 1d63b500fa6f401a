"""What is compared, behind one face: a blocking decode with PyAV, LiveKit's decoder and the reference decoder."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import platform
import resource
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import av
from livekit.agents.utils.codecs import AudioStreamDecoder as LiveKitDecoder

from reference_decoder import AudioStreamDecoder

# LiveKit logs what it cannot decode; here its output shows that.
logging.disable(logging.CRITICAL)

LAYOUTS = {1: "mono", 2: "stereo"}


@dataclass(frozen=True, slots=True)
class Peer:
    """A streaming decoder: how to make one for (MIME type, rate, channels), to feed it, and what its frames hold.

    All else, `push`, `end_input`, `aclose` and iteration, is the same for both.
    """

    name: str
    make: Callable[..., Any]
    feed: Callable[[Any, bytes], Awaitable[None]]
    count: Callable[[Any], int]
    pcm: Callable[[Any], bytes]


def _livekit(mime: str | None, rate: int | None, channels: int | None) -> Any:  # noqa: ANN401
    return LiveKitDecoder(sample_rate=rate, num_channels=channels, format=mime)


def _ours(mime: str | None, rate: int | None, channels: int | None, **options: Any) -> AudioStreamDecoder:  # noqa: ANN401
    return AudioStreamDecoder(mime, rate=rate, channels=channels, **options)


async def _push(decoder: Any, chunk: bytes) -> None:  # noqa: ANN401
    """LiveKit's decoder takes everything at once."""
    decoder.push(chunk)


OURS = Peer("ours", _ours, AudioStreamDecoder.feed, lambda frame: frame.count, bytes)
LIVEKIT = Peer("LiveKit", _livekit, _push, lambda frame: frame.samples_per_channel, lambda frame: bytes(frame.data))
# In a process of its own each: the threads of one slow the other.
ALL = (OURS, LIVEKIT)
PEERS = tuple(peer for peer in ALL if peer.name == os.environ.get("LOOPSAFE_DECODER_PEER", peer.name))


def blocking(data: bytes, rate: int, channels: int) -> int:
    """Decode, resample and make arrays with PyAV, frame by frame, as one would without asyncio. How many samples."""
    count = 0
    with av.open(io.BytesIO(data)) as container:
        resampler = av.AudioResampler("s16", LAYOUTS[channels], rate)
        for frame in container.decode(audio=0):
            count += sum(out.to_ndarray().size for out in resampler.resample(frame))
        count += sum(out.to_ndarray().size for out in resampler.resample(None) if out is not None)
    return count // channels


async def stream(
    peer: Peer, chunks: Sequence[bytes], mime: str | None, rate: int | None, channels: int | None
) -> list[Any]:
    """Feed and iterate at the same time, on one loop. Every frame."""
    decoder = peer.make(mime, rate, channels)

    async def feed() -> None:
        for chunk in chunks:
            await peer.feed(decoder, chunk)
        decoder.end_input()

    feeding = asyncio.create_task(feed())
    frames = [frame async for frame in decoder]
    await feeding
    await decoder.aclose()
    return frames


def cut(data: bytes, size: int) -> list[bytes]:
    """The data in chunks of one size."""
    return [data[start : start + size] for start in range(0, len(data), size)]


def megabytes() -> float:
    """What this process holds in memory now."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize() / 1e6


def queued() -> float:
    """Seconds for which this thread could have run, but other threads and programs had the cores; Linux counts them."""
    file = Path("/proc/thread-self/schedstat")
    return int(file.read_text("ascii").split()[1]) / 1e9 if file.exists() else 0.0


def threads() -> int:
    """This process's threads, those that Python does not know of too, where the system lists them."""
    tasks = Path("/proc/self/task")
    return len([*tasks.iterdir()]) if tasks.exists() else threading.active_count()


class Ticker:
    """A task that wants to run every millisecond; `longest` is how many milliseconds it had to wait beyond that."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._task = asyncio.create_task(self._tick())

    def stop(self) -> float:
        """The longest wait so far."""
        self._task.cancel()
        return self.longest

    async def _tick(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            self.longest = max(self.longest, 1000 * (time.perf_counter() - before) - 1)


def machine() -> str:
    """What this was measured on and with."""
    models = [line.partition(":")[2].strip() for line in _cpuinfo() if line.startswith("model name")]
    packages = ", ".join(f"{name} {version(name)}" for name in ("av", "numpy", "livekit-agents"))
    cores = len(os.sched_getaffinity(0))
    where = f"{cores} cores ({models[0] if models else platform.machine()})"
    load = f"load average {os.getloadavg()[0]:.1f} before" if hasattr(os, "getloadavg") else "load unknown"
    return f"{where}, Python {platform.python_version()}, {packages}; {load}"


def _cpuinfo() -> list[str]:
    file = Path("/proc/cpuinfo")
    return file.read_text("utf-8").splitlines() if file.exists() else []
