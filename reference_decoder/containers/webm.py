"""WebM and Matroska: the first audio track, read as it comes, whether or not clusters tell their size.

FFmpeg reads the description of the tracks, from a file that has nothing else. Blocks are taken apart here.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple

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
_LACED, _FIXED, _EBML = 0x06, 0x04, 0x06
# Of a track's entry, from the outside in; of compressions only that one is known which takes off what is always so.
_ENCODINGS, _METHOD, _SETTINGS, _STRIPPED = (0x6D80, 0x6240, 0x5034), 0x4254, 0x4255, b"\3"
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


class _Track(NamedTuple):
    """The first audio track. `front` is what every frame begins with and none is stored with."""

    number: int = 0
    stream: Stream = Stream("webm", "")
    front: bytes = b""


def _track(tracks: bytes) -> _Track:
    entries = [dict(_children(body)) for kind, body in _children(tracks) if kind == _ENTRY]
    entry = next((entry for entry in entries if entry.get(_TYPE) == _AUDIO_TRACK), {})
    with av.open(BytesIO(_FRONT + len(tracks).to_bytes(7, "big") + tracks + _END), "r", format="matroska") as container:
        codec = first_stream(container, "WebM").codec_context
        # Opus and Vorbis know their delay themselves.
        stream = described("webm", codec, 0 if codec.name in ("opus", "vorbis") else int(codec.delay))
    packing = entry
    for kind in _ENCODINGS:
        packing = dict(_children(packing.get(kind, b"")))
    if _ENCODINGS[0] in entry and packing.get(_METHOD) != _STRIPPED:
        raise NotStreamableError("WebM whose frames are encrypted or compressed")
    return _Track(int.from_bytes(entry.get(_NUMBER, b""), "big"), stream, packing.get(_SETTINGS, b""))


def _frames(block: bytes, track: _Track) -> Iterator[bytes]:
    """The frames of a block, none where it is another track's. Two bytes of time and one of flags stand before them."""
    number, at = _vint(block, 0, False)
    if number != track.number or len(block) < at + 3:
        return
    sizes, at = _lacing(block, at + 3, block[at + 2] & _LACED)
    for size in sizes:
        # FFmpeg would take an empty packet for the end.
        if size:
            yield track.front + block[at : at + size]
        at += size


def _lacing(block: bytes, at: int, kind: int) -> tuple[list[int], int]:
    """The sizes of a block's frames, and where they begin. Their count less one is first, then all sizes but one."""
    if not kind:
        return [len(block) - at], at
    count, at = block[at] + 1, at + 1
    sizes: list[int] = []
    if kind == _FIXED:
        sizes = [(len(block) - at) // count] * (count - 1)
    while len(sizes) < count - 1:
        if kind == _EBML:
            size, end = _vint(block, at, False)
            # The first as it is, then by how much each is larger.
            sizes.append(sizes[-1] + size - (1 << 7 * (end - at) - 1) + 1 if sizes else size)
        else:
            end = len(block) - len(block[at:].lstrip(b"\xff")) + 1
            sizes.append(sum(block[at:end]))
        at = end
    sizes.append(len(block) - at - sum(sizes))
    if min(sizes) < 0:
        raise DecodeError("WebM block that is shorter than its frames")
    return sizes, at


def read(source: Source) -> Items:
    """Packets of the first audio track. Segments and clusters are walked into, so their sizes need not be known."""
    track, end, start = _Track(), 0, source.offset
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
            track = _track(body)
            yield track.stream
            continue
        group = dict(_children(body)) if kind == _GROUP else {_BLOCK: body}
        frames = [*_frames(group.get(_BLOCK, b""), track)] if _BLOCK in group else []
        yield from frames
        if frames and (nanoseconds := int.from_bytes(group.get(_DISCARD, b""), "big", signed=True)):
            yield Cut(-round(nanoseconds * track.stream.rate / 1e9))
    if source.offset < end:
        raise TruncatedError(f"WebM ends {end - source.offset} bytes before the end its header tells")
