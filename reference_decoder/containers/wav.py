"""RIFF and RF64 WAVE, as files and as streams whose writer did not know the length."""

from __future__ import annotations

import struct
from collections.abc import Generator

from reference_decoder.containers.framed import another_file
from reference_decoder.containers.headers import format_of
from reference_decoder.containers.items import Item, Items, Stream
from reference_decoder.containers.raw import block_size, read_samples
from reference_decoder.containers.whole import read_whole
from reference_decoder.errors import DecodeError, TruncatedError
from reference_decoder.source import Source

# (format tag, bits of a sample) -> FFmpeg's decoder.
_CODECS = {(1, 8): "pcm_u8", (1, 16): "pcm_s16le", (1, 24): "pcm_s24le", (1, 32): "pcm_s32le"}
_CODECS |= {(3, 32): "pcm_f32le", (3, 64): "pcm_f64le", (6, 8): "pcm_alaw", (7, 8): "pcm_mulaw"}
_EXTENSIBLE = 0xFFFE
# Writers who do not know the size put down 0, or about the largest there is.
_LARGEST = 0x7FFFF000
_ENDLESS = b"\xff\xff\xff\xff"


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
    """Blocks of samples as packets, of one file. What is in other chunks is skipped."""
    yield from source.skip(12)
    # The chunks before the samples, where FFmpeg is to read those.
    front = b""
    form: tuple[Stream, int] | None = None
    long_size = 0
    while not (yield from another_file(source)) and len(head := (yield from source.take(8))) == 8:
        kind, size = head[:4], int.from_bytes(head[4:], "little")
        if kind == b"data" and (form or front):
            yield from _data(source, form, front, long_size or size)
        elif kind in (b"fmt ", b"ds64", b"fact"):
            chunk = yield from source.take(size + size % 2)
            front += head + chunk
            if kind == b"ds64":
                long_size = int.from_bytes(chunk[8:16], "little")
            elif kind == b"fmt " and (form := _format(chunk)):
                yield form[0]
        elif (yield from source.skip(size + size % 2)) > 1 and not front:
            raise TruncatedError("WAV ends before its samples begin")
    # Up to 7 bytes that make no chunk are padding some writers leave.


def _data(source: Source, form: tuple[Stream, int] | None, front: bytes, size: int) -> Items:
    endless = size == 0 or _LARGEST <= size <= 0xFFFFFFFF
    align = form[1] if form else 1
    samples = _endless(source, align) if endless else read_samples(source, align, size)
    if form is None:
        # A size that reaches to the end: a file that was cut short gives what it has.
        head = b"RIFF" + _ENDLESS + b"WAVE" + front + b"data" + _ENDLESS
        missing = yield from read_whole(source, "wav", head, samples)
    else:
        missing = yield from samples
    if missing:
        raise TruncatedError(f"WAV ends {missing} bytes before the end its header tells")
    # Some writers leave out the byte that makes the size even.
    if not endless and size % 2 and not (yield from another_file(source)):
        yield from source.skip(1)


def _endless(source: Source, align: int) -> Generator[Item, None, int]:
    """Blocks of whole samples up to the end of the input or the next file's header."""
    while len((yield from source.peek(align))) == align:
        clear = source.clear(b"RIFF")
        if clear < align:
            head = yield from source.peek(12, clear)
            if head[:4] == b"RIFF" and format_of(head) == "wav":
                yield from source.skip(clear)
                return 0
            clear = align
        yield (yield from source.take(min(clear - clear % align, block_size(align))))
    return len((yield from source.take(align)))
