"""The public class: push bytes, iterate over frames."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterable
from typing import Any

from reference_decoder.frames import Frame, Statistics, StreamInfo
from reference_decoder.handover import Handover
from reference_decoder.options import Options
from reference_decoder.pipeline import Pipeline


class AudioStreamDecoder:
    """Decodes audio that arrives in chunks of any size, in worker threads, for one event loop.

        async with AudioStreamDecoder(rate=48000, channels=1) as decoder:
            await decoder.feed(chunk)      # or push(chunk), which never waits, and `await drain()` now and then
            decoder.end_input()
            async for frame in decoder:
                ...

    Made, and used, where the loop runs. One task iterates; it may be the one that feeds only if all input fits.

    - `mime`: a hint. The bytes decide, but for bare samples, which have no header: `audio/pcm;rate=24000;channels=1`.
      With `strict`, bytes that are not what it says raise `MimeMismatchError`.
    - `rate`, `channels`: of the output; by default those of the first frame decoded. They never change.
    - `dtype`: "int16" or "float32". `layout`: "interleaved" for `(n, channels)`, "planar" for `(channels, n)`.
    - `frame_ms`: the exact length of frames, but for the last; by default they are as they come.
    - `max_input`: bytes that may wait before `drain` and `feed` wait. `max_buffered`: seconds of decoded sound that
      may wait before decoding pauses. `max_whole`: bytes of a file that has to be read whole before it can be decoded.
    - `max_bad_packets`: damaged packets are skipped and counted; more in a row than this end the stream with an error.
    - `allow_truncated`: input that ends in the middle of something is no error.
    """

    def __init__(
        self,
        mime: str | None = None,
        *,
        rate: int | None = None,
        channels: int | None = None,
        dtype: str = "int16",
        layout: str = "interleaved",
        frame_ms: float | None = None,
        max_input: int = 256 * 1024,
        max_buffered: float = 2.0,
        max_whole: int = 32 * 1024 * 1024,
        max_bad_packets: int = 100,
        strict: bool = False,
        allow_truncated: bool = False,
    ) -> None:
        limits = (max_input, max_buffered, max_whole, max_bad_packets)
        options = Options(mime, rate, channels, dtype, layout, frame_ms, *limits, strict, allow_truncated)
        self._pipeline = Pipeline(options)
        self._handover = Handover(self._pipeline, max_input, max_buffered)
        self._iterating = False
        self._pump: asyncio.Task[None] | None = None

    def push(self, data: bytes | bytearray | memoryview) -> None:
        """Add input; never waits. Raises `ClosedError` after `end_input` or `close`, or what ended the stream."""
        self._handover.push(bytes(data))

    async def drain(self) -> None:
        """Wait while more than `max_input` bytes wait to be decoded. Raises as `push` does."""
        await self._handover.room()

    async def feed(self, data: bytes | bytearray | memoryview) -> None:
        """`push`, then `drain`."""
        self.push(data)
        await self.drain()

    def end_input(self) -> None:
        """No more input. What has been pushed is decoded, then the iteration ends."""
        self._handover.end()

    feed_eof = end_input

    def set_exception(self, error: BaseException) -> None:
        """The source of the input failed: after what has been pushed, the iteration raises `error`."""
        self._handover.end(error)

    def __aiter__(self) -> AudioStreamDecoder:
        return self

    async def __anext__(self) -> Frame:
        if self._iterating:
            raise RuntimeError("another task is waiting for the next frame")
        self._iterating = True
        try:
            frame = await self._handover.take()
        finally:
            self._iterating = False
        if frame is None:
            raise StopAsyncIteration
        return frame

    def close(self) -> None:
        """Stop at once; frames not taken are lost. Whoever iterates sees the end. May be called again."""
        self._handover.close()

    async def aclose(self) -> None:
        """`close`, and the end of the task that reads the source, where `decode_stream` started one."""
        self.close()
        # `gather` rather than a bare `await`: that would raise the pump's own end here.
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)

    async def __aenter__(self) -> AudioStreamDecoder:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @property
    def info(self) -> StreamInfo | None:
        """What the input turned out to be, as soon as that is known."""
        return self._pipeline.info

    def statistics(self) -> Statistics:
        """Counts at this moment."""
        return self._handover.statistics()

    def __del__(self) -> None:
        # Where the constructor raised there is none.
        handover = getattr(self, "_handover", None)
        if handover is not None and handover.abandon():
            warnings.warn(f"{type(self).__name__} was not closed", ResourceWarning, source=self, stacklevel=1)


def decode_stream(source: AsyncIterable[bytes], mime: str | None = None, **options: Any) -> AudioStreamDecoder:  # noqa: ANN401
    """A decoder that reads `source` by itself. An error of the source is raised by the iteration, after the frames.

        async with decode_stream(response.aiter_bytes(), rate=16000) as frames:
            async for frame in frames:
                ...

    Use it with `async with`: leaving it closes both ends. The options are those of `AudioStreamDecoder`.
    """
    decoder = AudioStreamDecoder(mime, **options)
    decoder._pump = asyncio.create_task(_pump(source, decoder))
    return decoder


async def _pump(source: AsyncIterable[bytes], decoder: AudioStreamDecoder) -> None:
    try:
        async for chunk in source:
            await decoder.feed(chunk)
        decoder.end_input()
    except Exception as error:
        decoder.set_exception(error)
    finally:
        if close := getattr(source, "aclose", None):
            await close()
