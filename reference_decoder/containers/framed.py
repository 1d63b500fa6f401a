"""Streams that are nothing but frames, each with a header that tells its length: mp3 and ADTS. Tags may lie between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reference_decoder.errors import DecodeError
from reference_decoder.source import Reading, Source

# No header is longer, and no tag needs more to tell its size.
_HEAD = 16
# Where sync is lost for longer than this, something else follows.
_MOST_JUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """A frame's length in bytes, and what all headers of one file have in common."""

    length: int
    samples: int
    rate: int
    channels: int
    family: tuple[int, ...]


ParseHeader = Callable[[bytes], FrameHeader | None]


def tag_size(head: bytes) -> int:
    """The length of the ID3v2, ID3v1 or APE tag that begins here, 0 where none does."""
    if head[:3] == b"ID3" and len(head) >= 10 and max(head[6:10]) < 0x80:
        size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        return size + (20 if head[5] & 0x10 else 10)
    if head[:8] == b"APETAGEX" and len(head) >= 16:
        return int.from_bytes(head[12:16], "little") + 32
    return 128 if head[:3] == b"TAG" else 0


def is_frame(source: Source, header: FrameHeader, parse: ParseHeader) -> Reading[bool]:
    """Whether a header like this one, a tag or the end of the input follows the frame: chance looks like a header."""
    data = yield from source.peek(header.length + _HEAD)
    following = data[header.length :]
    successor = parse(following)
    if successor is not None:
        return successor.family == header.family
    return tag_size(following) > 0 or (source.ended and len(following) < _HEAD)


def next_frame(source: Source, parse: ParseHeader, family: tuple[int, ...] | None) -> Reading[FrameHeader | None]:
    """Go to the next frame, over tags and what makes no sense; its header, or None at the end of the input."""
    lost_before = source.lost
    while head := (yield from source.peek(_HEAD)):
        header = parse(head)
        if header is not None and (header.family == family or (yield from is_frame(source, header, parse))):
            return header
        if size := tag_size(head):
            yield from source.skip(size)
        else:
            yield from source.lose(b"\xff")
        if source.lost - lost_before > _MOST_JUNK:
            raise DecodeError(f"no frame in {_MOST_JUNK} bytes before {source.offset}")
    return None
