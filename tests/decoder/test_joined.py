"""Streams one behind another play whole: each as it would alone."""

from __future__ import annotations

import asyncio
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_decoder import TruncatedError
from tests.decoder.test_errors import outcome
from tests.support.audio import KINDS, encode, file_of, reference, tone, wav
from tests.support.streaming import Run, cut, decode, joined, run_on

OTHERS = {
    "mp3 24k untagged": ("mp3", "libmp3lame", 24000, 1, 64000, {"write_xing": "0", "id3v2_version": "0"}),
    "mp3 44k untagged": ("mp3", "libmp3lame", 44100, 2, 128000, {"write_xing": "0", "id3v2_version": "0"}),
    "flac 48k mono": ("flac", "flac", 48000, 1, None, {}),
    "flac 16k stereo": ("flac", "flac", 16000, 2, None, {}),
    "webm opus stereo": ("webm", "libopus", 48000, 2, 64000, {}),
    "m4a 24k index first": ("mp4", "aac", 24000, 1, 64000, {"movflags": "faststart"}),
    "m4a 24k index last": ("mp4", "aac", 24000, 1, 64000, {}),
    "mp2 44k": ("mp2", "mp2", 44100, 2, 128000, {}),
    "wav ima 22k": ("wav", "adpcm_ima_wav", 22050, 1, None, {}),
    "wav ms 44k": ("wav", "adpcm_ms", 44100, 2, None, {}),
    "wav mp3 inside": ("wav", "libmp3lame", 44100, 2, 128000, {}),
}


@cache
def sound(kind: str, seconds: float = 0.6) -> bytes:
    if kind.startswith("endless "):
        plain = sound(kind.removeprefix("endless "), seconds)
        at = plain.index(b"data")
        return plain[:4] + b"\xff" * 4 + plain[8 : at + 4] + b"\xff" * 4 + plain[at + 8 :]
    if kind in KINDS:
        return file_of(kind, seconds)
    container, codec, rate, channels, bit_rate, options = OTHERS[kind]
    return encode(tone(seconds, rate, channels), rate, container, codec, bit_rate=bit_rate, **options)


@cache
def alone(kind: str, rate: int, channels: int, seconds: float = 0.6) -> np.ndarray:
    """What a blocking decode makes of it, without the padding that the file tells of."""
    ours = joined(run_on(asyncio.new_event_loop, decode([sound(kind, seconds)], rate=rate, channels=channels), False))
    # A blocking decode does not skip the damage at an endless file's end.
    blocking = reference(sound(kind.removeprefix("endless "), seconds), rate, channels)
    native = KINDS.get(kind.removeprefix("endless ")) or OTHERS[kind.removeprefix("endless ")]
    # Where padding goes, a resampler ends elsewhere.
    same = len(ours) if native[2] == rate else len(ours) - 64
    assert np.array_equal(ours[:same], blocking[:same])
    return ours


FAMILIES = {
    "mp3": ["mp3 24k mono", "mp3 44k stereo", "mp3 24k untagged", "mp3 44k untagged", "mp2 44k"],
    "adts": ["aac 24k mono", "aac 44k stereo"],
    "flac": ["flac 16k mono", "flac 48k stereo", "flac 48k mono", "flac 16k stereo"],
    "ogg": ["ogg opus mono", "ogg opus stereo", "ogg vorbis", "ogg flac"],
    "webm": ["webm opus", "webm opus live", "webm opus stereo", "webm vorbis", "mkv flac"],
    "mp4": ["m4a index first", "m4a 24k index first", "m4a index last", "m4a 24k index last", "m4a fragments",
            "m4a fragments, own offsets", "m4a opus"],
    "wav": ["wav 24k mono", "wav 44k stereo", "endless wav 24k mono", "endless wav 44k stereo", "wav adpcm",
            "wav ima 22k", "wav ms 44k", "wav mp3 inside", "endless wav adpcm", "endless wav mp3 inside"],
}  # fmt: skip
PAIRS = [(first, second) for kinds in FAMILIES.values() for first in kinds for second in kinds]
MIXED = [(a[0], b[0]) for a in FAMILIES.values() for b in FAMILIES.values() if a is not b]


def marked(first: str, second: str) -> bool:
    """Whether the bytes tell where the second begins: if not, the codec goes on, as in a blocking decode of both."""
    unmarked = ("mp3 24k untagged", "mp3 44k untagged", "aac 24k mono", "aac 44k stereo", "mp2 44k")
    return first != second or second not in unmarked


def expected(kinds: tuple[str, ...], rate: int, channels: int) -> np.ndarray:
    return np.concatenate([alone(kind, rate, channels) for kind in kinds])


def native(kind: str) -> tuple[int, int]:
    return (KINDS.get(kind.removeprefix("endless ")) or OTHERS[kind.removeprefix("endless ")])[2:4]


@pytest.mark.parametrize(("first", "second"), PAIRS + MIXED)
def test_pairs(first: str, second: str, run_once: Run) -> None:
    data = sound(first) + sound(second)
    rate, channels = native(first) if native(first) == native(second) else (48000, 1)
    got, failure = run_once(outcome(cut(data, 1777), rate=rate, channels=channels))
    assert failure is None
    wanted = expected((first, second), rate, channels) if marked(first, second) else reference(data, rate, channels)
    assert got.shape == wanted.shape
    assert np.array_equal(got, wanted)


@pytest.mark.parametrize("seed", range(4))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_files_cut_anywhere(seed: int, data: st.DataObject) -> None:
    family = data.draw(st.sampled_from([*FAMILIES.values()]))
    kinds = tuple(data.draw(st.lists(st.sampled_from(family), min_size=2, max_size=4)))
    if any(not marked(*pair) for pair in pairwise(kinds)):
        return
    file = b"".join(map(sound, kinds))
    places = sorted(data.draw(st.lists(st.integers(0, len(file)), max_size=30)))
    chunks = [file[start:end] for start, end in pairwise([0, *places, len(file)])]
    (rate, channels), *more = {native(kind) for kind in kinds}
    rate, channels = (rate, channels) if not more else (48000, 1)
    got, failure = run_on(asyncio.new_event_loop, outcome(chunks, rate=rate, channels=channels), False)
    assert failure is None
    # A resampler that goes on from one file into the next of the same kind has no seam there.
    if not more or all(native(a) != native(b) for a, b in pairwise(kinds)):
        assert np.array_equal(got, expected(kinds, rate, channels))
    else:
        assert abs(len(got) - len(expected(kinds, rate, channels))) <= 8 * len(kinds)


def first_frame(data: bytes) -> int:
    return data.index(b"Info") - 21 if b"Info" in data[:300] else data.index(b"Xing") - 21


@pytest.mark.parametrize("counted", [1, 5, 12])
@pytest.mark.parametrize("kind", ["mp3 24k mono", "mp3 44k stereo"])
def test_a_count_that_is_too_low(kind: str, counted: int, run_once: Run) -> None:
    """The stream goes on behind the frames that the note counts, and the codec with it."""
    data = bytearray(sound(kind, 1.0))
    at = data.index(b"Info") + 8
    told = int.from_bytes(data[at : at + 4], "big")
    data[at : at + 4] = counted.to_bytes(4, "big")
    got = joined(run_once(decode(cut(bytes(data), 500))))
    whole = joined(run_once(decode([sound(kind, 1.0)])))
    assert told > counted
    assert np.array_equal(got[: len(whole)], whole)


def test_the_last_frame_of_an_mp3_cut_short(run_once: Run) -> None:
    """What FFmpeg makes of it, and the word that something is missing."""
    data = sound("mp3 24k untagged")
    frame = len(data) - data.rindex(data[:2])
    for missing in (1, 30, frame // 2):
        got, failure = run_once(outcome([data[:-missing]]))
        assert isinstance(failure, TruncatedError)
        assert np.array_equal(got, reference(data[:-missing]))


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_endless_wavs_joined(size: int, run_once: Run) -> None:
    """Where one has an odd number of bytes, and where its samples look like the beginning of a header."""
    samples = np.frombuffer(b"RIRIRIFRIFF____WAVX" + bytes(101), np.uint8)
    first = wav(samples.tobytes(), bits=8, size=0xFFFFFFFF)
    second = wav(b"RI" * 100, size=0xFFFFFFFF)
    got = joined(run_once(decode(cut(first + second + first, size))))
    alone_first = ((samples.astype(np.int16) - 128) << 8).reshape(-1, 1)
    alone_second = np.frombuffer(b"RI" * 100, "<i2").reshape(-1, 1)
    assert np.array_equal(got, np.concatenate([alone_first, alone_second, alone_first]))


def test_frames_of_a_wav_come_at_once(run_once: Run) -> None:
    """Looking for the next header keeps no sample back that cannot be one's beginning."""
    got, _ = run_once(outcome([wav(bytes(range(200)), bits=8, size=0xFFFFFFFF)]))
    assert len(got) == 200


def test_an_odd_wav_without_its_padding(run_once: Run) -> None:
    odd = wav(bytes(range(101)), bits=8)[:-1]
    got = joined(run_once(decode([odd + odd])))
    assert len(got) == 202
