"""Samples without a header, described by the parameters of their MIME type; and how any bare samples are cut."""

from __future__ import annotations

from collections.abc import Generator
from email.message import Message
from functools import partial

from reference_decoder.containers.items import Item, Items, Reader, Stream
from reference_decoder.errors import TruncatedError
from reference_decoder.source import Source

# Enough to keep the cost of a packet small, little enough to let others have their turn.
_BLOCK = 16 * 1024
_LAW = {"basic": "mulaw", "mulaw": "mulaw", "pcmu": "mulaw", "alaw": "alaw", "pcma": "alaw"}
_WIDTH = {"l8": 8, "l16": 16, "l24": 24}


def block_size(align: int) -> int:
    """How many bytes of samples, of `align` bytes each, make a good packet."""
    return _BLOCK - _BLOCK % align or align


def read_samples(source: Source, align: int, size: int | None) -> Generator[Item, None, int]:
    """Packets of whole samples, `size` bytes in all or until the input ends. Returns how many bytes are missing."""
    most = block_size(align)
    if size is None:
        while block := (yield from source.some(most, align)):
            yield block
        return len((yield from source.take(align)))
    while size >= align and (block := (yield from source.some(min(most, size), align))):
        size -= len(block)
        yield block
    return (yield from source.skip(size))


def raw_reader(mime: str) -> Reader | None:
    """The reader for a MIME type that means bare samples, None for any other.

    `audio/pcm;rate=24000;channels=1;bits=16`, `audio/L16;rate=...` (big-endian, as RFC 3551 has it, unless
    `endian=little` says otherwise), `audio/basic`, `audio/PCMU`, `audio/PCMA`. The rate must be given; mu-law and A-law
    have 8000 Hz.
    """
    message = Message()
    message["content-type"] = mime
    main, kind = message.get_content_maintype(), message.get_content_subtype()
    parameters = {name.lower(): value for name, value in message.get_params([]) if name}
    law = _LAW.get(kind.removeprefix("x-"))
    if main != "audio" or not (law or kind == "pcm" or kind in _WIDTH):
        return None
    rate = int(parameters.get("rate") or parameters.get("clock-rate") or (8000 if law else 0))
    channels = int(parameters.get("channels", 1))
    if rate <= 0 or channels <= 0:
        raise ValueError(f"{mime!r} does not tell the sample rate: say {main}/{kind};rate=24000")
    bits = 8 if law else _WIDTH.get(kind) or int(parameters.get("bits", 16))
    order = parameters.get("endian", "big" if kind in _WIDTH else "little")
    codec = f"pcm_{law}" if law else _codec(bits, order)
    return partial(_read, stream=Stream("raw", codec, rate, channels), align=channels * bits // 8)


def _codec(bits: int, order: str) -> str:
    if bits not in (8, 16, 24, 32) or order not in ("big", "little"):
        raise ValueError(f"samples of {bits} bits, {order}-endian")
    return "pcm_s8" if bits == 8 else f"pcm_s{bits}{order[0]}e"


def _read(source: Source, stream: Stream, align: int) -> Items:
    yield stream
    if missing := (yield from read_samples(source, align, None)):
        raise TruncatedError(f"the input ends with {missing} bytes of a sample")
