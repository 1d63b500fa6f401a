"""Decoded frames become what the caller asked for: resampled, in blocks, cut to length.

FFmpeg's frames are short (5 to 40 ms), and handing each one through Python costs as much as decoding it. So they are
gathered, and resampled and turned into arrays a quarter of a second at a time, or whatever is there when the input runs
dry. Where the blocks end changes nothing in the samples.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from av import AudioFrame, AudioResampler

from reference_decoder.containers.items import Stream
from reference_decoder.frames import Frame, Samples, frozen
from reference_decoder.gathering import Gathering
from reference_decoder.options import Options

_BLOCK_SECONDS = 0.25


class Output:
    """Frames of any kind in, frames of one kind out; rate and channels are the first stream's if nobody said other."""

    def __init__(self, options: Options) -> None:
        self.ready: list[Frame] = []
        self.blocks = 0
        self.position = 0
        self._options = options
        self._rate = options.rate or 0
        self._channels = options.channels or 0
        self._block = min(_BLOCK_SECONDS, options.max_buffered / 8)
        self._gathering = Gathering()
        self._resampler: AudioResampler | None = None
        self._rest: Samples | None = None

    def begin(self, stream: Stream) -> None:
        """The frames of a new stream follow."""
        self.flush()
        self._gathering.begin(stream)

    def cut(self, samples: int) -> None:
        """Only so many more samples belong to the stream."""
        self._gathering.cut(samples)

    def add(self, frame: AudioFrame) -> None:
        """Take a frame; blocks that are full by that are in `ready`."""
        if not self._gathering.takes(frame):
            self._drain()
            self._gathering = self._gathering.renewed()
        self._gathering.add(frame)
        if self._gathering.count >= frame.sample_rate * self._block:
            self.flush()

    def flush(self) -> None:
        """Make a block of what has been gathered."""
        frame = self._gathering.take()
        if frame is not None:
            self.blocks += 1
            self._resampler = self._resampler or self._make_resampler(frame)
            self._emit(self._resampler.resample(frame))

    def finish(self) -> None:
        """Nothing follows: the resampler's tail and a last frame that is shorter come out as well."""
        self._drain()
        if self._rest is not None and self._rest.size:
            self._give(self._rest)
        self.close()

    def close(self) -> None:
        """Free what FFmpeg holds."""
        self._gathering, self._resampler, self._rest = Gathering(), None, None

    def _make_resampler(self, frame: AudioFrame) -> AudioResampler:
        self._rate = self._rate or frame.sample_rate
        self._channels = self._channels or frame.layout.nb_channels
        return AudioResampler(self._options.sample_format, f"{self._channels}c", self._rate)

    def _drain(self) -> None:
        """End a resampler, which only ever takes one kind of frames."""
        self.flush()
        if self._resampler is not None:
            self._emit(self._resampler.resample(None))
            self._resampler = None

    def _emit(self, frames: Sequence[AudioFrame | None]) -> None:
        # A resampler that has nothing to do returns what it was given, the None at the end too.
        for frame in frames:
            if frame is not None and frame.samples:
                samples = frame.to_ndarray()
                self._cut_to_length(samples if self._options.planar else samples.reshape(-1, self._channels))

    def _cut_to_length(self, samples: Samples) -> None:
        if self._options.frame_ms is None:
            self._give(samples)
            return
        axis = 1 if self._options.planar else 0
        length = max(1, round(self._rate * self._options.frame_ms / 1000))
        if self._rest is not None:
            samples = np.concatenate((self._rest, samples), axis)
        whole = samples.shape[axis] // length
        *pieces, rest = np.split(samples, [length * number for number in range(1, whole + 1)], axis)
        for piece in pieces:
            self._give(piece)
        # A view would keep the whole block in memory.
        self._rest = rest.copy()

    def _give(self, samples: Samples) -> None:
        frame = Frame(frozen(samples), self._rate, self._channels, self.position)
        self.position += frame.count
        self.ready.append(frame)
