"""Samples without a header: exact for every form, and an error that names what is not understood."""

from __future__ import annotations

import numpy as np
import pytest

from reference_decoder import AudioStreamDecoder, DecodeError
from tests.decoder.test_errors import outcome
from tests.support.audio import tone
from tests.support.streaming import Run, cut, decode, joined

SOUND = tone(0.4, 16000, 2)
FORMS = ["s8", "u8", "mulaw", "alaw"]
FORMS += [f"{kind}{end}" for kind in ("s16", "u16", "s24", "u24", "s32", "u32", "f32", "f64") for end in ("le", "be")]


def bits_of(form: str) -> int:
    return int("".join(filter(str.isdigit, form)) or 8)


def packed(form: str) -> bytes:
    """The sound in this form, by numpy alone."""
    bits, order = bits_of(form), ">" if form.endswith("be") else "<"
    if form.startswith("f"):
        return (SOUND / 32768).astype(f"{order}f{bits // 8}").tobytes()
    wide = SOUND.astype(np.int64) << 16
    wide = (wide >> (32 - bits)) + (1 << bits - 1 if form.startswith("u") else 0)
    octets = wide.astype(f"{order}i8").reshape(-1, 1).view("u1")
    return (octets[:, -(bits // 8) :] if order == ">" else octets[:, : bits // 8]).tobytes()


def expected(form: str) -> np.ndarray:
    return SOUND >> 8 << 8 if bits_of(form) == 8 else SOUND


@pytest.mark.parametrize("form", [form for form in FORMS if "law" not in form])
@pytest.mark.parametrize("size", [1, 999])
def test_forms(form: str, size: int, run_once: Run) -> None:
    chunks = cut(packed(form), size)[: 4000 if size == 1 else None]
    frames = run_once(decode(chunks, pcm=form, input_rate=16000, input_channels=2, allow_truncated=True))
    got = joined(frames)
    assert np.array_equal(got, expected(form)[: len(got)])
    assert len(got) == sum(map(len, chunks)) // (bits_of(form) // 4)
    assert frames[0].rate == 16000


# ITU-T G.711: the linear values, of 14 and of 13 bits, of the eight segments.
def law(octets: np.ndarray, form: str) -> np.ndarray:
    if form == "mulaw":
        octets = ~octets
        segment, step = octets >> 4 & 7, octets & 15
        size = ((step.astype(int) << 3) + 132 << segment) - 132
        return np.where(octets & 0x80, -size, size)
    octets = octets ^ 0x55
    segment, step = (octets >> 4 & 7).astype(int), (octets & 15).astype(int)
    size = np.where(segment, ((step << 4) + 264) << np.maximum(segment - 1, 0), (step << 4) + 8)
    return np.where(octets & 0x80, size, -size)


@pytest.mark.parametrize("form", ["mulaw", "alaw"])
@pytest.mark.parametrize("said", [{"pcm": True}, {"mime": "audio/x-{}"}, {"mime": "audio/pcm;rate=8000;encoding={}"}])
def test_laws(form: str, said: dict, run_once: Run) -> None:
    octets = np.arange(256, dtype=np.uint8)
    arguments = {"pcm": form} if "pcm" in said else {"mime": said["mime"].format(form)}
    frames = run_once(decode([octets.tobytes()], **arguments))
    assert np.array_equal(joined(frames)[:, 0], law(octets, form))
    assert frames[0].rate == 8000


LITTLE, BIG = SOUND.tobytes(), SOUND.byteswap().tobytes()
MIMES = {
    "audio/pcm;rate=16000;channels=2": LITTLE,
    "audio/x-pcm; rate=16000; channels=2; bits=16; endian=little": LITTLE,
    "audio/raw;rate=16000;channels=2;endian=big": BIG,
    'audio/PCM; RATE="16000"; Channels=2; encoding=pcm_s16le': LITTLE,
    "audio/pcm;sample_rate=16000;channels=2;format=f32le": packed("f32le"),
    "audio/pcm;samplerate=16000;channels=2;encoding=float;bits=32": packed("f32le"),
    "audio/pcm;rate=16000;channels=2;bits=24": packed("s24le"),
    "audio/L16;rate=16000;channels=2": BIG,
    "audio/l16;codec=pcm;rate=16000;channels=2": LITTLE,
    "audio/L16;rate=16000;channels=2;endian=little;ptime=20": LITTLE,
    "audio/L24;clock-rate=16000;channels=2": packed("s24be"),
}


@pytest.mark.parametrize("mime", MIMES)
def test_mime_types(mime: str, run_once: Run) -> None:
    assert np.array_equal(joined(run_once(decode(cut(MIMES[mime], 501), mime))), SOUND)


def test_l8_has_an_offset(run_once: Run) -> None:
    """RFC 3551: samples of 8 bits are not signed."""
    got = joined(run_once(decode([packed("u8")], "audio/L8;rate=16000;channels=2")))
    assert np.array_equal(got, expected("u8"))


def test_arguments_beside_the_mime_type(run_once: Run) -> None:
    got = run_once(decode([LITTLE], "audio/pcm", input_rate=16000, input_channels=2))
    assert np.array_equal(joined(got), SOUND)
    assert got[0].rate == 16000


def test_samples_that_look_like_a_file(run_once: Run) -> None:
    """`pcm` is exact: what is said to be samples is."""
    data = b"RIFF____WAVE" + bytes(100)
    assert len(joined(run_once(decode([data], pcm="s16le", input_rate=8000)))) == len(data) // 2


BAD = {
    "audio/pcm;rate=16000;chanels=2": "chanels=2",
    "audio/pcm;rate=16000;bit=16": "bit=16",
    "audio/pcm;rate=16k": "rate=16k",
    "audio/pcm;rate=-1": "rate=-1",
    "audio/pcm;rate=16000;channels=stereo": "channels=stereo",
    "audio/pcm;rate=16000;bits=12": "bits=12",
    "audio/pcm;rate=16000;bits=8": "bits=8",
    "audio/pcm;rate=16000;endian=litle": "endian=litle",
    "audio/pcm;rate=16000;encoding=f32": "encoding=f32",
    "audio/pcm;rate=16000;encoding=s16le;bits=24": "bits=24",
    "audio/pcm;rate=16000;encoding=s16le;endian=big": "endian=big",
    "audio/pcm;rate=16000;codec=opus": "codec=opus",
    "audio/pcm;rate=16000;rate=24000": "rate=24000",
    "audio/L16;rate=16000;bits=24": "bits=24",
    "audio/basic;bits=16": "bits=16",
    "audio/pcm": "rate=24000",
    "audio/L16": "rate=24000",
}


@pytest.mark.parametrize("mime", BAD)
def test_parameters_that_are_not_understood(mime: str, run_once: Run) -> None:
    with pytest.raises(ValueError, match=BAD[mime]):
        run_once(decode([], mime))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"pcm": "s16"}, "'s16'"),
        ({"pcm": "pcm_s16le"}, "'pcm_s16le'"),
        ({"pcm": "f16le", "input_rate": 8000}, "'f16le'"),
        ({"pcm": "s16le"}, "input_rate"),
        ({"mime": "audio/pcm;rate=16000", "input_rate": 24000}, "input_rate=24000"),
        ({"mime": "audio/pcm;rate=16000;channels=1", "input_channels": 2}, "input_channels=2"),
    ],
)
def test_arguments_that_are_not_understood(settings: dict, said: str, run_once: Run) -> None:
    with pytest.raises(ValueError, match=said):
        run_once(decode([], **settings))


@pytest.mark.parametrize("silence", [0, 3000])
def test_l16_in_the_other_order_is_an_error(silence: int, run_once: Run) -> None:
    """And no noise comes before it."""
    samples, failure = run_once(outcome([bytes(silence * 4) + LITTLE], "audio/L16;rate=16000;channels=2"))
    assert isinstance(failure, DecodeError)
    assert "endian=little" in str(failure)
    assert samples is None or not samples.any()


NOISE = np.random.default_rng(5).integers(-32768, 32768, (4000, 2)).astype(np.int16)


@pytest.mark.parametrize(
    "samples",
    [NOISE, NOISE // 1000, SOUND // 256 * 256, SOUND // 4096, np.zeros_like(SOUND), SOUND[:1], SOUND[:3],
     np.tile(np.int16([[32767], [-32768]]), (100, 2))],
    ids=["noise", "quiet noise", "8 bits", "4 bits", "silence", "one", "three", "loudest"],
)  # fmt: skip
def test_l16_in_the_right_order_is_never_refused(samples: np.ndarray, run_once: Run) -> None:
    data = samples.astype(">i2").tobytes()
    got = joined(run_once(decode(cut(data, 777), "audio/L16;rate=16000;channels=2")))
    assert np.array_equal(got, samples)


def test_half_a_sample_is_an_error(run_once: Run) -> None:
    samples, failure = run_once(outcome([LITTLE[:-1]], "audio/pcm;rate=16000;channels=2"))
    assert np.array_equal(samples, SOUND[:-1])
    assert "3 bytes of a sample" in str(failure)


def test_repr_tells_what_it_is(run_once: Run) -> None:
    async def scenario() -> list[str]:
        async with AudioStreamDecoder(pcm="s16le", input_rate=8000) as decoder:
            before = repr(decoder)
            decoder.push(bytes(8000))
            await anext(decoder)
            return [before, repr(decoder)]

    before, after = run_once(scenario())
    assert before == "<AudioStreamDecoder: nothing known, 0 samples decoded, 0 bytes and 0.00 s waiting>"
    assert after.startswith("<AudioStreamDecoder: raw/pcm_s16le, 8000 Hz, 1 channel(s), ")
