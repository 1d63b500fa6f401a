"""From bytes to frames: container reader, codec, output. Synchronous, and in the hands of one thread at a time."""

from __future__ import annotations

import struct
from collections.abc import Generator

from av import FFmpegError, Packet
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream

from reference_decoder.codec import codec_for
from reference_decoder.containers.items import Cut, Item, Stream
from reference_decoder.errors import DecodeError, DecoderError, TruncatedError
from reference_decoder.frames import Frame, StreamInfo
from reference_decoder.options import Options
from reference_decoder.output import Output
from reference_decoder.sniffing import read_stream
from reference_decoder.source import Source

# What a damaged file makes a reader or FFmpeg raise.
_DAMAGE = (FFmpegError, ValueError, LookupError, ArithmeticError, MemoryError, struct.error)
# So many blocks are handed over at once.
_TURN = 4
Steps = Generator[list[Frame] | None, None, None]


class Pipeline:
    """Decodes what its source holds, step by step."""

    def __init__(self, options: Options) -> None:
        self.source = Source(options.settings["max_whole"])
        self.info: StreamInfo | None = None
        self.skipped = 0
        self._options = options
        self._items = read_stream(self.source, options)
        self._output = Output(options)
        self._codec: AudioCodecContext | None = None
        self._bad_in_a_row = 0
        self._last_bad: Exception | None = None

    @property
    def position(self) -> int:
        """Samples of one channel that have come out."""
        return self._output.position

    def steps(self) -> Steps:
        """Blocks of frames, and None where more bytes are needed. Errors come after everything before them."""
        try:
            failure = yield from self._run()
            failure = self._finish() or failure
            if not failure and self.position and self._bad_in_a_row:
                failure = TruncatedError(f"{self._name} ends with a packet that cannot be decoded")
                failure.__cause__ = self._last_bad
            yield self.ready()
            if failure and not (self._options.settings["allow_truncated"] and isinstance(failure, TruncatedError)):
                raise failure
            if self.source.offset and not self.position:
                raise DecodeError(f"no sound in {self.source.offset} bytes of {self._name}") from self._last_bad
        finally:
            self.close()

    def flush(self) -> list[Frame]:
        """What has been decoded and is not out yet, for as long as no more bytes come."""
        self._output.flush()
        return self.ready()

    def mark(self) -> list[Frame]:
        """What is there when the input pauses, to the last sample; the codec is not told that it does."""
        self.source.paused = False
        self._output.mark()
        return self.ready()

    def ready(self) -> list[Frame]:
        """Blocks that are full."""
        frames, self._output.ready, self._output.blocks = self._output.ready, [], 0
        return frames

    def close(self) -> None:
        """Free what FFmpeg holds."""
        self._items.close()
        self._codec = None
        self._output.close()

    @property
    def _name(self) -> str:
        return self.info.container if self.info else f"unknown format (declared {self._options.mime})"

    def _run(self) -> Generator[list[Frame] | None, None, DecoderError | None]:
        """Work through the items; returns the error that ended them, if one did."""
        try:
            for item in self._items:
                if item is None:
                    yield None
                    continue
                self._take(item)
                if self._output.blocks >= _TURN:
                    yield self.ready()
        except (DecoderError, *_DAMAGE) as error:
            return self._explained(error)
        return None

    def _explained(self, error: Exception) -> DecoderError:
        if isinstance(error, DecoderError):
            return error
        explained = DecodeError(f"damaged {self._name} before byte {self.source.offset}: {error}")
        explained.__cause__ = error
        return explained

    def _take(self, item: Item) -> None:
        if isinstance(item, Stream):
            self._begin(item)
        elif isinstance(item, Cut):
            self._output.cut(item.samples)
        elif item is not None:
            self._decode(item)

    def _begin(self, stream: Stream) -> None:
        self._end_stream()
        self._output.begin(stream)
        self._codec = codec_for(stream)
        codec = stream.codec.removesuffix("float").removeprefix("lib")
        self.info = self.info or StreamInfo(stream.container, codec, stream.rate, stream.channels)

    def _decode(self, packet: bytes | Packet[AudioStream]) -> None:
        if self._codec is None:
            raise DecodeError("sound before any word of how it is coded")
        try:
            frames = self._codec.decode(Packet(packet)) if isinstance(packet, bytes) else packet.decode()
        except (FFmpegError, ValueError) as error:
            self._refused(error)
            return
        self._bad_in_a_row = 0
        for frame in frames:
            self._output.add(frame)

    def _refused(self, error: Exception) -> None:
        """Go on without the packet, unless nothing but such packets comes."""
        self.skipped += 1
        self._bad_in_a_row += 1
        self._last_bad = error
        if self._bad_in_a_row > self._options.settings["max_bad_packets"]:
            message = f"{self._bad_in_a_row} packets in a row of {self._name} cannot be decoded, before byte "
            raise DecodeError(f"{message}{self.source.offset}") from error

    def _end_stream(self) -> None:
        """Get out of the codec what it held back."""
        codec, self._codec = self._codec, None
        # It is not open where it has not seen a packet.
        for frame in codec.decode(None) if codec and codec.is_open else []:
            self._output.add(frame)

    def _finish(self) -> DecoderError | None:
        try:
            self._end_stream()
            self._output.finish()
        except _DAMAGE as error:
            return self._explained(error)
        return None
