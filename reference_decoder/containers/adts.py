"""AAC in ADTS frames, as it is streamed."""

from __future__ import annotations

from functools import lru_cache

from reference_decoder.containers.framed import FrameHeader, next_frame
from reference_decoder.containers.items import Items, Stream
from reference_decoder.source import Source

# ISO/IEC 14496-3, sampling frequency index.
_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)


@lru_cache(1024)
def _parse(head: bytes) -> FrameHeader | None:
    rate, channels = head[2] >> 2 & 15, (head[2] & 1) << 2 | head[3] >> 6
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    if head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or rate >= len(_RATES) or length < 8:
        return None
    samples = 1024 * ((head[6] & 3) + 1)
    return FrameHeader(length, samples, _RATES[rate], channels, (head[1] & 8, head[2] >> 6, rate, channels))


def parse_header(head: bytes) -> FrameHeader | None:
    """The frame's header, if the bytes begin with one."""
    return _parse(head[:7]) if len(head) >= 7 and head[0] == 0xFF else None


def read(source: Source) -> Items:
    """Frames as packets, headers and all: the codec reads them."""
    family: tuple[int, ...] | None = None
    while header := (yield from next_frame(source, parse_header, family)):
        frame = yield from source.exactly(header.length, "AAC frame")
        if header.family != family:
            family = header.family
            yield Stream("adts", "aac", header.rate, header.channels)
        yield frame
