"""What the caller asked for, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import numpy.typing as npt

_DTYPES = {"int16": "s16", "float32": "flt"}
_LAYOUTS = ("interleaved", "planar")
# What FFmpeg's resampler makes sense of, and what takes no memory by its number alone.
_BOUNDS = {"rate": (100, 768_000), "input_rate": (100, 768_000), "channels": (1, 64), "input_channels": (1, 64)}


class Settings(TypedDict, total=False):
    """The keyword arguments of a decoder; `Options` has what holds where they are left out.

    - `rate`, `channels`: of the output; by default those of the first frame decoded. They never change.
    - `dtype`: "int16" or "float32", or numpy's. `layout`: "interleaved" for `(n, channels)`, "planar" for
      `(channels, n)`.
    - `frame_ms`: the exact length of frames, but for the last; by default they are as they come.
    - `max_input`: bytes that may wait before `drain` and `feed` wait. `max_buffered`: seconds of decoded sound that may
      wait before decoding pauses. `max_whole`: bytes of a file that has to be read whole before it can be decoded.
    - `max_bad_packets`: damaged packets are skipped and counted; more in a row than this end the stream with an error.
    - `strict`: bytes that are not what the MIME type says raise `MimeMismatchError`.
    - `allow_truncated`: input that ends in the middle of something is no error.
    - `pcm`: the input is bare samples of this form, whatever they look like: "s16le", "f32le", "u8", "mulaw", ...;
      `input_rate`, `input_channels`: theirs, or those of a MIME type that means bare samples and does not tell.
    """

    rate: int | None
    channels: int | None
    dtype: npt.DTypeLike
    layout: str
    frame_ms: float | None
    max_input: int
    max_buffered: float
    max_whole: int
    max_bad_packets: int
    strict: bool
    allow_truncated: bool
    pcm: str | None
    input_rate: int | None
    input_channels: int | None


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of one decoder, and what its input is: a MIME type, or packets of a codec."""

    mime: str | None = None
    packets: str | None = None
    extradata: bytes = b""
    rate: int | None = None
    channels: int | None = None
    dtype: npt.DTypeLike = "int16"
    layout: str = "interleaved"
    frame_ms: float | None = None
    max_input: int = 256 * 1024
    max_buffered: float = 2.0
    max_whole: int = 32 * 1024 * 1024
    max_bad_packets: int = 100
    strict: bool = False
    allow_truncated: bool = False
    pcm: str | None = None
    input_rate: int | None = None
    input_channels: int | None = None

    def __post_init__(self) -> None:
        if self._type not in _DTYPES or self.layout not in _LAYOUTS:
            raise ValueError(f"dtype is one of {[*_DTYPES]}, layout one of {[*_LAYOUTS]}")
        for name in ("frame_ms", "max_input", "max_buffered", "max_whole"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be positive, not {value}")
        for name, (least, most) in _BOUNDS.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise ValueError(f"{name} must be from {least} to {most}, not {value}")

    @property
    def _type(self) -> str:
        try:
            return str(np.dtype(self.dtype))
        except TypeError:
            return ""

    @property
    def planar(self) -> bool:
        """Whether frames are `(channels, n)`."""
        return self.layout == "planar"

    @property
    def sample_format(self) -> str:
        """FFmpeg's name of the wanted sample format, interleaved: its planes are few in PyAV."""
        return _DTYPES[self._type]
