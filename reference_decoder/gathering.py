"""Short frames of one kind, joined and trimmed."""

from __future__ import annotations

from av import AudioFifo, AudioFrame

from reference_decoder.containers.items import Stream


class Gathering:
    """FFmpeg's queue of samples; drops what a stream has in front of its sound and behind."""

    def __init__(self) -> None:
        self._fifo = AudioFifo()
        self._kind: tuple[str, int, str] | None = None
        self._told = 0
        self._skip = 0
        self._left: int | None = None

    @property
    def count(self) -> int:
        """Samples of one channel."""
        return self._fifo.samples

    def begin(self, stream: Stream) -> None:
        """The frames of a new stream follow; those of the last have been taken."""
        self._told, self._skip, self._left = stream.rate, stream.skip, stream.length

    def cut(self, samples: int) -> None:
        """Only so many more samples belong to the stream."""
        self._left = max(0, max(0, self.count - self._skip) + samples)

    def takes(self, frame: AudioFrame) -> bool:
        """Whether the frame is of the same kind as those before."""
        return self._kind in (None, _kind(frame))

    def add(self, frame: AudioFrame) -> None:
        """Add a frame at the end. One of another kind may only be added when those before have been taken."""
        if not self.takes(frame):
            self._fifo = AudioFifo()
        self._kind = _kind(frame)
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


def _kind(frame: AudioFrame) -> tuple[str, int, str]:
    return frame.format.name, frame.sample_rate, frame.layout.name
