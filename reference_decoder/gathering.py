"""Short frames of one kind, joined and trimmed."""

from __future__ import annotations

from av import AudioFifo, AudioFrame

from reference_decoder.containers.items import Stream

# Sample format, rate, layout: the queue, and a resampler, only take frames that have them all in common.
Kind = tuple[str, int, str]


class Gathering:
    """FFmpeg's queue of samples; drops what a stream has in front of its sound and behind."""

    def __init__(self) -> None:
        self.kind: Kind | None = None
        self._fifo = AudioFifo()
        self._told = 0
        self._skip = 0
        self._left: int | None = None

    @property
    def count(self) -> int:
        """Samples of one channel."""
        return self._fifo.samples

    def begin(self, stream: Stream) -> None:
        """The frames of a new stream follow; those of the last have been taken."""
        self._told, self._skip, self._left = stream.rate, stream.skip, None

    def cut(self, samples: int) -> None:
        """Only so many more samples belong to the stream, those counted that are to be skipped."""
        self._left = max(0, self.count - self._skip + samples)

    def renew(self, kind: Kind) -> None:
        """Frames of another kind follow; those before have been taken."""
        self._fifo, self.kind = AudioFifo(), kind

    def add(self, frame: AudioFrame) -> None:
        """Add a frame at the end."""
        self._scale(frame.sample_rate)
        # The queue refuses times that do not follow on each other; positions are counted at the output.
        frame.pts = None
        self._fifo.write(frame)

    def take(self, most: int) -> list[AudioFrame]:
        """All there is, without what is trimmed, in frames of at most so many samples."""
        front = min(self._skip, self.count)
        kept = self.count - front if self._left is None else min(self._left, self.count - front)
        if front:
            self._fifo.read(front)
        frames = [self._fifo.read(min(most, kept - start)) for start in range(0, kept, most)]
        # What is still there is padding.
        self._fifo.read()
        self._skip -= front
        self._left = None if self._left is None else self._left - kept
        return [frame for frame in frames if frame is not None]

    def _scale(self, rate: int) -> None:
        """The rate may be a multiple of what the container tells: AAC with spectral band replication."""
        if self._told and rate != self._told:
            self._skip = self._skip * rate // self._told
            self._left = None if self._left is None else self._left * rate // self._told
        self._told = 0
