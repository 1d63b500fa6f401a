"""MP4 and its kin, played as it comes where the index stands in front of the samples or between fragments of them.

What MP4 calls a sample, everybody else calls a packet. `mp4_index` reads the index.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from reference_decoder.containers.items import Items
from reference_decoder.containers.mp4_index import Place, Track, fragment_places, read_track
from reference_decoder.containers.whole import read_whole
from reference_decoder.errors import NotStreamableError, TruncatedError
from reference_decoder.source import Reading, Source


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    start: int
    # Bytes of content; None: to the end of the input.
    size: int | None
    head: bytes


def _box(source: Source) -> Reading[_Box | None]:
    """The next box's header; None at the end of the input."""
    start = source.offset
    head = yield from source.take(8)
    if not head:
        return None
    size = int.from_bytes(head[:4], "big")
    if size == 1:
        head += yield from source.take(8)
        size = int.from_bytes(head[8:], "big")
    if len(head) < 8 or 0 < size < len(head):
        raise TruncatedError("MP4 box without a size")
    return _Box(head[4:8], start, size - len(head) if size else None, head)


def _content(source: Source, box: _Box) -> Reading[bytes]:
    size = source.limit if box.size is None else box.size
    body = yield from source.take(size)
    if box.size is not None and len(body) < size:
        raise TruncatedError(f"MP4 ends inside of its {box.kind.decode('latin-1')}")
    return body


def read(source: Source) -> Items:
    """Samples of the first audio track as packets. With the index at the end, the whole file has to be there first."""
    track: Track | None = None
    ahead: deque[Place] = deque()
    while box := (yield from _box(source)):
        if box.kind == b"moov":
            track = read_track((yield from _content(source, box)))
            ahead.extend(track.places)
            yield track.stream
        elif box.kind == b"moof" and track:
            ahead.extend(fragment_places((yield from _content(source, box)), box.start, track))
        elif box.kind == b"mdat" and track is None:
            # Offsets count from the start of the file: what has been read is replaced by a box that means nothing.
            gap = box.start.to_bytes(4, "big") + b"free" + bytes(box.start - 8) if box.start else b""
            yield from read_whole(source, "mp4", gap + box.head)
            return
        else:
            yield from _samples(source, box, ahead)
    if ahead:
        raise TruncatedError(f"MP4 ends {len(ahead)} packets before the end its index tells")


def _samples(source: Source, box: _Box, ahead: deque[Place]) -> Items:
    """The places of the index that lie in this box; the rest of the box is skipped."""
    end = float("inf") if box.size is None else source.offset + box.size
    while ahead and ahead[0][0] < end:
        offset, size = ahead[0]
        if offset < source.offset or offset + size > end:
            raise NotStreamableError("MP4 whose packets are not in the order of the index")
        yield from source.skip(offset - source.offset)
        data = yield from source.take(size)
        if len(data) < size:
            return
        ahead.popleft()
        yield data
    if box.size is not None:
        yield from source.skip(int(end) - source.offset)
