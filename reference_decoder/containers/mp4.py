"""MP4 and its kin, played as it comes where the index stands in front of the samples or between fragments of them.

FFmpeg reads the index, from a file that ends where the samples begin; the samples, which everybody else calls packets,
are then taken from where the index says they will be.
"""

from __future__ import annotations

import re
from collections import deque
from io import BytesIO

import av

from reference_decoder.containers.framed import another_file
from reference_decoder.containers.items import Cut, Items, Stream, described
from reference_decoder.containers.whole import Counted, first_stream, read_whole
from reference_decoder.errors import NotStreamableError, TruncatedError
from reference_decoder.source import Reading, Source

_PIECE = 1 << 16
_NOTE = re.compile(r" *[0-9A-F]{8} ([0-9A-F]{8}) [0-9A-F]{8} ([0-9A-F]{16})")
# Offset and size of a packet.
_Place = tuple[int, int]


def _box(source: Source) -> Reading[tuple[bytes, int]]:
    """The next box's header, b"" at the end of the input, and how much follows. A box of size 0 reaches to the end."""
    head = yield from source.take(8)
    size = int.from_bytes(head[:4], "big")
    if size == 1:
        head += yield from source.take(8)
        size = int.from_bytes(head[8:], "big")
    if head and (len(head) < 8 or 0 < size < len(head)):
        raise TruncatedError("MP4 box without a size")
    return head, (size or 1 << 62) - len(head)


def _index(head: bytes) -> tuple[Stream, Cut | None, list[_Place]]:
    """The first audio stream of a file, where it ends, and its packets."""
    with av.open(BytesIO(head + b"\0\0\0\0mdat"), "r", format="mp4") as container:
        stream = first_stream(container, "mp4")
        codec = stream.codec_context
        entries = [(entry.pos, entry.size, entry.timestamp) for entry in stream.index_entries]
        # Packets before the time of 0 only warm up the codec. Opus knows that by itself.
        ticks = -entries[0][2] if entries and codec.name != "opus" else 0
        whole = codec.rate * stream.time_base if stream.time_base else 0
        skip = int(max(0, ticks) * whole)
        end = Cut(skip + int(stream.duration * whole)) if entries and stream.duration else None
        # Apple's note tells what an edit list may not: how many samples to leave out, and how many there are then.
        if entries and (note := _NOTE.match(container.metadata.get("iTunSMPB", ""))):
            skip = skip or int(note[1], 16)
            end = Cut(skip + int(note[2], 16))
        return described("mp4", codec, skip), end, [entry[:2] for entry in entries]


def read(source: Source) -> Items:
    """Packets of the first audio track of one file. With its index at the end, all of it has to be there first."""
    base, moov = source.offset, b""
    ahead: deque[_Place] = deque()
    while source.offset == base or not (yield from another_file(source)):
        start = source.offset
        head, size = yield from _box(source)
        kind = head[4:8]
        body = (yield from source.exactly(size, "MP4 index")) if kind in (b"moov", b"moof") else b""
        if kind == b"moov":
            moov = head + body
            stream, end, places = _index(moov)
            # Places count from the start of the file; here they were made in one that begins with the index.
            ahead.extend((base + offset, size) for offset, size in places)
            yield stream
            if end:
                yield end
        elif kind == b"moof" and moov:
            _, _, places = _index(moov + head + body)
            # They do so here only if the fragment says so; else they count from the fragment.
            from_start = body[body.find(b"tfhd") + 7] & 1
            shift = base if from_start else start - len(moov)
            ahead.extend((offset + shift, size) for offset, size in places)
        elif kind == b"mdat" and not moov:
            # What has been read is replaced by a box that means nothing, so that offsets stay as they are.
            gap = (start - base).to_bytes(4, "big") + b"free" + bytes(start - base - 8) if start > base else b""
            yield from read_whole(source, "mp4", gap + head, _file(source, size))
            return
        else:
            yield from _packets(source, source.offset + size, ahead)
    if ahead:
        raise TruncatedError(f"MP4 ends {len(ahead)} packets before the end its index tells")


def _file(source: Source, size: int) -> Counted:
    """The rest of a box, and all boxes up to the next file."""
    while True:
        while size > 0 and (piece := (yield from source.some(min(size, _PIECE)))):
            size -= len(piece)
            yield piece
        if (yield from another_file(source)):
            return 0
        head, size = yield from _box(source)
        yield head


def _packets(source: Source, end: int, ahead: deque[_Place]) -> Items:
    """Those of the packets ahead that lie before `end`, to which the rest is skipped."""
    while ahead and ahead[0][0] < end:
        offset, size = ahead[0]
        if offset < source.offset or offset + size > end:
            raise NotStreamableError("MP4 whose packets are not in the order of its index")
        yield from source.skip(offset - source.offset)
        data = yield from source.take(size)
        if len(data) < size:
            return
        ahead.popleft()
        yield data
    yield from source.skip(end - source.offset)
