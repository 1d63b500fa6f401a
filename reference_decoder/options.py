"""What the caller asked for, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

_DTYPES = {"int16": "s16", "float32": "flt"}
_LAYOUTS = ("interleaved", "planar")
_ANY = float("inf")
# What FFmpeg's resampler makes sense of, and what takes no memory by its number alone.
_BOUNDS = dict.fromkeys(("rate", "input_rate"), (100.0, 768_000.0))
_BOUNDS |= dict.fromkeys(("channels", "input_channels"), (1.0, 64.0))
_BOUNDS |= {"frame_ms": (0.1, _ANY), "max_input": (1, _ANY), "max_buffered": (0.001, _ANY), "max_whole": (1, _ANY)}
_DEFAULTS = {"dtype": "int16", "layout": "interleaved", "max_input": 256 * 1024, "max_buffered": 2.0, "strict": False}
_DEFAULTS |= {"max_whole": 32 * 1024 * 1024, "max_bad_packets": 100, "allow_truncated": False}


class Settings(TypedDict, total=False):
    """The keyword arguments of a decoder; all may be left out.

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
    """The settings of one decoder, all of them, and what its input is: a MIME type, or packets of a codec."""

    settings: Settings
    mime: str | None = None
    packets: str | None = None
    extradata: bytes = b""

    def __post_init__(self) -> None:
        if unknown := self.settings.keys() - Settings.__annotations__.keys():
            raise TypeError(f"no such setting: {', '.join(map(repr, sorted(unknown)))}")
        whole: dict[str, Any] = {**dict.fromkeys(Settings.__annotations__), **_DEFAULTS, **self.settings}
        object.__setattr__(self, "settings", whole)
        if self._type not in _DTYPES or self.settings["layout"] not in _LAYOUTS:
            raise ValueError(f"dtype is one of {[*_DTYPES]}, layout one of {[*_LAYOUTS]}")
        for name, (least, most) in _BOUNDS.items():
            value = whole[name]
            if value is not None and not least <= value <= most:
                raise ValueError(f"{name} must be from {least:g} to {most:g}, not {value}")

    @property
    def _type(self) -> str:
        try:
            return str(np.dtype(self.settings["dtype"]))
        except TypeError:
            return ""

    @property
    def planar(self) -> bool:
        """Whether frames are `(channels, n)`."""
        return self.settings["layout"] == "planar"

    @property
    def sample_format(self) -> str:
        """FFmpeg's name of the wanted sample format, interleaved: its planes are few in PyAV."""
        return _DTYPES[self._type]
