"""FLAC. Its frames do not tell their length: one ends where the header of the next stands."""

from __future__ import annotations

from functools import lru_cache

from reference_decoder.containers.framed import another_file
from reference_decoder.containers.headers import FRAMED, format_of, tag_size
from reference_decoder.containers.items import Items, Stream
from reference_decoder.errors import DecodeError, TruncatedError
from reference_decoder.source import Reading, Source

_LONGEST_HEADER = 16
# A header may be damaged, and the frame before it then seems to hold several: so many numbers are looked past.
_LOOK_AHEAD = 64
_MOST_SAMPLES = 65535


_MAGIC = b"fLaC"


def _crc_table(polynomial: int, bits: int) -> list[int]:
    table = [byte << bits - 8 for byte in range(256)]
    for _ in range(8):
        table = [value << 1 ^ (polynomial if value >> bits - 1 else 0) for value in table]
    return table


_CRC8, _CRC16 = _crc_table(0x107, 8), _crc_table(0x18005, 16)


def _end(data: bytes) -> int:
    """Where the frame ends: where its checksum, its last two bytes, is right, and the data ends or a file begins.

    Else where the next FLAC file begins; 0 where that is nowhere.
    """
    crc = 0
    for at, byte in enumerate(data, 1):
        crc = crc << 8 & 0xFF00 ^ _CRC16[crc >> 8 ^ byte]
        if crc == 0 and (at == len(data) or _begins(data[at : at + _LONGEST_HEADER])):
            return at
    return max(0, data.find(_MAGIC))


def _begins(head: bytes) -> bool:
    return bool(format_of(head) or tag_size(head) or any(parse(head) for parse in FRAMED.values()))


def stream_of(container: str, info: bytes) -> Stream:
    """The stream that FLAC's first metadata block describes; it is what sets up the codec."""
    if len(info) < 34:
        raise DecodeError("FLAC without its first metadata block")
    return Stream(container, "flac", int.from_bytes(info[10:13], "big") >> 4, (info[12] >> 1 & 7) + 1, info[:34])


@lru_cache(64)
def frame_number(head: bytes) -> int | None:
    """The number in the frame header that begins here, None where no valid one does."""
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xFE != 0xF8 or head[3] & 1:
        return None
    extra = max(0, 7 - (head[4] ^ 0xFF).bit_length())
    blocks, rate = head[2] >> 4, head[2] & 15
    size = 5 + extra + {6: 1, 7: 2}.get(blocks, 0) + {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if blocks == 0 or rate == 15 or len(head) <= size:
        return None
    crc = 0
    for byte in head[:size]:
        crc = _CRC8[crc ^ byte]
    if crc != head[size]:
        return None
    number = head[4] & (0x7F if not extra else 0x3F >> extra)
    for byte in head[5 : 5 + extra]:
        number = number << 6 | byte & 0x3F
    return number


def _frame(source: Source, guess: int, shortest: int, longest: int) -> Reading[bytes]:
    """The next frame: all bytes up to a header whose number follows this one's, the next file, or the end.

    b"" after the last. Where the input pauses, all there is, if that is whole.
    """
    while frame_number(head := (yield from source.peek(_LONGEST_HEADER))) is None:
        if (yield from another_file(source)):
            return b""
        yield from source.lose(b"\xff")
    number = frame_number(head) or 0
    # Most frames are about as long as the one before: to look for the end there first costs a fraction.
    at = source.seek(head[:2], max(shortest, guess))
    if at > 0 and frame_number((yield from source.peek(_LONGEST_HEADER, at))) == number + 1:
        return (yield from source.take(at))
    # Frames of a fixed size are counted; else the number is that of the first sample.
    reach = number + _LOOK_AHEAD * (_MOST_SAMPLES if head[1] & 1 else 1)
    at = shortest
    while True:
        at, found = yield from source.find(head[:2], at)
        if at >= longest or not found:
            data = yield from source.peek(min(at, longest))
            if (end := _end(data)) or source.ended or at >= longest:
                return (yield from source.take(end or len(data)))
            yield None
            continue
        following = frame_number((yield from source.peek(_LONGEST_HEADER, at)))
        if following is not None and number < following <= reach:
            return (yield from source.take(at))
        # A number that is no larger is that of a frame of the next file.
        if following is not None and (edge := (yield from source.peek(at)).find(_MAGIC)) > 0:
            return (yield from source.take(edge))
        at += 1


def read(source: Source) -> Items:
    """Frames as packets, each as soon as the next one's header is in. Ends with the file."""
    yield from source.skip(4)
    info, last = b"", False
    while not last:
        head = yield from source.take(4)
        last, size = bool(head[:1] > b"\x7f"), int.from_bytes(head[1:], "big")
        if head[:1] in (b"\x00", b"\x80"):
            info = yield from source.take(size)
        elif len(head) < 4 or (yield from source.skip(size)):
            raise TruncatedError("FLAC ends before its first frame")
    stream = stream_of("flac", info)
    yield stream
    # With room to spare: what the longest block would need if nothing could be compressed.
    longest = 64 + 2 * int.from_bytes(info[2:4], "big") * stream.channels * 4
    # 0 where the encoder could not go back to write it.
    shortest = max(2, int.from_bytes(info[4:7], "big"))
    frame = b""
    while frame := (yield from _frame(source, len(frame) * 7 // 8, shortest, longest)):
        yield frame
