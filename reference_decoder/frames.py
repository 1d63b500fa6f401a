"""What a decoder hands out: frames of sound, facts about the stream, and counts. Plain frozen values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from av import AudioFrame

# FFmpeg's usual layouts, by how many channels there are.
_LAYOUTS = ("mono", "stereo", "2.1", "4.0", "5.0", "5.1", "6.1", "7.1")
Samples = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A stretch of decoded sound.

    `samples` is C-contiguous, read-only and owns its memory or shares it with frames beside it only: `(n, channels)`,
    whose buffer is interleaved PCM, or `(channels, n)` when planar was asked for. int16, or float32 in [-1, 1].
    `position` counts samples of one channel since the start of the output. `last` is true for the last frame before a
    `flush` of the decoder, which may be empty.
    """

    samples: Samples
    rate: int
    channels: int
    position: int
    planar: bool = False
    last: bool = False

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

    def to_av(self) -> AudioFrame:
        """A copy for PyAV's encoders and filters."""
        layout = _LAYOUTS[self.channels - 1] if self.channels <= len(_LAYOUTS) else f"{self.channels}c"
        samples = (self.samples.T if self.planar else self.samples).reshape(1, -1)
        frame = AudioFrame.from_ndarray(samples, "s16" if samples.dtype == np.int16 else "flt", layout)
        frame.sample_rate, frame.pts, frame.time_base = self.rate, self.position, Fraction(1, self.rate)
        return frame


def joined(frames: Sequence[Frame]) -> Frame:
    """Frames of one decoder, at least one, as one."""
    samples = np.concatenate([frame.samples for frame in frames], axis=int(frames[0].planar))
    return replace(frames[0], samples=samples)


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
