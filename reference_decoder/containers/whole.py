"""Formats that can only be read as a whole: gathered up to a limit, then decoded by FFmpeg's own demuxer."""

from __future__ import annotations

from io import BytesIO

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from reference_decoder.containers.items import Items, described
from reference_decoder.errors import DecodeError, NotStreamableError
from reference_decoder.source import Source

_PIECE = 1 << 16


def read_whole(source: Source, name: str, prefix: bytes = b"") -> Items:
    """Wait for the end of the input, then yield FFmpeg's packets. `prefix` stands for what has been read already.

    `name` is that of FFmpeg's demuxer; what follows a slash is for people.
    """
    file = BytesIO()
    file.write(prefix)
    while piece := (yield from source.some(_PIECE)):
        if file.tell() + len(piece) > source.limit:
            raise NotStreamableError(f"{name} of this kind has to be read whole; the limit is {source.limit} bytes")
        file.write(piece)
    file.seek(0)
    try:
        container = av.open(file, "r", format=name.partition("/")[0])
    except av.FFmpegError as error:
        raise DecodeError(f"{name} cannot be opened") from error
    with container:
        stream = first_stream(container, name)
        yield described(name, stream.codec_context)
        yield from container.demux(stream)


def first_stream(container: InputContainer, name: str) -> AudioStream:
    """The first with sound. A cut file can have one that FFmpeg has no codec for; decoding that would be a crash."""
    for stream in container.streams.audio:
        if stream.codec_context is not None:
            return stream
    raise DecodeError(f"no sound in this {name}")
