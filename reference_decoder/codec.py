"""One of FFmpeg's decoders, set up from what a container says of its stream."""

from __future__ import annotations

from typing import cast

from av import CodecContext
from av.audio.codeccontext import AudioCodecContext

from reference_decoder.containers.items import Stream


def codec_for(stream: Stream) -> AudioCodecContext:
    """A codec in its first state."""
    codec = cast(AudioCodecContext, CodecContext.create(stream.codec, "r"))
    # Threads of FFmpeg's own would come on top of the pool's, and hold frames back.
    codec.thread_count = 1
    if stream.extradata:
        codec.extradata = stream.extradata
    # Bare samples and telephone codecs do not tell; where the bytes do, they have the last word.
    if stream.rate and stream.channels:
        codec.sample_rate, codec.layout = stream.rate, f"{stream.channels}c"
    return codec
