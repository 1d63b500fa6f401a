"""The public class: push bytes, iterate over frames."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterable
from typing import TYPE_CHECKING

from reference_decoder.containers.packets import wrapped
from reference_decoder.errors import DecodeError, SourceError
from reference_decoder.frames import Frame, Statistics, StreamInfo, joined
from reference_decoder.handover import Handover
from reference_decoder.options import Options, Settings
from reference_decoder.pipeline import Pipeline

if TYPE_CHECKING:
    from typing_extensions import Unpack


class AudioStreamDecoder:
    """Decodes audio that arrives in chunks of any size, in worker threads, for one event loop.

        async with AudioStreamDecoder(rate=48000, channels=1) as decoder:
            await decoder.feed(chunk)      # or push(chunk), which never waits, and `await drain()` now and then
            decoder.end_input()
            async for frame in decoder:
                ...

    Made, and used, where the loop runs. One task iterates; it may be the one that feeds only if all input fits.
    `mime` is a hint: the bytes decide, but for bare samples, which have no header: `audio/pcm;rate=24000;channels=1`.
    All other arguments are `Settings`. Raises ValueError for those that make no sense.
    """

    def __init__(self, mime: str | None = None, **settings: Unpack[Settings]) -> None:
        self._begin(Options(settings, mime))

    def _begin(self, options: Options) -> None:
        self._pipeline = Pipeline(options)
        self._handover = Handover(self._pipeline, options.settings["max_input"], options.settings["max_buffered"])
        self._iterating = False
        self._pump: asyncio.Task[None] | None = None

    def push(self, data: bytes | bytearray | memoryview) -> None:
        """Add input; never waits. Raises `ClosedError` after `end_input` or `close`, or what ended the stream."""
        self._handover.push(bytes(data))

    async def drain(self) -> None:
        """Wait while more than `max_input` bytes wait to be decoded. Raises as `push` does."""
        self._handover.check_loop()
        await self._handover.room()

    async def feed(self, data: bytes | bytearray | memoryview) -> None:
        """`push`, then `drain`."""
        self.push(data)
        await self._handover.room()

    def end_input(self) -> None:
        """No more input. What has been pushed is decoded, then the iteration ends."""
        self._handover.end()

    feed_eof = end_input

    def flush(self) -> None:
        """Mark the end of an utterance: all that was pushed so far comes out, to the last sample, and then goes on.

        The last of its frames has `last` set, and is shorter than `frame_ms` where that does not fit; where all of them
        are out already, an empty one comes. What is not whole yet, as half a packet, belongs to what follows.
        """
        self._handover.mark()

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
        if self._pump is not None:
            self._pump.cancel()

    async def aclose(self) -> None:
        """`close`, and the end of the task that reads the source, where `decode_stream` started one."""
        self.close()
        self._handover.check_loop()
        # Not where that source closes its own decoder: it cannot wait for itself.
        if self._pump is not None and self._pump is not asyncio.current_task():
            # `gather` rather than a bare `await`: that would raise the pump's own end here.
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

    def __repr__(self) -> str:
        info, counts = self.info, self.statistics()
        what = f"{info.container}/{info.codec}, {info.rate} Hz, {info.channels} channel(s)" if info else "nothing known"
        waiting = f"{counts.bytes_waiting} bytes and {counts.seconds_buffered:.2f} s waiting"
        return f"<{type(self).__name__}: {what}, {counts.samples_decoded} samples decoded, {waiting}>"

    def __del__(self) -> None:
        # Where the constructor raised there is none.
        handover = getattr(self, "_handover", None)
        if handover is not None and handover.abandon():
            warnings.warn(f"{type(self).__name__} was not closed", ResourceWarning, source=self, stacklevel=1)


class AudioPacketDecoder(AudioStreamDecoder):
    """Decodes packets that come one by one, without a container: from RTP, or from a voice service.

        async with AudioPacketDecoder("opus", rate=16000) as decoder:
            decoder.push(packet)           # one whole packet each
            decoder.lost()                 # in the place of one that did not come
            ...

    `codec` is "opus", "g722", "pcmu", "pcma", "l16", or the name of one of FFmpeg's decoders; a MIME type will do. The
    rest is as with `AudioStreamDecoder`. `input_rate` and `input_channels` are the packets', where the codec has no
    rate of its own; `extradata` is what it wants to know beforehand. Raises ValueError for a codec that is not known.
    """

    def __init__(self, codec: str, extradata: bytes = b"", **settings: Unpack[Settings]) -> None:
        self._begin(Options(settings, packets=codec, extradata=extradata))

    def push(self, data: bytes | bytearray | memoryview) -> None:
        """Add one packet; never waits. Raises as `AudioStreamDecoder.push` does."""
        super().push(wrapped(bytes(data)) if data else b"")

    def lost(self, count: int = 1) -> None:
        """So many packets did not come: Opus fills in what it guesses, the others are silent for as long."""
        super().push(wrapped(b"") * count)


async def decode(data: bytes, mime: str | None = None, **settings: Unpack[Settings]) -> Frame:
    """All the sound of a whole file, as one frame. Raises what ends a stream early; `DecodeError` for no input."""
    async with AudioStreamDecoder(mime, **settings) as decoder:
        decoder.push(data)
        decoder.end_input()
        frames = [frame async for frame in decoder]
    if not frames:
        raise DecodeError("no input")
    return joined(frames)


def decode_stream(
    source: AsyncIterable[bytes], mime: str | None = None, **settings: Unpack[Settings]
) -> AudioStreamDecoder:
    """A decoder that reads `source` by itself. An error of the source is raised by the iteration, after the frames.

        async with decode_stream(response.aiter_bytes(), rate=16000) as frames:
            async for frame in frames:
                ...

    Use it with `async with`: leaving it closes both ends. The settings are those of `AudioStreamDecoder`.
    """
    decoder = AudioStreamDecoder(mime, **settings)
    decoder._pump = asyncio.create_task(_pump(source, decoder))
    return decoder


async def _pump(source: AsyncIterable[bytes], decoder: AudioStreamDecoder) -> None:
    try:
        async for chunk in source:
            await decoder.feed(chunk)
        decoder.end_input()
    except asyncio.CancelledError:
        # Were the iteration to raise this, its task would seem to be the one that was cancelled.
        decoder.set_exception(SourceError("the source was cancelled before its end"))
        raise
    except BaseException as error:
        decoder.set_exception(error)
    finally:
        if close := getattr(source, "aclose", None):
            await close()
