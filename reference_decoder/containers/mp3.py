"""MPEG audio, layer III: framing, and the notes of encoders (Xing, Info, VBRI) that make it gapless."""

from __future__ import annotations

from functools import lru_cache

from reference_decoder.containers.framed import FrameHeader, next_frame
from reference_decoder.containers.items import Items, Stream
from reference_decoder.errors import TruncatedError
from reference_decoder.source import Source

# ISO/IEC 11172-3 and 13818-3: kbit/s of version 1 and of the others; Hz of version 1, which 2 halves and 2.5 quarters.
_BITRATES = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_LOW_BITRATES = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = (44100, 48000, 32000)
# Bytes of the smallest frame there is: where bytes were lost, so may frames have been.
_SHORTEST = 24
# Samples by which every decoder of layer III is late.
_DECODER_DELAY = 529


@lru_cache(1024)
def _parse(head: bytes) -> FrameHeader | None:
    version, bitrate, rate, padding = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if head[1] & 0xE6 != 0xE2 or version == 1 or bitrate in (0, 15) or rate == 3:
        return None
    first = version == 3
    hertz = _RATES[rate] >> (3 - version if version else 2)
    bits = 1000 * (_BITRATES if first else _LOW_BITRATES)[bitrate - 1]
    samples = 1152 if first else 576
    length = samples // 8 * bits // hertz + padding
    return FrameHeader(length, samples, hertz, 1 if head[3] >> 6 == 3 else 2, (version, hertz))


def parse_header(head: bytes) -> FrameHeader | None:
    """The frame's header, if the bytes begin with one. Free-format frames, which nobody makes, count as none."""
    return _parse(head[:4]) if len(head) >= 4 and head[0] == 0xFF else None


# What an encoder left in a frame of its own: the count of frames (0: unknown) and the samples to trim at both ends.
_Note = tuple[int, int, int]


def _note(frame: bytes, header: FrameHeader) -> _Note | None:
    mono, first = header.channels == 1, header.samples == 1152
    # It stands behind the side information, whose size depends on both.
    at = 4 + {(True, False): 9, (False, True): 32}.get((mono, first), 17)
    if frame[at : at + 4] in (b"Xing", b"Info"):
        return _xing(frame[at:])
    return (0, 0, 0) if frame[36:40] == b"VBRI" else None


def _xing(tag: bytes) -> _Note:
    flags = tag[7] if len(tag) > 7 else 0
    frames = int.from_bytes(tag[8:12], "big") if flags & 1 else 0
    lame = tag[8 + 4 * (flags & 1) + 2 * (flags & 2) + 25 * (flags & 4) + (flags & 8) // 2 :]
    if len(lame) < 24 or lame[:4] not in (b"LAME", b"Lavf", b"Lavc"):
        return frames, 0, 0
    # The delay in front, then the padding at the end, 12 bits each. What the decoder adds in front it takes at the end.
    trims = int.from_bytes(lame[21:24], "big")
    return frames, (trims >> 12) + _DECODER_DELAY, max(0, (trims & 0xFFF) - _DECODER_DELAY)


def read(source: Source) -> Items:
    """Frames as packets. A frame that holds an encoder's note begins a new file, as at the seam of two joined ones."""
    family: tuple[int, ...] | None = None
    expected = 0
    while header := (yield from next_frame(source, parse_header, family)):
        frame = yield from source.exactly(header.length, "mp3 frame")
        note = _note(frame, header)
        if note or header.family != family:
            family = header.family
            expected, skip, padding = note or (0, 0, 0)
            length = max(0, expected * header.samples - skip - padding) if expected else None
            yield Stream("mp3", "mp3float", header.rate, header.channels, b"", skip, length)
        if not note:
            expected -= 1
            yield frame
    if expected > source.lost // _SHORTEST:
        raise TruncatedError(f"mp3 ends {expected} frames before the end its header tells")
