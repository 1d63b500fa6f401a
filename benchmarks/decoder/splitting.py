"""What FLAC costs, part by part: processor time of one thread, that of a blocking decode with PyAV = 1.

    python -m benchmarks.decoder.splitting               # from the checkout's root

A blocking decode has FFmpeg's own parser, which looks for frames as ours does; and it hands nothing to another thread.
"""

from __future__ import annotations

import asyncio
import io
import statistics
import time
from collections.abc import Callable

import av
from av import CodecContext, Packet

from reference_decoder import AudioStreamDecoder
from reference_decoder.codec import codec_for
from reference_decoder.containers import flac
from reference_decoder.containers.items import Stream
from reference_decoder.options import Options
from reference_decoder.pipeline import Pipeline
from reference_decoder.source import Source
from tests.support.audio import file_of
from tests.support.streaming import cut

_SECONDS, _ROUNDS = 120.0, 9
_KINDS = (("flac 48k stereo", 48000, 2), ("flac 16k mono", 16000, 1))


def _blocking(data: bytes) -> None:
    with av.open(io.BytesIO(data)) as container:
        for frame in container.decode(audio=0):
            frame.to_ndarray()


def _frames(data: bytes, chunk: int) -> tuple[Stream, list[bytes]]:
    """Our splitter alone."""
    source, chunks = Source(1 << 30), iter(cut(data, chunk))
    found: list[object] = []
    for item in flac.read(source):
        if item is None:
            piece = next(chunks, None)
            source.ended = piece is None
            source.append(memoryview(piece or b""))
        else:
            found.append(item)
    stream, *packets = found
    return stream, packets  # type: ignore[return-value]


def _decoded(stream: Stream, packets: list[bytes]) -> None:
    codec = codec_for(stream)
    for packet in packets:
        for frame in codec.decode(Packet(packet)):
            frame.to_ndarray()


def _parsed(data: bytes, chunk: int) -> None:
    """FFmpeg's parser, fed as a stream would feed it, and the codec."""
    codec = CodecContext.create("flac", "r")
    for piece in [*cut(data, chunk), None]:
        for packet in codec.parse(piece):
            for frame in codec.decode(packet):  # type: ignore[attr-defined]
                frame.to_ndarray()


def _pipeline(data: bytes, rate: int, channels: int) -> None:
    """All of the decoder but the loop and the threads."""
    work = Pipeline(Options({"rate": rate, "channels": channels}))
    chunks = iter(cut(data, 2048))
    for frames in work.steps():
        if frames is None:
            piece = next(chunks, None)
            work.source.ended = piece is None
            work.source.append(memoryview(piece or b""))


async def _stream(data: bytes, chunk: int) -> None:
    async with AudioStreamDecoder() as decoder:

        async def feed() -> None:
            for piece in cut(data, chunk):
                await decoder.feed(piece)
            decoder.end_input()

        feeding = asyncio.create_task(feed())
        async for _ in decoder:
            pass
        await feeding


def _cost(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def main() -> None:
    """Print a row for each part: the median of its ratio to the blocking decode beside it, and the least of both."""
    for kind, rate, channels in _KINDS:
        data = file_of(kind, _SECONDS)
        stream, packets = _frames(data, 2048)
        parts: dict[str, Callable[[], object]] = {
            "codec alone, frames already split": lambda s=stream, p=packets: _decoded(s, p),  # type: ignore[misc]
            "our splitter alone": lambda d=data: _frames(d, 2048),  # type: ignore[misc]
            "FFmpeg's parser and codec": lambda d=data: _parsed(d, 2048),  # type: ignore[misc]
            "pipeline, no threads": lambda d=data, r=rate, c=channels: _pipeline(d, r, c),  # type: ignore[misc]
            "decoder, chunks of 2 KiB": lambda d=data: asyncio.run(_stream(d, 2048)),  # type: ignore[misc]
            "decoder, chunks of 16 KiB": lambda d=data: asyncio.run(_stream(d, 16384)),  # type: ignore[misc]
        }
        for name, work in parts.items():
            pairs = [(_cost(lambda d=data: _blocking(d)), _cost(work)) for _ in range(_ROUNDS)]  # type: ignore[misc]
            middle = statistics.median(mine / block for block, mine in pairs)
            least = min(mine for _, mine in pairs) / min(block for block, _ in pairs)
            print(f"{kind}: {name}: {middle:.2f} (least of both {least:.2f})", flush=True)


if __name__ == "__main__":
    main()
