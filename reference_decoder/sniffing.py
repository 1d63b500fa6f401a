"""Which format is it? The bytes decide; a MIME type is a hint, and all there is where samples have no header."""

from __future__ import annotations

from reference_decoder.containers import READERS
from reference_decoder.containers.framed import framed_format
from reference_decoder.containers.headers import WHOLE, format_of, tag_size
from reference_decoder.containers.items import Items, Reader
from reference_decoder.containers.ogg import codec_of
from reference_decoder.containers.packets import packet_reader
from reference_decoder.containers.raw import raw_reader
from reference_decoder.containers.whole import read_whole
from reference_decoder.errors import DecodeError, MimeMismatchError, UnknownFormatError
from reference_decoder.options import Options
from reference_decoder.source import Reading, Source

# MIME types that are not called as the format is.
_ALIASES = {"mpeg": "mp3", "aac": "adts", "aacp": "adts", "opus": "ogg", "wave": "wav", "vnd.wave": "wav", "m4a": "mp4"}
_ALIASES |= {"mp4a-latm": "loas", "matroska": "webm"}
# What comes instead of sound, or is none that FFmpeg decodes.
_FOREIGN = {"JSON": (b"{", b"["), "HTML": (b"<!doctype html", b"<html"), "XML": (b"<",), "MIDI": (b"mthd",)}
_FOREIGN |= {"a playlist": (b"#extm3u", b"[playlist]"), "ZIP": (b"pk\3\4",), "gzip": (b"\x1f\x8b",), "PDF": (b"%pdf",)}
_FOREIGN |= {"PNG": (b"\x89png",), "JPEG": (b"\xff\xd8\xff",), "server-sent events": (b"data:", b"event:")}
# So many bytes are shown of what is not known.
_SHOWN = 80
# What may stand before the first frame of a stream that was joined in the middle: one frame, at most.
_MOST_JUNK = 8192


def _by_magic(source: Source) -> Reading[str | None]:
    head = yield from source.peek(16)
    if head[4:8] in (b"moov", b"wide", b"mdat"):
        return "mp4"
    # The packets of a transport stream have 188 bytes.
    if head[:1] == b"G" and (yield from source.peek(377))[::188] == b"GGG":
        return "mpegts"
    if head[:1] == b"\x56" and head[1] & 0xE0 == 0xE0:
        return "loas"
    name = format_of(head)
    if name != "ogg":
        return name
    # A first page holds one packet, so its table of sizes has one byte.
    first = yield from source.peek(36)
    return "ogg" if codec_of(first[28:]) else "ogg/other"


def _sniff(source: Source, behind: str | None) -> Reading[str | None]:
    """The format's name; what cannot belong to it, in front, has then been dropped.

    None for no input at all, and for a little junk `behind` a file.
    """
    first, lost = b"", source.lost
    while head := (yield from source.peek(12)):
        if name := (yield from _by_magic(source)) or (yield from framed_format(source)):
            return name
        if size := tag_size(head):
            yield from source.skip(size)
            continue
        first = first or (yield from source.peek(_SHOWN))
        yield from source.lose(b"\xff")
        if source.lost - lost > _MOST_JUNK:
            break
    if behind and source.lost - lost > _MOST_JUNK:
        raise DecodeError(f"what follows the {behind} file, before byte {source.offset}, is no sound: {first!r}")
    if first and not behind:
        what = next((f" ({name})" for name, words in _FOREIGN.items() if first.lstrip().lower().startswith(words)), "")
        known = ", ".join(sorted({*READERS, *WHOLE}))
        raise UnknownFormatError(f"unknown format{what}: the input begins with {first!r}; known are {known}, and `pcm`")
    return None


def read_stream(source: Source, options: Options) -> Items:
    """The packets of whatever the source holds. Raises ValueError at once for samples that are not fully described."""
    if options.packets:
        return packet_reader(options)(source)
    return _read(source, options, raw_reader(options))


def _read(source: Source, options: Options, raw: Reader | None) -> Items:
    if raw and options.settings["pcm"]:
        yield from raw(source)
        return
    name = (yield from _by_magic(source)) if raw else (yield from _sniff(source, None))
    kind = (options.mime or "").partition(";")[0].strip().lower().rpartition("/")[2].removeprefix("x-")
    declared = "raw" if raw else _ALIASES.get(kind, kind)
    if options.settings["strict"] and name and name.partition("/")[0] != declared and (raw or declared in READERS):
        raise MimeMismatchError(f"declared {options.mime}, but the bytes are {name}")
    if raw and not name:
        yield from raw(source)
    # One file after another, of whatever format.
    while name:
        yield from READERS[name](source) if name in READERS else read_whole(source, name)
        name = yield from _sniff(source, name)
