"""MPEG audio, layers I to III: framing, and the notes of encoders (Xing, Info, VBRI) that make it gapless."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from reference_decoder.containers.framed import FrameHeader, next_frame
from reference_decoder.containers.items import Items, Stream
from reference_decoder.errors import TruncatedError
from reference_decoder.source import Source

# ISO/IEC 11172-3 and 13818-3: kbit/s by (version 1?, layer), Hz of version 1; versions 2 and 2.5 halve and quarter it.
_BITRATES = {
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = (44100, 48000, 32000)
_CODECS = {1: "mp1float", 2: "mp2float", 3: "mp3float"}
# Samples by which every decoder of layer III is late.
_DECODER_DELAY = 529


@lru_cache(1024)
def _parse(head: bytes) -> FrameHeader | None:
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bitrate, rate, padding, mono = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1, head[3] >> 6 == 3
    if head[1] < 0xE0 or version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return None
    first = version == 3
    hertz = _RATES[rate] >> (3 - version if version else 2)
    bits = _BITRATES[first, layer][bitrate - 1] * 1000
    samples = {1: 384, 2: 1152, 3: 1152 if first else 576}[layer]
    slot = 4 if layer == 1 else 1
    length = (samples // 8 // slot * bits // hertz + padding) * slot
    return FrameHeader(length, samples, hertz, 1 if mono else 2, (version, layer, hertz))


def parse_header(head: bytes) -> FrameHeader | None:
    """The frame's header, if the bytes begin with one. Free-format frames, which nobody makes, count as none."""
    return _parse(head[:4]) if len(head) >= 4 and head[0] == 0xFF else None


@dataclass(frozen=True, slots=True)
class _Note:
    """What an encoder left in a frame of its own: the count of frames (0: unknown) and samples to trim at both ends."""

    frames: int
    skip: int = 0
    padding: int = 0

    def length(self, samples: int) -> int | None:
        """Samples of sound in the file, from its frames' size."""
        return max(0, self.frames * samples - self.skip - self.padding) if self.frames else None


def _note(frame: bytes, header: FrameHeader) -> _Note | None:
    version, layer, _ = header.family
    side = (17 if header.channels == 1 else 32) if version == 3 else (9 if header.channels == 1 else 17)
    at = 4 + side
    if layer != 3:
        return None
    if frame[at : at + 4] in (b"Xing", b"Info"):
        return _xing(frame[at:])
    return _Note(0) if frame[36:40] == b"VBRI" else None


def _xing(tag: bytes) -> _Note:
    flags = tag[7] if len(tag) > 7 else 0
    frames = int.from_bytes(tag[8:12], "big") if flags & 1 else 0
    lame = tag[8 + 4 * (flags & 1) + 2 * (flags & 2) + 25 * (flags & 4) + (flags & 8) // 2 :]
    if len(lame) < 24 or lame[:4] not in (b"LAME", b"Lavf", b"Lavc"):
        return _Note(frames)
    # The delay in front, then the padding at the end, 12 bits each. What the decoder adds in front it takes at the end.
    trims = int.from_bytes(lame[21:24], "big")
    return _Note(frames, (trims >> 12) + _DECODER_DELAY, max(0, (trims & 0xFFF) - _DECODER_DELAY))


def read(source: Source) -> Items:
    """Frames as packets. A frame that holds an encoder's note begins a new file, as at the seam of two joined ones."""
    family: tuple[int, ...] | None = None
    expected = 0
    while header := (yield from next_frame(source, parse_header, family)):
        frame = yield from source.exactly(header.length, "mp3 frame")
        note = _note(frame, header)
        if note or header.family != family:
            family = header.family
            expected = note.frames if note else 0
            skip, length = (note.skip, note.length(header.samples)) if note else (0, None)
            yield Stream("mp3", _CODECS[family[1]], header.rate, header.channels, b"", skip, length)
        if not note:
            expected -= 1
            yield frame
    if expected > 0 and not source.lost:
        raise TruncatedError(f"mp3 ends {expected} frames before the end its header tells")
