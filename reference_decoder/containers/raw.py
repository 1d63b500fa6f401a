"""Samples without a header: described by arguments or a MIME type; and how any bare samples are cut."""

from __future__ import annotations

from collections.abc import Generator
from email.message import Message
from functools import partial

import numpy as np

from reference_decoder.containers.items import Item, Items, Reader, Stream
from reference_decoder.errors import DecodeError, TruncatedError
from reference_decoder.options import Options
from reference_decoder.source import Source

# Enough to keep the cost of a packet small, little enough to let others have their turn.
_BLOCK = 16 * 1024
_FORMS = {"s8", "u8", "mulaw", "alaw"}
_FORMS |= {f"{kind}{end}e" for kind in ("s16", "u16", "s24", "u24", "s32", "u32", "f32", "f64") for end in "lb"}
# What MIME types and their parameters call them, where that says all.
_CALLED = {name: name for name in _FORMS} | {"basic": "mulaw", "ulaw": "mulaw", "pcmu": "mulaw", "pcma": "alaw"}
_CALLED |= {"l8": "u8", "linear16": "s16le", "float": "f32le"}
_PLAIN = ("pcm", "raw")
# RFC 3551 has the first byte first. Providers often do not: the bytes themselves are asked, if nothing is said.
_NETWORK = {"l16": 16, "l24": 24}
_KNOWN = {"rate": "rate", "clock-rate": "rate", "samplerate": "rate", "sample-rate": "rate", "sample_rate": "rate"}
_KNOWN |= {"channels": "channels", "bits": "bits", "endian": "endian", "ptime": "ptime", "maxptime": "ptime"}
_KNOWN |= {"codec": "form", "encoding": "form", "format": "form"}
# So many samples are listened to at a time, at most so many times, for the one order to be so much smoother.
_HEARD, _PATIENCE, _SMOOTHER = 256, 100, 4


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


def raw_reader(options: Options) -> Reader | None:
    """The reader where `pcm` or the MIME type means bare samples, else None.

    `audio/pcm;rate=24000;channels=1;bits=16` (also `x-pcm`, `raw`; little-endian), `audio/L16;rate=...` and `L24`
    (big-endian, unless `endian=little` or `codec=pcm` says otherwise), `audio/basic`, `audio/PCMU`, `audio/PCMA`; any
    form by `encoding=f32le`. The rate must be given; mu-law and A-law have 8000 Hz. Raises ValueError for a parameter
    that is not understood, or contradicts another.
    """
    kind, told = _parsed(options.mime or "")
    if not (options.settings["pcm"] or kind):
        return None
    form = options.settings["pcm"] or _form(kind, told, options.mime or "")
    if form not in _FORMS:
        raise ValueError(f"pcm is one of {', '.join(sorted(_FORMS))}, not {form!r}")
    law = form in ("mulaw", "alaw")
    rate = _number("rate", told, options.settings["input_rate"]) or (8000 if law else 0)
    channels = _number("channels", told, options.settings["input_channels"]) or 1
    if not rate:
        raise ValueError(f"{options.mime or form!r} does not tell the sample rate: say rate=24000 there, or input_rate")
    align = channels * (1 if law else int(form.strip("sufleb")) // 8)
    doubtful = not options.settings["pcm"] and kind == "l16" and not told.keys() & {"endian", "form"}
    return partial(_read, stream=Stream("raw", f"pcm_{form}", rate, channels), align=align, doubtful=doubtful)


def _parsed(mime: str) -> tuple[str, dict[str, str]]:
    """The kind of bare samples that the MIME type means, "" for none, and its parameters by our names."""
    message = Message()
    message["content-type"] = mime
    kind = message.get_content_subtype().removeprefix("x-")
    if message.get_content_maintype() != "audio" or kind not in (*_CALLED, *_PLAIN, *_NETWORK):
        return "", {}
    told: dict[str, str] = {}
    for name, value in message.get_params([])[1:]:
        key = _KNOWN.get(name.lower())
        if key is None or told.get(key, value) != value:
            raise ValueError(f"{mime!r}: parameter {name}={value} is not understood, or said twice")
        told[key] = value.lower()
    return kind, told


def _form(kind: str, told: dict[str, str], mime: str) -> str:
    bits, order, name = told.get("bits"), told.get("endian"), told.get("form", "").removeprefix("pcm_")
    form = _CALLED.get(kind) if name in ("", *_PLAIN) else _CALLED.get(name, name)
    if form is None:
        # `codec=pcm` is what Google's services say of little-endian samples.
        big = order == "big" or (kind in _NETWORK and not order and not name)
        form = f"s{_NETWORK.get(kind) or bits or 16}{'be' if big else 'le'}"
    width = form.strip("sufleb") if form[-1] == "e" else "8"
    orders = {"le": "little", "be": "big"}
    if form not in _FORMS or bits not in (None, width) or order not in (None, orders.get(form[-2:])):
        raise ValueError(f"{mime!r} is not understood: samples are one of {', '.join(sorted(_FORMS))}")
    return form


def _number(name: str, told: dict[str, str], argument: int | None) -> int:
    """The number that the MIME type or the argument gives; 0 if neither does."""
    value = told.get(name)
    if value is None:
        return argument or 0
    if not value.isdecimal() or not int(value) or argument not in (None, int(value)):
        raise ValueError(f"{name}={value} is no number above 0, or another than input_{name}={argument}")
    return int(value)


def _read(source: Source, stream: Stream, align: int, doubtful: bool) -> Items:
    yield stream
    for _ in range(_PATIENCE if doubtful else 0):
        heard = yield from source.peek(_HEARD * align)
        verdict = _is_little_endian(heard[: len(heard) - len(heard) % align], stream.channels)
        if verdict:
            raise DecodeError("audio/L16 is big-endian, but these bytes are not: say endian=little or pcm='s16le'")
        if verdict is False or len(heard) < _HEARD * align:
            break
        yield (yield from source.take(len(heard)))
    if missing := (yield from read_samples(source, align, None)):
        raise TruncatedError(f"the input ends with {missing} bytes of a sample")


def _is_little_endian(heard: bytes, channels: int) -> bool | None:
    """Whether 16-bit sound is much smoother read that way; None where it is silent, has 8 bits, or is all clipped."""
    few, many = sorted((len(set(heard[::2])), len(set(heard[1::2]))))
    if few < 2 or many < 8:
        return None
    big, little = (np.frombuffer(heard, order).astype(float).reshape(-1, channels) for order in (">i2", "<i2"))
    return bool(_SMOOTHER * np.abs(np.diff(little, axis=0)).sum() < np.abs(np.diff(big, axis=0)).sum())
