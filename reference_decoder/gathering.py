"""Short frames of one kind, joined and trimmed."""

from __future__ import annotations

from av import AudioFifo, AudioFrame

from reference_decoder.containers.items import Stream


class Gathering:
    """FFmpeg's queue of samples; drops what a stream has in front of its sound and behind."""

    def __init__(self) -> None:
        self.count = 0
        self._fifo = AudioFifo()
        self._kind: tuple[str, int, str] | None = None
        self._stream: Stream | None = None
        self._skip = 0
        self._left: int | None = None

    def begin(self, stream: Stream) -> None:
        """The frames of a new stream follow; those of the last have been taken."""
        self._stream, self._skip, self._left = stream, stream.skip, stream.length

    def renewed(self) -> Gathering:
        """A new one, for frames of another kind in the same stream."""
        other = Gathering()
        other._stream, other._skip, other._left = self._stream, self._skip, self._left
        return other

    def cut(self, samples: int) -> None:
        """Only so many more samples belong to the stream."""
        self._left = max(0, self.count - self._skip) + samples

    def takes(self, frame: AudioFrame) -> bool:
        """Whether the frame is of the same kind as those before."""
        return self._kind in (None, _kind(frame))

    def add(self, frame: AudioFrame) -> None:
        """Add a frame at the end."""
        if self._kind is None:
            self._kind = _kind(frame)
        if self._stream is not None:
            self._scale(frame.sample_rate, self._stream.rate)
            self._stream = None
        # The queue refuses times that do not follow on each other; positions are counted at the output.
        frame.pts = None
        self._fifo.write(frame)
        self.count += frame.samples

    def take(self) -> AudioFrame | None:
        """All there is, without what is trimmed; None where nothing is left."""
        front = min(self._skip, self.count)
        kept = self.count - front if self._left is None else min(self._left, self.count - front)
        if front:
            self._fifo.read(front)
        frame = self._fifo.read(kept) if kept else None
        # What is still there is padding.
        self._fifo.read()
        self._skip -= front
        self._left = None if self._left is None else self._left - kept
        self.count = 0
        return frame

    def _scale(self, rate: int, told: int) -> None:
        """The rate may be a multiple of what the container tells: AAC with spectral band replication."""
        if told and rate != told:
            self._skip = self._skip * rate // told
            self._left = None if self._left is None else self._left * rate // told


def _kind(frame: AudioFrame) -> tuple[str, int, str]:
    return frame.format.name, frame.sample_rate, frame.layout.name
