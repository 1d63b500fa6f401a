"""Packets that come one by one, each pushed by itself, with its length in front."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from av.codec import Codec
from av.codec.codec import UnknownCodecError

from reference_decoder.containers.items import Item, Items, Reader, Stream
from reference_decoder.options import Options
from reference_decoder.source import Source

# FFmpeg's decoder, the rate (0: has to be told), and what is silence: repeated for the length of a packet.
_CODECS = {"opus": ("libopus", 48000, b""), "g722": ("g722", 16000, b"\xfa"), "l16": ("pcm_s16be", 0, b"\0")}
_CODECS |= {"pcmu": ("pcm_mulaw", 8000, b"\xff"), "pcma": ("pcm_alaw", 8000, b"\xd5")}


def wrapped(packet: bytes) -> bytes:
    """A packet as the reader wants it. An empty one stands for one that was lost."""
    return len(packet).to_bytes(4, "big") + packet


def packet_reader(options: Options) -> Reader:
    """The reader for packets of a codec. Raises ValueError for one that is not known, or where the rate is missing."""
    name = (options.packets or "").lower().rpartition("/")[2]
    codec, rate, silence = _CODECS.get(name, (name, 0, b""))
    rate, channels = options.settings["input_rate"] or rate, options.settings["input_channels"] or 1
    try:
        Codec(codec, "r")
    except UnknownCodecError:
        raise ValueError(f"unknown codec {name!r}: one of {', '.join(_CODECS)}, or of FFmpeg's decoders") from None
    if name == "l16" and not rate:
        raise ValueError("l16 does not tell the sample rate: say input_rate")
    # Opus wants to know nothing but the channels, and that none of the sound is to be skipped.
    head = b"OpusHead\1" + bytes([channels]) + bytes(9) if name == "opus" else options.extradata
    return partial(_read, stream=Stream("packets", codec, rate, channels, options.extradata or head), silence=silence)


def _read(source: Source, stream: Stream, silence: bytes) -> Items:
    yield stream
    last = b""
    while head := (yield from source.take(4)):
        if size := int.from_bytes(head, "big"):
            last = yield from source.take(size)
            yield last
        elif silence:
            yield silence * len(last) or None
        elif stream.codec == "libopus" and last:
            yield from _concealed(last)


def _concealed(last: bytes) -> Iterator[Item]:
    """Opus packets without contents, which have the decoder go on with what it heard last, for as long as that was."""
    frames = (1, 2, 2, last[1] & 63 if len(last) > 1 else 1)[last[0] & 3]
    yield from [bytes([last[0] & 0xFC])] * frames
