"""Which format is it? The bytes decide; a MIME type is a hint, and all there is where samples have no header."""

from __future__ import annotations

from reference_decoder.containers import READERS, adts, mp3
from reference_decoder.containers.framed import ParseHeader, is_frame, tag_size
from reference_decoder.containers.items import Items, Reader
from reference_decoder.containers.ogg import codec_of
from reference_decoder.containers.raw import raw_reader
from reference_decoder.containers.whole import read_whole
from reference_decoder.errors import MimeMismatchError, UnknownFormatError
from reference_decoder.source import Reading, Source

# (where, which bytes, format). Formats without a reader of ours have FFmpeg's names.
_MAGIC = (
    (0, b"fLaC", "flac"),
    (0, b"\x1aE\xdf\xa3", "webm"),
    (4, b"ftyp", "mp4"),
    (8, b"WAVE", "wav"),
    (8, b"AIF", "aiff"),
    (0, b"caff", "caf"),
    (0, b"#!AMR", "amr"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (0, b".snd", "au"),
)
_FRAMED: tuple[tuple[str, ParseHeader], ...] = (("adts", adts.parse_header), ("mp3", mp3.parse_header))
# MIME types that are not called as the format is.
_ALIASES = {"mpeg": "mp3", "aac": "adts", "aacp": "adts", "opus": "ogg", "wave": "wav", "vnd.wave": "wav", "m4a": "mp4"}
# What may stand before the first frame of a stream that was joined in the middle: one frame, at most.
_MOST_JUNK = 8192


def _by_magic(source: Source) -> Reading[str | None]:
    head = yield from source.peek(12)
    for at, magic, name in _MAGIC:
        if head[at : at + len(magic)] == magic:
            return name
    if head[:4] != b"OggS":
        return None
    # A first page holds one packet, so its table of sizes has one byte.
    first = yield from source.peek(36)
    return "ogg" if codec_of(first[28:]) else "ogg/other"


def _by_frames(source: Source) -> Reading[str | None]:
    """mp3 and ADTS have no magic: look for a frame that is followed by another."""
    for name, parse in _FRAMED:
        header = parse((yield from source.peek(16)))
        if header and (yield from is_frame(source, header, parse)):
            return name
    return None


def _sniff(source: Source) -> Reading[str | None]:
    """The format's name; what cannot belong to it, in front, has then been dropped. None for no input at all."""
    first = b""
    while head := (yield from source.peek(12)):
        first = first or head
        if name := (yield from _by_magic(source)) or (yield from _by_frames(source)):
            return name
        if size := tag_size(head):
            yield from source.skip(size)
            continue
        yield from source.lose(b"\xff")
        if source.lost > _MOST_JUNK:
            break
    if first:
        raise UnknownFormatError(f"unknown format: the input begins with {first!r}")
    return None


def read_stream(source: Source, mime: str | None, strict: bool) -> Items:
    """The packets of whatever the source holds. Raises ValueError at once for a MIME type without a sample rate."""
    return _read(source, mime, raw_reader(mime) if mime else None, strict)


def _read(source: Source, mime: str | None, raw: Reader | None, strict: bool) -> Items:
    name = (yield from _by_magic(source)) if raw else (yield from _sniff(source))
    kind = (mime or "").partition(";")[0].strip().lower().rpartition("/")[2].removeprefix("x-")
    declared = "raw" if raw else _ALIASES.get(kind, kind)
    if strict and name and name.partition("/")[0] != declared and (raw or declared in READERS):
        raise MimeMismatchError(f"declared {mime}, but the bytes are {name}")
    if name:
        yield from READERS[name](source) if name in READERS else read_whole(source, name)
    elif raw:
        yield from raw(source)
