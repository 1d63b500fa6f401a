"""What the first bytes say: of a file, its format; of a frame, its length; of a tag, its length."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

# By where they stand: which bytes, which format. Formats without a reader of ours have FFmpeg's names.
_FRONT = {b"fLaC": "flac", b"OggS": "ogg", b"\x1aE\xdf\xa3": "webm", b"caff": "caf", b"#!AMR": "amr", b".snd": "au"}
_FRONT |= {b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "asf", b"riff\x2e\x91\xcf\x11": "w64", b"FLV\1": "flv", b"wvpk": "wv"}
_FRONT |= {b"TTA1": "tta", b"MAC ": "ape", b"MPCK": "mpc8", b"MP+": "mpc", b"tBaK": "tak", b"qoaf": "qoa"}
_FRONT |= {
    b"DSD ": "dsf",
    b".RMF": "rm",
    b"Creative Voice": "voc",
    b"NIST_1A": "nistsphere",
    b".SoX": "sox",
    b"STRM": "ast",
}
_FRONT |= {b"\0\0\1\xba": "mpeg", b"\x7f\xfe\x80\1": "dts", b"\x64\xa3\1\0": "ircam", b"\x0b\x77": "ac3"}
_MAGIC = {0: _FRONT, 4: {b"ftyp": "mp4", b"\xf8\x72\x6f\xba": "truehd"}}
_MAGIC[8] = {b"WAVE": "wav", b"AIFF": "aiff", b"AIFC": "aiff", b"AVI ": "avi", b"8SVX": "iff"}
WHOLE = ["mpegts", "loas", *sorted(set().union(*(formats.values() for formats in _MAGIC.values())))]
# ISO/IEC 14496-3, sampling frequency index.
_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
# ISO/IEC 11172-3 and 13818-3: kbit/s by version 1 or not and layer; Hz of version 1, which 2 halves and 2.5 quarters.
_LOW_BITRATES = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_BITRATES = {(True, 1): tuple(range(32, 449, 32)), (False, 2): _LOW_BITRATES, (False, 3): _LOW_BITRATES}
_BITRATES[True, 2] = (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384)
_BITRATES[True, 3] = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATES[False, 1] = (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256)
_MPEG_RATES = (44100, 48000, 32000)


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """A frame's length in bytes, and what all headers of one file have in common."""

    length: int
    samples: int
    rate: int
    channels: int
    family: tuple[int, ...]


ParseHeader = Callable[[bytes], FrameHeader | None]


@lru_cache(1024)
def _parse_adts(head: bytes) -> FrameHeader | None:
    rate, channels = head[2] >> 2 & 15, (head[2] & 1) << 2 | head[3] >> 6
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    if head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or rate >= len(_AAC_RATES) or length < 8:
        return None
    samples = 1024 * ((head[6] & 3) + 1)
    return FrameHeader(length, samples, _AAC_RATES[rate], channels, (head[1] & 8, head[2] >> 6, rate, channels))


def parse_adts(head: bytes) -> FrameHeader | None:
    """The header of an AAC frame, if the bytes begin with one."""
    return _parse_adts(head[:7]) if len(head) >= 7 and head[0] == 0xFF else None


@lru_cache(1024)
def _parse_mpeg(head: bytes) -> FrameHeader | None:
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bitrate, rate, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if head[1] & 0xE0 != 0xE0 or version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return None
    first = version == 3
    hertz = _MPEG_RATES[rate] >> (3 - version if version else 2)
    samples = 384 if layer == 1 else 1152 if first or layer == 2 else 576
    unit = 4 if layer == 1 else 1
    length = (samples // 8 // unit * 1000 * _BITRATES[first, layer][bitrate - 1] // hertz + padding) * unit
    return FrameHeader(length, samples, hertz, 1 if head[3] >> 6 == 3 else 2, (layer, version, hertz))


def parse_mpeg(head: bytes) -> FrameHeader | None:
    """The header of a frame of MPEG audio. Free-format frames, which nobody makes, count as none."""
    return _parse_mpeg(head[:4]) if len(head) >= 4 and head[0] == 0xFF else None


FRAMED: dict[str, ParseHeader] = {"adts": parse_adts, "mp3": parse_mpeg}


def format_of(head: bytes) -> str | None:
    """The format of a file that begins with these bytes, twelve or more; None where they are nothing we know."""
    rows = ((at, magic, name) for at, formats in _MAGIC.items() for magic, name in formats.items())
    return next((name for at, magic, name in rows if head.startswith(magic, at)), None)


def tag_size(head: bytes) -> int:
    """The length of the ID3v2, ID3v1 or APE tag that begins here, 0 where none does."""
    if head[:3] == b"ID3" and len(head) >= 10 and max(head[6:10]) < 0x80:
        size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        return size + (20 if head[5] & 0x10 else 10)
    if head[:8] == b"APETAGEX" and len(head) >= 16:
        return int.from_bytes(head[12:16], "little") + 32
    return 128 if head[:3] == b"TAG" else 0
