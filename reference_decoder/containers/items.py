"""What container readers yield to the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeAlias

from av import Packet
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream

from reference_decoder.source import Source


@dataclass(frozen=True, slots=True)
class Stream:
    """From here on packets are of this kind, for a codec in its first state.

    `skip`, in samples of one channel at the source's rate, is what an encoder put before the sound; where that ends, a
    `Cut` says. `codec` is the name of one of FFmpeg's decoders.
    """

    container: str
    codec: str
    rate: int = 0
    channels: int = 0
    extradata: bytes = b""
    skip: int = 0


def described(container: str, codec: AudioCodecContext, skip: int = 0) -> Stream:
    """The stream for a codec that FFmpeg has set up."""
    return Stream(container, codec.name, codec.sample_rate, codec.channels, codec.extradata or b"", skip)


@dataclass(frozen=True, slots=True)
class Cut:
    """At most this many more of the codec's samples belong to the stream; where negative, so many of its last do not.

    What goes beyond is dropped when the stream ends. This is the one way to say how much of a stream belongs to it.
    """

    samples: int


# None: the reader needs more bytes. Bytes are a packet. FFmpeg's packets, of a container it has open, know their codec.
Item: TypeAlias = "Stream | Cut | Packet[AudioStream] | bytes | None"
Items = Generator[Item, None, None]
Reader = Callable[[Source], Items]
