"""WebM and Matroska: the first audio track, read as it comes, whether or not clusters tell their size."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from reference_decoder.containers.items import Discard, Items, Stream
from reference_decoder.errors import DecodeError, NotStreamableError, TruncatedError
from reference_decoder.source import Reading, Source

_SEGMENT, _TRACKS, _CLUSTER, _GROUP = 0x18538067, 0x1654AE6B, 0x1F43B675, 0xA0
_SIMPLE_BLOCK, _BLOCK, _DISCARD = 0xA3, 0xA1, 0x75A2
_ENTRY, _NUMBER, _TYPE, _CODEC, _PRIVATE, _AUDIO, _RATE, _CHANNELS = 0xAE, 0xD7, 0x83, 0x86, 0x63A2, 0xE1, 0xB5, 0x9F
_DELAY = 0x56AA
_AUDIO_TRACK = 2
_LACED = 0x06
_CODECS = {b"A_OPUS": "opus", b"A_VORBIS": "vorbis", b"A_AAC": "aac", b"A_FLAC": "flac", b"A_MPEG/L3": "mp3float"}


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


def _element(source: Source) -> Reading[tuple[int, int] | None]:
    """The next element's identifier and size; None at the end of the input."""
    head = yield from source.peek(12)
    if not head:
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
    for entry in (dict(_children(body)) for kind, body in _children(tracks) if kind == _ENTRY):
        if int.from_bytes(entry.get(_TYPE, b""), "big") == _AUDIO_TRACK:
            return int.from_bytes(entry.get(_NUMBER, b""), "big"), _stream(entry)
    raise DecodeError("no sound in this WebM")


def _stream(entry: dict[int, bytes]) -> Stream:
    audio = dict(_children(entry.get(_AUDIO, b"")))
    name, private, rate = entry.get(_CODEC, b"").rstrip(b"\0"), entry.get(_PRIVATE, b""), audio.get(_RATE, bytes(4))
    if name not in _CODECS:
        raise NotStreamableError(f"WebM with {name.decode('latin-1')}")
    codec, hertz = _CODECS[name], int(struct.unpack(">d" if len(rate) == 8 else ">f", rate)[0])
    # FLAC's first block, without the file's magic and the block's header. Opus and Vorbis know their delay themselves.
    private = private[8:42] if codec == "flac" else private
    delay = 0 if codec in ("opus", "vorbis") else int.from_bytes(entry.get(_DELAY, b""), "big")
    channels = int.from_bytes(audio.get(_CHANNELS, b"\1"), "big")
    return Stream("webm", codec, hertz, channels, private, skip=round(delay * hertz / 1e9))


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
    track, stream = 0, None
    while element := (yield from _element(source)):
        kind, size = element
        if kind in (_SEGMENT, _CLUSTER):
            continue
        if kind not in (_TRACKS, _SIMPLE_BLOCK, _GROUP):
            if missing := (yield from source.skip(size)):
                raise TruncatedError(f"WebM element of {size} bytes cut short by {missing}")
            continue
        body = yield from source.exactly(size, "WebM element")
        if kind == _TRACKS:
            track, stream = _track(body)
            yield stream
            continue
        group = dict(_children(body)) if kind == _GROUP else {_BLOCK: body}
        if packet := _packet(group.get(_BLOCK, b""), track):
            if stream and (nanoseconds := int.from_bytes(group.get(_DISCARD, b""), "big", signed=True)):
                yield Discard(round(nanoseconds * stream.rate / 1e9))
            yield packet
