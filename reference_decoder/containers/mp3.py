"""MPEG audio, layers I to III: framing, and the notes of encoders (Xing, Info, VBRI) that make it gapless."""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from reference_decoder.containers.framed import next_frame
from reference_decoder.containers.headers import FrameHeader, parse_mpeg
from reference_decoder.containers.items import Cut, Item, Items, Stream
from reference_decoder.errors import DecoderError, TruncatedError
from reference_decoder.source import Source

# Bytes of the smallest frame there is: where bytes were lost, so may frames have been.
_SHORTEST = 24
# Samples by which every decoder of layer III is late.
_DECODER_DELAY = 529


class _Note(NamedTuple):
    """What an encoder left in a frame of its own: its count of frames and bytes (0: unknown), and what to trim."""

    frames: int = 0
    size: int = 0
    skip: int = 0
    padding: int = 0


def _note(frame: bytes, header: FrameHeader) -> _Note | None:
    mono, first = header.channels == 1, header.samples == 1152
    # It stands behind the side information, whose size depends on both.
    if header.family[0] != 3:
        return None
    at = 4 + {(True, False): 9, (False, True): 32}.get((mono, first), 17)
    if frame[at : at + 4] in (b"Xing", b"Info"):
        return _xing(frame[at:])
    return _Note() if frame[36:40] == b"VBRI" else None


def _xing(tag: bytes) -> _Note:
    flags = tag[7] if len(tag) > 7 else 0
    at = 8 + 4 * (flags & 1)
    frames = int.from_bytes(tag[8:12], "big") if flags & 1 else 0
    size = int.from_bytes(tag[at : at + 4], "big") if flags & 2 else 0
    lame = tag[at + 2 * (flags & 2) + 25 * (flags & 4) + (flags & 8) // 2 :]
    if len(lame) < 24 or lame[:4] not in (b"LAME", b"Lavf", b"Lavc"):
        return _Note(frames, size)
    # The delay in front, then the padding at the end, 12 bits each. What the decoder adds in front it takes at the end.
    trims = int.from_bytes(lame[21:24], "big")
    return _Note(frames, size, (trims >> 12) + _DECODER_DELAY, max(0, (trims & 0xFFF) - _DECODER_DELAY))


class _File:
    """One stream: its note, how many frames that says are still to come, and those of them that may hold padding."""

    def __init__(self, header: FrameHeader, note: _Note | None, start: int) -> None:
        self.header, self.note = header, note or _Note()
        self.end = start + self.note.size if self.note.size else 0
        self.left, self.done = self.note.frames, False
        self.held: list[bytes] = []

    @property
    def stream(self) -> Stream:
        # For layers I and II FFmpeg prefers its decoders that reckon with integers.
        codec = ("mp1", "mp2", "mp3float")[self.header.family[0] - 1]
        return Stream("mp3", codec, self.header.rate, self.header.channels, b"", self.note.skip)

    def ended_before(self, start: int, frame: bytes) -> bool:
        """Whether another stream begins here: the note's count is used up, and the frame needs none before it."""
        first = self.header.family[1] == 3
        side = frame[4 if frame[1] & 1 else 6 :][:2]
        reservoir = int.from_bytes(side, "big") >> (7 if first else 8)
        return self.done or (self.left == 0 < self.note.frames and reservoir == 0 and self.end in (0, start))

    def add(self, frame: bytes) -> list[Item]:
        """The packets that are sure to belong, now that this frame does."""
        self.left -= 1
        self.held.append(frame)
        may_pad = 0 <= self.left < ceil(self.note.padding / self.header.samples)
        return [] if may_pad else self.release()

    def release(self) -> list[Item]:
        """The packets that were kept back, as the stream goes on."""
        held, self.held = self.held, []
        return [*held]

    def finish(self) -> list[Item]:
        """The packets that were kept back, as the stream ends; padding goes if none of it is missing."""
        self.done = self.left == 0
        trim = [Cut(len(self.held) * self.header.samples - self.note.padding)] if self.done else []
        return [*trim, *self.release()]


def read(source: Source) -> Items:
    """Frames as packets. A frame that holds an encoder's note begins a new stream, as at the seam of two joined files.

    A count of frames says where its stream's padding is, and never that what goes on behind it does not belong.
    """
    file: _File | None = None
    try:
        while header := (yield from next_frame(source, parse_mpeg, file.header.family if file else None)):
            start = source.offset
            frame = yield from source.take(header.length)
            note = _note(frame, header)
            if note or not file or header.family != file.header.family or file.ended_before(start, frame):
                yield from file.finish() if file else ()
                file = _File(header, note, start)
                yield file.stream
            if not note:
                yield from file.add(frame)
            if len(frame) < header.length:
                raise TruncatedError(f"mp3 frame of {header.length} bytes cut short after {len(frame)}")
            # Nothing more for now: what an utterance ends with is not kept back.
            if file.held and not (yield from source.more()):
                yield from file.finish()
    except DecoderError:
        yield from file.finish() if file else ()
        raise
    yield from file.finish() if file else ()
    if file and file.left > source.lost // _SHORTEST:
        raise TruncatedError(f"mp3 ends {file.left} frames before the end its header tells")
