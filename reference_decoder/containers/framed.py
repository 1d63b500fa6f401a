"""Streams that are nothing but frames, each with a header that tells its length. Tags may lie between."""

from __future__ import annotations

from reference_decoder.containers.headers import FRAMED, FrameHeader, ParseHeader, format_of, tag_size
from reference_decoder.errors import DecodeError
from reference_decoder.source import Reading, Source

# No header is longer, and no tag needs more to tell its size.
_HEAD = 16
# Where sync is lost for longer than this, something else follows.
_MOST_JUNK = 1 << 16


def _is_frame(source: Source, header: FrameHeader, parse: ParseHeader) -> Reading[bool]:
    """Whether a header like this one, a tag or the end of the input follows the frame: chance looks like a header."""
    data = yield from source.peek(header.length + _HEAD)
    following = data[header.length :]
    successor = parse(following)
    if successor is not None:
        return successor.family == header.family
    return tag_size(following) > 0 or format_of(following) is not None or (source.ended and len(following) < _HEAD)


def framed_format(source: Source) -> Reading[str | None]:
    """These have no magic: which of them has a frame here that is followed by another, if one does."""
    for name, parse in FRAMED.items():
        header = parse((yield from source.peek(_HEAD)))
        if header and (yield from _is_frame(source, header, parse)):
            return name
    return None


def another_file(source: Source) -> Reading[bool]:
    """Whether a file begins here, of any format or of a tag in front of it; or the input ends."""
    head = yield from source.peek(_HEAD)
    return not head or bool(format_of(head) or tag_size(head)) or bool((yield from framed_format(source)))


def next_frame(source: Source, parse: ParseHeader, family: tuple[int, ...] | None) -> Reading[FrameHeader | None]:
    """Go to the next frame, over tags and what makes no sense.

    Its header; None at the end of the input, and where a file of another format begins.
    """
    lost_before = source.lost
    while head := (yield from source.peek(_HEAD)):
        header = parse(head)
        if header is not None and (header.family == family or (yield from _is_frame(source, header, parse))):
            return header
        if size := tag_size(head):
            yield from source.skip(size)
        elif family and (yield from another_file(source)):
            return None
        else:
            yield from source.lose(b"\xff")
        if source.lost - lost_before > _MOST_JUNK:
            raise DecodeError(f"no frame in {_MOST_JUNK} bytes before {source.offset}")
    return None
