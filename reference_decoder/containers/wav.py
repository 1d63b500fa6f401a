"""RIFF and RF64 WAVE, as files and as streams whose writer did not know the length; and several in a row."""

from __future__ import annotations

import struct

from reference_decoder.containers.items import Items, Stream
from reference_decoder.containers.raw import read_samples
from reference_decoder.containers.whole import read_whole
from reference_decoder.errors import DecodeError, TruncatedError
from reference_decoder.source import Source

# (format tag, bits of a sample) -> FFmpeg's decoder.
_CODECS = {(1, 8): "pcm_u8", (1, 16): "pcm_s16le", (1, 24): "pcm_s24le", (1, 32): "pcm_s32le"}
_CODECS |= {(3, 32): "pcm_f32le", (3, 64): "pcm_f64le", (6, 8): "pcm_alaw", (7, 8): "pcm_mulaw"}
_EXTENSIBLE = 0xFFFE
# Writers who do not know the size put down 0, or about the largest there is.
_LARGEST = 0x7FFFF000


def _format(chunk: bytes) -> tuple[Stream, int] | None:
    """What the `fmt ` chunk describes and the bytes of a sample; None where FFmpeg has to read the file itself."""
    if len(chunk) < 16:
        raise DecodeError(f"WAV format of {len(chunk)} bytes")
    tag, channels, rate, _, align, bits = struct.unpack("<HHIIHH", chunk[:16])
    if tag == _EXTENSIBLE:
        tag = int.from_bytes(chunk[24:26], "little")
    codec = _CODECS.get((tag, bits))
    if codec and not (rate and channels and align == channels * bits // 8):
        raise DecodeError(f"WAV of {channels} channels at {rate} Hz in blocks of {align} bytes")
    return (Stream("wav", codec, rate, channels), align) if codec else None


def read(source: Source) -> Items:
    """Blocks of samples as packets, of every RIFF file in the input. What is in other chunks is skipped."""
    form: tuple[Stream, int] | None = None
    long_size = 0
    while len(head := (yield from source.take(8))) == 8:
        kind, size = head[:4], int.from_bytes(head[4:], "little")
        if kind in (b"RIFF", b"RF64"):
            form = None
            yield from source.skip(4)
        elif kind == b"data" and form:
            yield from _data(source, form[1], long_size or size)
        elif kind in (b"fmt ", b"ds64"):
            chunk = yield from source.take(size + size % 2)
            if kind == b"ds64":
                long_size = int.from_bytes(chunk[8:16], "little")
                continue
            form = _format(chunk)
            if form is None:
                yield from read_whole(source, "wav", b"RIFF\xff\xff\xff\xffWAVE" + head + chunk)
                return
            yield form[0]
        elif (yield from source.skip(size + size % 2)) > 1 and form is None:
            raise TruncatedError("WAV ends before its samples begin")
    # Up to 7 bytes that make no chunk are padding some writers leave.


def _data(source: Source, align: int, size: int) -> Items:
    endless = size == 0 or _LARGEST <= size <= 0xFFFFFFFF
    missing = yield from read_samples(source, align, None if endless else size)
    if missing:
        raise TruncatedError(f"WAV ends {missing} bytes before the end its header tells")
    if not endless:
        yield from source.skip(size % 2)
