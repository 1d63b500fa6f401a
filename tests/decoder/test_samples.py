"""The samples are those of a blocking decode of the same bytes, and those that were encoded, no more and no fewer."""

from __future__ import annotations

import numpy as np
import pytest

from reference_decoder import AudioStreamDecoder
from tests.support.audio import KINDS, chunk, encode, file_of, reference, tone, wav
from tests.support.streaming import Run, collect, cut, decode, joined

# Where the container tells the length, the padding at the end goes. PyAV leaves some of it in MP4.
INEXACT = ("mp3 without", "mp3 8k", "aac", "mkv aac", "mkv mp3", "m4a fragments", "m4a index last", "webm vorbis")
EXACT = [kind for kind in KINDS if not kind.startswith((*INEXACT, "ogg vorbis", "wav adpcm"))]


@pytest.mark.parametrize("kind", KINDS)
def test_as_a_blocking_decode(kind: str, run: Run) -> None:
    data = file_of(kind)
    got = joined(run(decode(cut(data, 2048))))
    expected = reference(data)
    assert np.array_equal(got, expected[: len(got)])
    assert len(got) == len(expected) or (kind.startswith("m4a") and kind in EXACT)


@pytest.mark.parametrize("kind", EXACT)
def test_as_long_as_what_was_encoded(kind: str, run_once: Run) -> None:
    rate, channels = KINDS[kind][2:4]
    got = joined(run_once(decode(cut(file_of(kind), 2048))))
    assert got.shape == (round(1.3 * rate), channels)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("rate", "channels"), [(48000, 1), (16000, 2)])
def test_resampled_as_by_blocking(kind: str, rate: int, channels: int, run_once: Run) -> None:
    data = file_of(kind)
    got = joined(run_once(decode(cut(data, 1999), rate=rate, channels=channels)))
    expected = reference(data, rate, channels)
    # Where PyAV leaves padding in, its resampler's end is elsewhere.
    same = len(got) if len(got) == len(expected) else len(got) - 64
    assert abs(len(got) - len(expected)) <= 1024 * rate // KINDS[kind][2]
    assert np.array_equal(got[:same], expected[:same])


@pytest.mark.parametrize("kind", ["mp3 44k stereo", "flac 48k stereo", "wav 44k stereo", "ogg opus mono"])
def test_float_and_planar(kind: str, run_once: Run) -> None:
    data = file_of(kind)
    whole, planar = reference(data), run_once(decode([data], layout="planar"))
    assert np.array_equal(np.concatenate([frame.samples for frame in planar], axis=1).T, whole)
    assert all(frame.samples.flags.c_contiguous for frame in planar)
    floats = joined(run_once(decode([data], dtype="float32")))
    assert floats.dtype == np.float32
    assert np.array_equal(floats, reference(data, form="flt"))
    # int16 is what swresample makes of the floats.
    assert np.array_equal(np.clip(np.rint(floats * 32768), -32768, 32767).astype(np.int16), whole)


def test_frames_are_frozen(run_once: Run) -> None:
    first, *_ = run_once(decode([file_of("mp3 44k stereo")]))
    assert bytes(first) == first.samples.tobytes()
    assert first.samples.shape == (first.count, 2)
    assert first.duration == pytest.approx(first.count / 44100)
    with pytest.raises(ValueError, match="read-only"):
        first.samples[0] = 0
    with pytest.raises(AttributeError):
        first.rate = 1


@pytest.mark.parametrize("layout", ["interleaved", "planar"])
def test_frames_of_a_fixed_length(layout: str, run_once: Run) -> None:
    data = file_of("mp3 44k stereo")
    frames = run_once(decode(cut(data, 700), frame_ms=20, layout=layout))
    assert {frame.count for frame in frames[:-1]} == {882}
    assert 0 < frames[-1].count <= 882
    samples = np.concatenate([frame.samples for frame in frames], axis=1 if layout == "planar" else 0)
    assert np.array_equal(samples.T if layout == "planar" else samples, reference(data))


def in_24_bits(samples: np.ndarray) -> bytes:
    return (samples.astype("<i4") << 8).reshape(-1, 1).view("u1")[:, :3].tobytes()


RAW = tone(0.5, 8000, 2)
FLOAT = (RAW / 32768).astype("<f4")
VARIANTS = {
    "8 bits": wav(((RAW >> 8) + 128).astype("u1").tobytes(), channels=2, bits=8),
    "24 bits": wav(
        in_24_bits(RAW), channels=2, bits=24
    ),
    "32 bits": wav((RAW.astype("<i4") << 16).tobytes(), channels=2, bits=32),
    "float": wav(FLOAT.tobytes(), channels=2, tag=3, bits=32),
    "double": wav(FLOAT.astype("<f8").tobytes(), channels=2, tag=3, bits=64),
    "mu-law": wav(bytes(range(256)) * 8, channels=2, tag=7, bits=8),
    "A-law": wav(bytes(range(256)) * 8, channels=2, tag=6, bits=8),
    "extensible": wav(RAW.tobytes(), channels=2, extensible=True),
    "extensible 24 bits": wav(bytes(range(240)) * 30, channels=2, bits=24, extensible=True),
    "odd chunk before": wav(RAW.tobytes(), channels=2, before=chunk(b"JUNK", b"odd")),
    "chunk after": wav(RAW.tobytes(), channels=2, after=chunk(b"LIST", bytes(range(256)) * 16)),
    "size 0": wav(RAW.tobytes(), channels=2, size=0),
    "size unknown": wav(RAW.tobytes(), channels=2, size=0xFFFFFFFF),
    "size of 2 GB": wav(RAW.tobytes(), channels=2, size=0x7FFFF024),
}


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("mime", [None, "audio/wav"])
def test_wav_variants(name: str, mime: str | None, run_once: Run) -> None:
    got = joined(run_once(decode(cut(VARIANTS[name], 333), mime)))
    assert np.array_equal(got, reference(VARIANTS[name]))


def test_wav_of_64_bit_sizes(run_once: Run) -> None:
    sizes = chunk(b"ds64", bytes(8) + len(RAW.tobytes()).to_bytes(8, "little") + bytes(12))
    plain = wav(RAW.tobytes(), channels=2, size=0xFFFFFFFF, after=chunk(b"LIST", bytes(1000)))
    data = b"RF64" + plain[4:12] + sizes + plain[12:]
    assert np.array_equal(joined(run_once(decode(cut(data, 100)))), RAW)


@pytest.mark.parametrize("size", [1, 44, 1000, 1 << 20])
def test_joined_wavs(size: int, run_once: Run) -> None:
    odd = wav((tone(0.1, 8000, 1) >> 8).astype("i1").view("u1")[:777].tobytes(), bits=8)
    first, second = wav(RAW.tobytes(), channels=2), wav(RAW[::-1].tobytes(), channels=2)
    data = first + second + odd + first
    got = joined(run_once(decode(cut(data, size))))
    parts = [reference(first), reference(second), reference(odd, channels=2), reference(first)]
    assert np.array_equal(got, np.concatenate(parts))


@pytest.mark.parametrize("size", [1, 500, 1 << 20])
def test_joined_mp3s(size: int, run_once: Run) -> None:
    first, second = file_of("mp3 24k mono"), file_of("mp3 24k mono", 0.7)
    got = joined(run_once(decode(cut(first + second, size))))
    assert np.array_equal(got, np.concatenate([reference(first), reference(second)]))


def test_joined_mp3s_of_different_kinds(run_once: Run) -> None:
    files = [file_of("mp3 24k mono"), file_of("mp3 44k stereo"), file_of("mp3 without tags")]
    got = joined(run_once(decode(cut(b"".join(files), 999), rate=48000, channels=1)))
    assert np.array_equal(got, np.concatenate([reference(data, 48000, 1) for data in files]))


def test_the_first_stream_sets_rate_and_channels(run_once: Run) -> None:
    frames = run_once(decode([file_of("mp3 24k mono") + file_of("mp3 44k stereo")]))
    assert {(frame.rate, frame.channels) for frame in frames} == {(24000, 1)}


def link(channels: int, codec: str, serial: int, seconds: float) -> bytes:
    rate = 48000 if codec == "libopus" else 44100
    options = {"serial_offset": str(serial)} | ({"strict": "experimental"} if codec == "vorbis" else {})
    return encode(tone(seconds, rate, channels), rate, "ogg", codec, bit_rate=64000, **options)


@pytest.mark.parametrize("serials", [(1, 2), (5, 5)])
@pytest.mark.parametrize(
    "kinds", [[(1, "libopus"), (2, "libopus")], [(1, "libopus"), (1, "libopus")], [(2, "vorbis"), (2, "vorbis")],
              [(2, "vorbis"), (1, "libopus"), (2, "flac")]],
)  # fmt: skip
def test_chained_ogg(kinds: list[tuple[int, str]], serials: tuple[int, int], run_once: Run) -> None:
    links = [link(*kind, serials[number % 2], 1.2 + number / 10) for number, kind in enumerate(kinds)]
    rate = 44100 if kinds[-1][1] == "vorbis" else 48000
    got = joined(run_once(decode(cut(b"".join(links), 777), rate=rate, channels=2)))
    assert np.array_equal(got, np.concatenate([reference(data, rate, 2) for data in links]))


RATED = tone(0.4, 16000, 2)
PCM = {
    "audio/pcm;rate=16000;channels=2": RATED.tobytes(),
    "audio/pcm; rate=16000; channels=2; bits=24": in_24_bits(RATED),
    "audio/L16;rate=16000;channels=2": RATED.byteswap().tobytes(),
    "audio/L16;rate=16000;channels=2;endian=little": RATED.tobytes(),
}


@pytest.mark.parametrize("mime", PCM)
def test_bare_samples(mime: str, run_once: Run) -> None:
    frames = run_once(decode(cut(PCM[mime], 101), mime))
    assert np.array_equal(joined(frames), RATED)
    assert frames[0].rate == 16000


@pytest.mark.parametrize(("mime", "form"), [("audio/basic", "mulaw"), ("audio/PCMU", "mulaw"), ("audio/PCMA", "alaw")])
def test_telephone_samples(mime: str, form: str, run_once: Run) -> None:
    data = bytes(range(256)) * 9
    frames = run_once(decode(cut(data, 100), mime))
    assert np.array_equal(joined(frames), reference(data, container=form))
    assert frames[0].rate == 8000


def test_info_tells_what_it_was(run_once: Run) -> None:
    async def infos() -> list:
        async with AudioStreamDecoder("audio/mpeg", rate=16000) as decoder:
            before = decoder.info
            decoder.push(file_of("ogg opus stereo"))
            decoder.end_input()
            await collect(decoder)
            return [before, decoder.info, decoder.statistics()]

    before, info, counts = run_once(infos())
    assert before is None
    assert (info.container, info.codec, info.rate, info.channels) == ("ogg", "opus", 48000, 2)
    assert (counts.samples_decoded, counts.skipped_packets) == (round(1.3 * 16000), 0)
    assert counts.bytes_pushed == len(file_of("ogg opus stereo"))
