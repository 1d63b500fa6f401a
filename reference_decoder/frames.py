"""What a decoder hands out: frames of sound, facts about the stream, and counts. Plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

Samples = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A stretch of decoded sound.

    `samples` is C-contiguous, read-only and owns its memory or shares it with frames beside it only: `(n, channels)`,
    whose buffer is interleaved PCM, or `(channels, n)` when planar was asked for. int16, or float32 in [-1, 1].
    `position` counts samples of one channel since the start of the output.
    """

    samples: Samples
    rate: int
    channels: int
    position: int

    @property
    def count(self) -> int:
        """Samples of one channel."""
        return self.samples.size // self.channels

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.count / self.rate

    def __bytes__(self) -> bytes:
        return self.samples.tobytes()


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What the input turned out to be: rate and channels are the source's, as its container or first frame says."""

    container: str
    codec: str
    rate: int
    channels: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """A decoder's counts at one moment."""

    bytes_pushed: int
    bytes_waiting: int
    seconds_buffered: float
    samples_decoded: int
    skipped_packets: int
    skipped_bytes: int
    jobs: int
    wakeups: int
