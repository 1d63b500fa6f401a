"""What the caller asked for, checked once."""

from __future__ import annotations

from dataclasses import dataclass

_DTYPES = {"int16": "s16", "float32": "flt"}
_LAYOUTS = {"interleaved": "", "planar": "p"}


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of one decoder; see `AudioStreamDecoder` for what each means."""

    mime: str | None = None
    rate: int | None = None
    channels: int | None = None
    dtype: str = "int16"
    layout: str = "interleaved"
    frame_ms: float | None = None
    max_input: int = 256 * 1024
    max_buffered: float = 2.0
    max_whole: int = 32 * 1024 * 1024
    max_bad_packets: int = 100
    strict: bool = False
    allow_truncated: bool = False

    def __post_init__(self) -> None:
        if self.dtype not in _DTYPES or self.layout not in _LAYOUTS:
            raise ValueError(f"dtype is one of {[*_DTYPES]}, layout one of {[*_LAYOUTS]}")
        for name in ("rate", "channels", "frame_ms", "max_input", "max_buffered", "max_whole"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} must be positive, not {value}")

    @property
    def planar(self) -> bool:
        """Whether frames are `(channels, n)`."""
        return self.layout == "planar"

    @property
    def sample_format(self) -> str:
        """FFmpeg's name of the wanted sample format."""
        return _DTYPES[self.dtype] + _LAYOUTS[self.layout]
