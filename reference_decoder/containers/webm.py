"""WebM and Matroska: the first audio track, read as it comes, whether or not clusters tell their size.

FFmpeg reads the description of the tracks, from a file that has nothing else. Blocks are taken apart here.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import av

from reference_decoder.containers.framed import another_file
from reference_decoder.containers.items import Cut, Items, Stream, described
from reference_decoder.containers.whole import first_stream
from reference_decoder.errors import DecodeError, NotStreamableError, TruncatedError
from reference_decoder.source import Reading, Source

_SEGMENT, _TRACKS, _CLUSTER, _GROUP = 0x18538067, 0x1654AE6B, 0x1F43B675, 0xA0
_SIMPLE_BLOCK, _BLOCK, _DISCARD = 0xA3, 0xA1, 0x75A2
_ENTRY, _NUMBER, _TYPE = 0xAE, 0xD7, 0x83
_OFTEN = (b"\xa3", b"\xa0")
_AUDIO_TRACK = b"\2"
_LACED = 0x06
_ENDLESS = 1 << 48
# What stands before the tracks in the smallest file: its kind, and a segment without a size. An empty cluster ends it.
_FRONT = b"\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska\x18\x53\x80\x67\x01" + b"\xff" * 7 + b"\x16\x54\xae\x6b\x01"
_END = b"\x1f\x43\xb6\x75\x80"


def _vint(data: bytes, at: int, marker: bool) -> tuple[int, int]:
    """A number of variable length, with or without the bit that marks its length, and where it ends."""
    length = 9 - data[at].bit_length() if at < len(data) and data[at] else len(data) + 1
    if at + length > len(data):
        raise DecodeError("WebM element without a size")
    value = int.from_bytes(data[at : at + length], "big")
    return value if marker else value & (1 << 7 * length) - 1, at + length


def _children(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        kind, at = _vint(data, at, True)
        size, at = _vint(data, at, False)
        yield kind, data[at : at + size]
        at += size


def _element(source: Source, start: int) -> Reading[tuple[int, int] | None]:
    """The next element's identifier and size; None at the end of the input, and where another file begins."""
    head = yield from source.peek(12)
    if source.offset > start and not head.startswith(_OFTEN) and (yield from another_file(source)):
        return None
    try:
        kind, at = _vint(head, 0, True)
        size, at = _vint(head, at, False)
    except DecodeError:
        if source.ended and len(head) < 12:
            raise TruncatedError("WebM element cut short") from None
        raise
    yield from source.skip(at)
    return kind, size


def _track(tracks: bytes) -> tuple[int, Stream]:
    """Number and stream of the first audio track."""
    entries = [dict(_children(body)) for kind, body in _children(tracks) if kind == _ENTRY]
    numbers = [entry.get(_NUMBER, b"") for entry in entries if entry.get(_TYPE) == _AUDIO_TRACK]
    with av.open(BytesIO(_FRONT + len(tracks).to_bytes(7, "big") + tracks + _END), "r", format="matroska") as container:
        codec = first_stream(container, "WebM").codec_context
        # Opus and Vorbis know their delay themselves.
        stream = described("webm", codec, 0 if codec.name in ("opus", "vorbis") else int(codec.delay))
    return int.from_bytes(numbers[0], "big"), stream


def _packet(block: bytes, track: int) -> bytes:
    """The frame of a block, b"" where it is another track's. Two bytes of time and one of flags stand before it."""
    number, at = _vint(block, 0, False)
    if number != track or len(block) < at + 3:
        return b""
    if block[at + 2] & _LACED:
        raise NotStreamableError("WebM with several frames in a block")
    return block[at + 3 :]


def read(source: Source) -> Items:
    """Packets of the first audio track. Segments and clusters are walked into, so their sizes need not be known."""
    track, rate, end, start = 0, 0, 0, source.offset
    while element := (yield from _element(source, start)):
        kind, size = element
        if kind in (_SEGMENT, _CLUSTER):
            # A live stream's segment has the largest size that can be written, which in one byte is 127.
            end = source.offset + size if kind == _SEGMENT and 127 < size < _ENDLESS else end
            continue
        if kind not in (_TRACKS, _SIMPLE_BLOCK, _GROUP):
            if missing := (yield from source.skip(size)):
                raise TruncatedError(f"WebM element of {size} bytes cut short by {missing}")
            continue
        body = yield from source.exactly(size, "WebM element")
        if kind == _TRACKS:
            track, stream = _track(body)
            rate = stream.rate
            yield stream
            continue
        group = dict(_children(body)) if kind == _GROUP else {_BLOCK: body}
        if packet := _packet(group.get(_BLOCK, b""), track):
            yield packet
            if nanoseconds := int.from_bytes(group.get(_DISCARD, b""), "big", signed=True):
                yield Cut(-round(nanoseconds * rate / 1e9))
    if source.offset < end:
        raise TruncatedError(f"WebM ends {end - source.offset} bytes before the end its header tells")
