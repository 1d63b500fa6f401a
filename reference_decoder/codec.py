"""One of FFmpeg's decoders, set up from what a container says of its stream."""

from __future__ import annotations

from typing import cast

from av import AudioFrame, CodecContext, Packet
from av.audio.codeccontext import AudioCodecContext

from reference_decoder.containers.items import Demuxed, Stream


class Codec:
    """Packets to frames. Raises FFmpeg's own errors."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._context: AudioCodecContext | None = None

    def decode(self, packet: bytes | Demuxed) -> list[AudioFrame]:
        """The frames that come out for a packet; often one."""
        return packet.packet.decode() if isinstance(packet, Demuxed) else self._opened().decode(Packet(packet))

    def rest(self) -> list[AudioFrame]:
        """What the codec held back; it takes no more packets."""
        return self._context.decode(None) if self._context is not None and self._context.is_open else []

    def _opened(self) -> AudioCodecContext:
        """The context, made when the first packet comes: FFmpeg may have one of its own."""
        if self._context is None:
            stream = self._stream
            context = self._context = cast(AudioCodecContext, CodecContext.create(stream.codec, "r"))
            # Threads of FFmpeg's own would come on top of the pool's, and hold frames back.
            context.thread_count = 1
            if stream.extradata:
                context.extradata = stream.extradata
            # Bare samples and telephone codecs do not tell; where the bytes do, they have the last word.
            if stream.rate and stream.channels:
                context.sample_rate, context.layout = stream.rate, f"{stream.channels}c"
        return self._context
