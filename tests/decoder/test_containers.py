"""What is in a container comes out: laced blocks, priming, and every format that FFmpeg reads."""

from __future__ import annotations

import io
import itertools
import struct

import av
import numpy as np
import pytest

from reference_decoder import AudioStreamDecoder, DecodeError, UnknownFormatError
from reference_decoder.containers import webm
from reference_decoder.containers.headers import WHOLE
from tests.decoder.test_errors import outcome
from tests.support.audio import KINDS, encode, file_of, reference, tone
from tests.support.streaming import Run, cut, decode, joined, until_idle


def vint(value: int, length: int = 8) -> bytes:
    return (value | 1 << 7 * length).to_bytes(length, "big")


def element(kind: int, content: bytes) -> bytes:
    return kind.to_bytes((kind.bit_length() + 7) // 8, "big") + vint(len(content)) + content


def signed(value: int) -> bytes:
    """EBML's signed differences, in two bytes."""
    return vint(value + (1 << 13) - 1, 2)


def xiph(sizes: list[int]) -> bytes:
    return b"".join(b"\xff" * (size // 255) + bytes([size % 255]) for size in sizes[:-1])


def ebml(sizes: list[int]) -> bytes:
    steps = [after - before for before, after in itertools.pairwise(sizes[:-1])]
    return vint(sizes[0], 2) + b"".join(map(signed, steps))


LACINGS = {"xiph": (2, xiph), "ebml": (6, ebml), "fixed": (4, lambda sizes: b"")}


def frames_and_head(kind: str) -> tuple[bytes, list[bytes]]:
    """What stands before the first cluster, and the frames of all blocks."""
    data = file_of(kind)
    with av.open(io.BytesIO(data)) as file:
        packets = [bytes(packet) for packet in file.demux(audio=0) if packet.size]
    return data[: data.index(b"\x1f\x43\xb6\x75")], packets


def laced(kind: str, lacing: str, at_once: int, front: bytes = b"") -> bytes:
    head, frames = frames_and_head(kind)
    # The segment's size is not known any more.
    at = head.index(b"\x18\x53\x80\x67") + 4
    head = head[:at] + b"\x01" + b"\xff" * 7 + head[at + 8 :]
    flag, sizes_of = LACINGS[lacing]
    blocks = []
    # Frames of one length only, for a lacing that does not tell their lengths.
    for _, alike in itertools.groupby(frames, len if lacing == "fixed" else lambda frame: 0):
        stripped = [frame.removeprefix(front) for frame in alike]
        for group in (stripped[start : start + at_once] for start in range(0, len(stripped), at_once)):
            lace = bytes([flag, len(group) - 1]) + sizes_of([*map(len, group)]) if len(group) > 1 else b"\0"
            blocks.append(element(0xA3, b"\x81\0\0" + lace + b"".join(group)))
    return head + element(0x1F43B675, element(0xE7, b"\0") + b"".join(blocks))


@pytest.mark.parametrize("at_once", [2, 3, 8])
@pytest.mark.parametrize("lacing", LACINGS)
@pytest.mark.parametrize("kind", ["webm opus", "webm vorbis", "mkv mp3", "mkv aac"])
def test_laced_blocks(kind: str, lacing: str, at_once: int, run_once: Run) -> None:
    data = laced(kind, lacing, at_once)
    got, expected = joined(run_once(decode(cut(data, 777)))), reference(data)
    assert np.array_equal(got, expected[: len(got)])
    # What is not told here any more is how much of the last packet belongs.
    assert len(expected) - len(got) < 1024
    assert len(got) > 1.2 * KINDS[kind][2]


def test_a_lacing_that_is_damaged(run_once: Run) -> None:
    data = laced("webm opus", "xiph", 3)
    lace = data.index(b"\x81\0\0\x02\x02", 2000)
    samples, failure = run_once(outcome([data[: lace + 5] + b"\xff" * 200 + data[lace + 205 :]]))
    assert isinstance(failure, DecodeError)
    assert "shorter than its frames" in str(failure)
    assert samples is not None
    # A size that does not end in the block.
    whole = element(0xA3, b"\x81\0\0\x02\x02" + b"\xff" * 300)
    _, failure = run_once(outcome([data + whole]))
    assert isinstance(failure, DecodeError)
    assert "shorter than its frames" in str(failure)


def test_frames_without_what_all_begin_with(run_once: Run) -> None:
    """Matroska's only compression that is in use for sound: the beginning of all frames is told once."""
    whole = laced("mkv mp3", "xiph", 1, b"\xff\xfb")
    packing = element(0x5034, element(0x4254, b"\3") + element(0x4255, b"\xff\xfb"))
    note = element(0x6D80, element(0x6240, packing))
    start = whole.rindex(b"\x16\x54\xae\x6b", 0, whole.index(b"\x1f\x43\xb6\x75"))
    size, end = webm._vint(whole, start + 4, False)
    entry = dict(webm._children(whole[end : end + size]))[0xAE]
    rebuilt = whole[:start] + element(0x1654AE6B, element(0xAE, entry + note)) + whole[end + size :]
    got = joined(run_once(decode(cut(rebuilt, 1000))))
    assert np.array_equal(got, reference(rebuilt)[: len(got)])
    assert np.array_equal(got, reference(laced("mkv mp3", "xiph", 1))[: len(got)])
    assert len(got) > 1.2 * 44100


def without_edit_list(data: bytes, note: bytes = b"") -> bytes:
    """An m4a as iTunes once made them: a note in the place of an edit list."""
    at = data.index(b"edts") - 4
    data = data[: at + 4] + b"free" + data[at + 8 :]
    return data.replace(b"free", b"free", 1) if not note else with_note(data, note)


def with_note(data: bytes, note: bytes) -> bytes:
    """The index grows at its end, by boxes that say the same as Apple's."""
    mean = struct.pack(">I4sI", 28, b"mean", 0) + b"com.apple.iTunes"
    name = struct.pack(">I4sI", 20, b"name", 0) + b"iTunSMPB"
    value = struct.pack(">I4sII", 16 + len(note), b"data", 1, 0) + note
    free = struct.pack(">I4s", 8 + len(mean + name + value), b"----") + mean + name + value
    items = struct.pack(">I4s", 8 + len(free), b"ilst") + free
    handler = struct.pack(">I4sII4s4sIIB", 33, b"hdlr", 0, 0, b"mdir", b"appl", 0, 0, 0)
    meta = struct.pack(">I4sI", 12 + len(handler + items), b"meta", 0) + handler + items
    user = struct.pack(">I4s", 8 + len(meta), b"udta") + meta
    start = data.index(b"moov") - 4
    size = int.from_bytes(data[start : start + 4], "big")
    moov = bytearray(struct.pack(">I", size + len(user)) + data[start + 4 : start + size] + user)
    # The samples now stand further back.
    table = moov.index(b"stco") + 8
    for place in range(table + 4, table + 4 + 4 * int.from_bytes(moov[table : table + 4], "big"), 4):
        moov[place : place + 4] = (int.from_bytes(moov[place : place + 4], "big") + len(user)).to_bytes(4, "big")
    return data[:start] + bytes(moov) + data[start + size :]


@pytest.mark.parametrize("edited", [False, True])
def test_priming_that_apples_note_tells(edited: bool, run_once: Run) -> None:
    note = b" 00000000 00000400 00000158 %016X 00000000 00000000 00000000 00000000" % 56986
    plain = file_of("m4a index first")
    data = with_note(plain, note) if edited else without_edit_list(plain, note)
    got = joined(run_once(decode(cut(data, 999))))
    assert got.shape == (56986, 2)
    # The note's beginning is skipped by every FFmpeg; its end by new ones only.
    assert np.array_equal(got, reference(data)[:56986])


def as_file(container: str, codec: str, rate: int) -> bytes:
    return encode(tone(1.0, rate, 2), rate, container, codec, bit_rate=96000)


# Container, codec, rate; what it is called, and whether its frames come while it does.
OTHERS = [
    ("wv", "wavpack", 44100, "wv", False),
    ("tta", "tta", 44100, "tta", False),
    ("voc", "pcm_s16le", 44100, "voc", False),
    ("w64", "pcm_s16le", 44100, "w64", False),
    ("sox", "pcm_s32le", 44100, "sox", False),
    ("ircam", "pcm_s16le", 44100, "ircam", False),
    ("ast", "pcm_s16be_planar", 44100, "ast", False),
    ("au", "pcm_s16be", 44100, "au", False),
    ("asf", "wmav2", 44100, "asf", False),
    ("avi", "mp2", 44100, "avi", False),
    ("flv", "aac", 44100, "flv", False),
    ("mpegts", "aac", 44100, "mpegts", False),
    ("mpegts", "mp2", 48000, "mpegts", False),
    ("vob", "mp2", 48000, "mpeg", False),
    ("mov", "pcm_s16le", 44100, "mp4", False),
    ("latm", "aac", 44100, "loas", False),
    ("ac3", "ac3", 48000, "ac3", False),
    ("ac3", "ac3", 44100, "ac3", False),
    ("eac3", "eac3", 48000, "ac3", False),
    ("mp2", "mp2", 44100, "mp3", True),
    ("mp2", "mp2", 24000, "mp3", True),
]


@pytest.mark.parametrize(("container", "codec", "rate", "name", "streamed"), OTHERS)
def test_other_formats(container: str, codec: str, rate: int, name: str, streamed: bool, run_once: Run) -> None:
    data = as_file(container, codec, rate)

    async def half() -> int:
        async with AudioStreamDecoder() as decoder:
            decoder.push(data[: len(data) // 2])
            await until_idle(decoder)
            assert not decoder.info or decoder.info.container == name
            return decoder.statistics().samples_decoded

    assert bool(run_once(half())) == streamed
    got, failure = run_once(outcome(cut(data, 1500)))
    assert failure is None
    expected = reference(data)
    assert np.array_equal(got[: len(expected)], expected[: len(got)])
    assert abs(len(got) - len(expected)) <= 1152 * (codec == "mp2" and container != "mp2")


def test_layer_one(run_once: Run) -> None:
    """FFmpeg does not encode it. Frames without a single sample that is not zero are but their headers."""
    # Version 1, layer I, 32 kbit/s, 32 kHz, mono: 48 bytes for 384 samples.
    frame = b"\xff\xff\x18\xc0" + bytes(44)
    got, failure = run_once(outcome([frame * 20]))
    assert failure is None
    assert np.array_equal(got, reference(frame * 20, container="mp3"))
    assert len(got) == 20 * 384


def test_every_row_is_a_format_of_ffmpegs() -> None:
    assert set(WHOLE) - av.formats_available == {"webm"} - av.formats_available


FOREIGN = {
    "JSON": b'{"error": {"message": "quota exceeded for this month"}}',
    "HTML": b"\n<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>",
    "XML": b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    "MIDI": b"MThd\0\0\0\6\0\1\0\2\1\xe0MTrk" + bytes(40),
    "a playlist": b"#EXTM3U\n#EXT-X-VERSION:3\n",
    "gzip": b"\x1f\x8b\x08" + bytes(60),
    "server-sent events": b'data: {"audio": "//uQxAAAAAAAAAAAAAAA"}\n\n',
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_sound_is_named(name: str, run_once: Run) -> None:
    data = FOREIGN[name] * 3
    _, failure = run_once(outcome(cut(data, 100)))
    assert isinstance(failure, UnknownFormatError)
    assert f"unknown format ({name})" in str(failure)
    assert repr(data[:80]) in str(failure)
    assert all(name in str(failure) for name in ("mp3", "flac", "ac3", "mpegts", "pcm"))
