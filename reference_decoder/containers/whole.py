"""Formats that can only be read as a whole: gathered up to a limit, then decoded by FFmpeg's own demuxer."""

from __future__ import annotations

from collections.abc import Generator
from io import BytesIO

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from reference_decoder.containers.items import Item, described
from reference_decoder.errors import DecodeError, NotStreamableError
from reference_decoder.source import Source

_PIECE = 1 << 16


Counted = Generator[Item, None, int]


def _rest(source: Source) -> Counted:
    while piece := (yield from source.some(_PIECE)):
        yield piece
    return 0


def _gathered(rest: Counted, file: BytesIO, limit: int, name: str) -> Counted:
    while True:
        try:
            piece = next(rest)
        except StopIteration as end:
            return int(end.value)
        if not isinstance(piece, bytes):
            yield None
        elif file.tell() + len(piece) > limit:
            raise NotStreamableError(f"{name} of this kind has to be read whole; the limit is {limit} bytes")
        else:
            file.write(piece)


def read_whole(source: Source, name: str, prefix: bytes = b"", rest: Counted | None = None) -> Counted:
    """Wait for all of a file, then yield FFmpeg's packets. Returns what `rest` does.

    `prefix` stands for what has been read already; `rest` yields what follows, without it everything does. `name` is
    that of FFmpeg's demuxer; what follows a slash is for people.
    """
    file = BytesIO()
    file.write(prefix)
    missing = yield from _gathered(rest or _rest(source), file, source.limit, name)
    file.seek(0)
    try:
        container = av.open(file, "r", format=name.partition("/")[0])
    except av.FFmpegError as error:
        raise DecodeError(f"{name} cannot be opened") from error
    with container:
        stream = first_stream(container, name)
        yield described(name, stream.codec_context)
        yield from container.demux(stream)
    return missing


def first_stream(container: InputContainer, name: str) -> AudioStream:
    """The first with sound. A cut file can have one that FFmpeg has no codec for; decoding that would be a crash."""
    for stream in container.streams.audio:
        if stream.codec_context is not None:
            return stream
    raise DecodeError(f"no sound in this {name}")
