"""What container readers yield to the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

from av import Packet
from av.audio.stream import AudioStream

from reference_decoder.source import Source


@dataclass(frozen=True, slots=True)
class Stream:
    """From here on packets are of this kind, for a codec in its first state.

    `skip` and `length`, in samples of one channel at the source's rate: what an encoder put before the sound, and how
    long that sound is, where the container says so. `codec` is the name of one of FFmpeg's decoders.
    """

    container: str
    codec: str
    rate: int = 0
    channels: int = 0
    extradata: bytes = b""
    skip: int = 0
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """At most this many more samples belong to the stream."""

    samples: int


@dataclass(frozen=True, slots=True)
class Discard:
    """So many samples at the end of the next packet do not belong to the stream."""

    samples: int


@dataclass(frozen=True, slots=True)
class Demuxed:
    """A packet of a container that FFmpeg itself has open; it knows its codec."""

    packet: Packet[AudioStream]


# None: the reader needs more bytes. Bytes are a packet.
Item = Stream | Cut | Discard | Demuxed | bytes | None
Items = Generator[Item, None, None]
Reader = Callable[[Source], Items]
