"""The index of an MP4: which track has sound, how it is coded, and where its packets lie. Plain data in and out."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from reference_decoder.containers.items import Stream
from reference_decoder.errors import DecodeError, NotStreamableError

# Offset in the file and size.
Place = tuple[int, int]
_Integers = npt.NDArray[np.int64]

_AAC_OBJECTS = {0x40, 0x66, 0x67, 0x68}
_MP3_OBJECTS = {0x69, 0x6B}
# Bytes of a sample description before the boxes in it.
_DESCRIPTION = 28
# More packets of one size than this nobody has; it keeps a forged count from taking all memory.
_MOST_PACKETS = 1 << 24


@dataclass(frozen=True, slots=True)
class Track:
    """An audio track; `size` is that of a packet for which a fragment does not give one."""

    number: int
    stream: Stream
    places: list[Place]
    size: int


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        size = size if size >= 8 else len(data) - at
        yield kind, data[at + 8 : at + size]
        at += size


def _inside(data: bytes, *path: bytes) -> bytes:
    """The content of the box at a path, b"" where there is none."""
    for kind in path:
        data = next((body for name, body in _boxes(data) if name == kind), b"")
    return data


def _integer(data: bytes, at: int, size: int = 4) -> int:
    return int.from_bytes(data[at : at + size], "big")


def _integers(data: bytes, at: int, kind: str = ">u4") -> _Integers:
    width = int(kind[-1])
    return np.frombuffer(data[at : at + (len(data) - at) // width * width], kind).astype(np.int64)


def read_track(moov: bytes) -> Track:
    """The first track with sound."""
    for kind, trak in _boxes(moov):
        if kind == b"trak" and _inside(trak, b"mdia", b"hdlr")[8:12] == b"soun":
            # In their version 1, the times before the number are twice as long.
            header = _inside(trak, b"tkhd")
            number = _integer(header, 20 if header[:1] == b"\1" else 12)
            extends = (body for name, body in _boxes(_inside(moov, b"mvex")) if name == b"trex")
            sizes = {_integer(body, 4): _integer(body, 16) for body in extends}
            table = _inside(trak, b"mdia", b"minf", b"stbl")
            stream = _trimmed(_stream(_inside(table, b"stsd")[8:]), trak)
            return Track(number, stream, _places(table), sizes.get(number, 0))
    raise DecodeError("no sound in this MP4")


def _stream(descriptions: bytes) -> Stream:
    kind, entry = next(_boxes(descriptions), (b"", b""))
    channels, rate = _integer(entry, 16, 2), _integer(entry, 24) >> 16
    inner = entry[_DESCRIPTION:]
    if kind == b"mp4a":
        return Stream("mp4", *_elementary(entry[entry.find(b"esds") + 8 :], rate, channels))
    if kind == b"Opus":
        # The same fields as in Ogg's first packet, in the other byte order.
        fields = struct.unpack_from(">BBHIh", _inside(inner, b"dOps"))
        head = b"OpusHead" + struct.pack("<BBHIh", 1, *fields[1:]) + _inside(inner, b"dOps")[10:]
        return Stream("mp4", "opus", 48000, channels, head)
    if kind == b"fLaC":
        return Stream("mp4", "flac", rate, channels, _inside(inner, b"dfLa")[8:42])
    if kind == b"alac":
        return Stream("mp4", "alac", rate, channels, struct.pack(">I4s", 36, b"alac") + _inside(inner, b"alac")[:28])
    raise NotStreamableError(f"MP4 with {kind.decode('latin-1')!r}")


def _elementary(descriptor: bytes, rate: int, channels: int) -> tuple[str, int, int, bytes]:
    """What an `esds` box tells: descriptors in descriptors, each with a tag and a size of seven bits a byte."""
    objects, config, at = 0, b"", 0
    while at < len(descriptor):
        tag, size, at = descriptor[at], 0, at + 1
        while at < len(descriptor):
            size, at = size << 7 | descriptor[at] & 0x7F, at + 1
            if descriptor[at - 1] < 0x80:
                break
        if tag == 5:
            config = descriptor[at : at + size]
            break
        if tag == 4:
            objects = descriptor[at]
        at += {3: 3, 4: 13}.get(tag, size)
    if objects in _AAC_OBJECTS:
        return "aac", rate, channels, config
    if objects in _MP3_OBJECTS:
        return "mp3float", rate, channels, b""
    raise NotStreamableError(f"MP4 with object type {objects:#x}")


def _trimmed(stream: Stream, trak: bytes) -> Stream:
    """The stream with the edit list's start and the media's duration. Opus itself knows what to skip."""
    edits, media = _inside(trak, b"edts", b"elst"), _inside(trak, b"mdia", b"mdhd")
    wide = media[:1] == b"\1"
    scale, duration = (
        (_integer(media, 20), _integer(media, 24, 8)) if wide else (_integer(media, 12), _integer(media, 16))
    )
    start = _integer(edits, 16, 8) if edits[:1] == b"\1" else _integer(edits, 12)
    # Set high bits say "nothing": an edit that is empty, a duration that is not known.
    start = start if start < 1 << 31 else 0
    if stream.codec == "opus":
        return stream
    length = (duration - start) * stream.rate // scale if scale and start < duration < 0xFFFFFFFF else None
    return replace(stream, skip=start * stream.rate // scale if scale else 0, length=length)


def _places(table: bytes) -> list[Place]:
    sizes_box = _inside(table, b"stsz")
    size, count = _integer(sizes_box, 4), _integer(sizes_box, 8)
    if size and count > _MOST_PACKETS:
        raise NotStreamableError(f"MP4 with {count} packets")
    sizes = np.full(count, size, np.int64) if size else _integers(sizes_box, 12)
    chunks = _integers(_inside(table, b"stco"), 8)
    if not len(chunks):
        chunks = _integers(_inside(table, b"co64"), 8, ">u8")
    if not len(chunks) or not len(sizes):
        return []
    # Runs of chunks with the same count of packets: the number of the first chunk, the count, something else.
    runs = _integers(_inside(table, b"stsc"), 8).reshape(-1, 3)
    counts = np.repeat(runs[:, 1], np.diff(np.append(runs[:, 0], len(chunks) + 1)))
    if counts.sum() != len(sizes):
        raise DecodeError("MP4 whose tables disagree")
    before = np.cumsum(sizes) - sizes
    offsets = np.repeat(chunks - before[np.cumsum(counts) - counts], counts) + before
    return list(zip(offsets.tolist(), sizes.tolist(), strict=True))


def fragment_places(moof: bytes, start: int, track: Track) -> Iterator[Place]:
    """The packets of one track in a fragment, which begins at `start`."""
    for kind, traf in _boxes(moof):
        header = _inside(traf, b"tfhd") if kind == b"traf" else b""
        if _integer(header, 4) != track.number:
            continue
        flags, at = _integer(header, 0), 8 + 8 * (header[3] & 1)
        offset = _integer(header, 8, 8) if flags & 1 else start
        at += 4 * bool(flags & 2) + 4 * bool(flags & 8)
        size = _integer(header, at) if flags & 0x10 else track.size
        for run in (body for name, body in _boxes(traf) if name == b"trun"):
            if _integer(run, 0) & 1:
                offset = start + struct.unpack_from(">i", run, 8)[0]
            for length in _run_sizes(run, size):
                yield offset, length
                offset += length


def _run_sizes(run: bytes, default: int) -> list[int]:
    flags, count = _integer(run, 0), _integer(run, 4)
    fields = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
    if 0x200 not in fields:
        return [default] * min(count, _MOST_PACKETS)
    rows = _integers(run, 8 + 4 * (flags & 1) + (flags & 4))
    rows = rows[: len(rows) // len(fields) * len(fields)].reshape(-1, len(fields))
    return [int(size) for size in rows[:count, fields.index(0x200)]]
