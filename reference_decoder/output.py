"""Decoded frames become what the caller asked for: resampled, in blocks, cut to length.

FFmpeg's frames are short (5 to 40 ms), and handing each one through Python costs as much as decoding it. So they are
gathered, and resampled and turned into arrays a quarter of a second at a time, or whatever is there when the input runs
dry. Where the blocks end changes nothing in the samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from av import AudioFrame

from reference_decoder.containers.items import Stream
from reference_decoder.errors import DecodeError
from reference_decoder.frames import Frame, Samples
from reference_decoder.gathering import Gathering
from reference_decoder.options import Options
from reference_decoder.resampler import Resampler

_BLOCK_SECONDS = 0.25
# A resampler keeps buffers for the most samples it was ever given at once. A stream that comes at its own pace, which
# may be one of many, gives it so few; one that comes faster gives it whole blocks.
_FEW = 1024
# A file may tell any rate, and resampling multiplies memory by it.
_MOST_TIMES = 512


class Output:
    """Frames of any kind in, frames of one kind out; rate and channels are the first stream's if nobody said other."""

    def __init__(self, options: Options) -> None:
        self.ready: list[Frame] = []
        self.blocks = 0
        self.position = 0
        self._options = options
        self._rate = options.settings["rate"] or 0
        self._channels = options.settings["channels"] or 0
        self._block = min(_BLOCK_SECONDS, options.settings["max_buffered"] / 8)
        self._gathering = Gathering()
        self._resampler: Resampler | None = None
        self._rest: Samples | None = None
        self._portion = _FEW

    def begin(self, stream: Stream) -> None:
        """The frames of a new stream follow."""
        self.flush()
        self._gathering.begin(stream)

    def cut(self, samples: int) -> None:
        """Only so many more samples belong to the stream."""
        self._gathering.cut(samples)

    def add(self, frame: AudioFrame) -> None:
        """Take a frame; blocks that were full before it are in `ready`."""
        kind = frame.format.name, frame.sample_rate, frame.layout.name
        if kind != self._gathering.kind:
            self._drain()
            self._gathering.renew(kind)
        elif self._gathering.count >= frame.sample_rate * self._block:
            # Where one block follows on another, the stream comes faster than it is played.
            self._portion = frame.sample_rate if self.blocks else self._portion
            self.flush()
        self._gathering.add(frame)

    def flush(self) -> None:
        """Make a block of what has been gathered."""
        if frames := self._gathering.take(self._portion):
            self.blocks += 1
            self._resampler = self._resampler or self._make_resampler(frames[0])
            self._emit([samples for frame in frames for samples in self._resampler.resample(frame)])

    def finish(self) -> None:
        """Nothing follows: the resampler's tail and a last frame that is shorter come out as well."""
        self._drain()
        if self._rest is not None:
            self._give(self._rest)
            self._rest = None

    def mark(self) -> None:
        """`finish`, but more may follow. The last frame says so, an empty one if there is no other."""
        self.finish()
        if not self.ready and self._rate and self._channels:
            self._give(np.zeros((0, self._channels), self._options.settings["dtype"]), empty=True)
        self.ready[-1:] = [replace(frame, last=True) for frame in self.ready[-1:]]

    def close(self) -> None:
        """Free what FFmpeg holds."""
        self._gathering, self._resampler, self._rest = Gathering(), None, None

    def _make_resampler(self, frame: AudioFrame) -> Resampler:
        self._rate = self._rate or frame.sample_rate
        self._channels = self._channels or frame.layout.nb_channels
        if not 1 / _MOST_TIMES <= self._rate / frame.sample_rate <= _MOST_TIMES:
            raise DecodeError(f"sound of {frame.sample_rate} Hz is not made one of {self._rate} Hz")
        return Resampler(frame, self._rate, self._channels, self._options.sample_format)

    def _drain(self) -> None:
        """End a resampler, which only ever takes one kind of frames."""
        self.flush()
        if self._resampler is not None:
            self._emit([*self._resampler.resample(None)])
            self._resampler = None

    def _emit(self, arrays: Sequence[Samples]) -> None:
        if arrays:
            samples = np.concatenate(arrays, axis=1) if len(arrays) > 1 else arrays[0]
            self._cut_to_length(samples.reshape(-1, self._channels))

    def _cut_to_length(self, samples: Samples) -> None:
        if self._options.settings["frame_ms"] is None:
            self._give(samples)
            return
        length = max(1, round(self._rate * self._options.settings["frame_ms"] / 1000))
        if self._rest is not None:
            samples = np.concatenate((self._rest, samples))
        whole = len(samples) // length
        *pieces, rest = np.split(samples, [length * number for number in range(1, whole + 1)])
        for piece in pieces:
            self._give(piece)
        # A view would keep the whole block in memory.
        self._rest = rest.copy()

    def _give(self, samples: Samples, empty: bool = False) -> None:
        if samples.size or empty:
            samples = np.ascontiguousarray(samples.T if self._options.planar else samples)
            samples.flags.writeable = False
            frame = Frame(samples, self._rate, self._channels, self.position, self._options.planar)
            self.position += frame.count
            self.ready.append(frame)
