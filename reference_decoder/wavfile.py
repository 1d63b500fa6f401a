"""WAV files of 16-bit or float samples, written as the samples come."""

from __future__ import annotations

import struct
from typing import BinaryIO

from reference_decoder.frames import Frame

_HEADER = 44
_UNKNOWN = 0xFFFFFFFF


class WavWriter:
    """A context manager. Where the file is a pipe, its header says that the length is unknown."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._written = 0
        self._form = (0, 0, 2)

    def write(self, frame: Frame) -> None:
        """Add an interleaved frame."""
        if not self._written:
            self._form = (frame.rate, frame.channels, frame.samples.itemsize)
            self._file.write(self._header(_UNKNOWN))
        self._file.write(frame.samples.data)
        self._written += frame.samples.nbytes

    def __enter__(self) -> WavWriter:
        return self

    def __exit__(self, *_: object) -> None:
        if self._written and self._file.seekable():
            # Only now is the length known.
            self._file.seek(0)
            self._file.write(self._header(self._written))

    def _header(self, size: int) -> bytes:
        rate, channels, width = self._form
        whole = min(size + _HEADER - 8, _UNKNOWN)
        align, tag = channels * width, 1 if width == 2 else 3
        form = struct.pack("<HHIIHH", tag, channels, rate, rate * align, align, 8 * width)
        return struct.pack("<4sI4s4sI16s4sI", b"RIFF", whole, b"WAVE", b"fmt ", 16, form, b"data", min(size, _UNKNOWN))
