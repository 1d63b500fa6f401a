"""What the decoder is asked by and what it gives: typed settings, numpy's types, one call for a file, utterances."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from reference_decoder import AudioStreamDecoder, DecodeError, Frame, Settings, TruncatedError, decode
from reference_decoder.options import Options
from tests.support.audio import file_of, reference, wav
from tests.support.scripts import ROOT
from tests.support.streaming import Run, collect, cut, joined, until_idle

PROGRAM = """
import numpy as np
from collections.abc import AsyncIterator
from reference_decoder import AudioPacketDecoder, AudioStreamDecoder, Frame, decode, decode_stream

async def use(source: AsyncIterator[bytes], data: bytes) -> Frame:
    AudioStreamDecoder("audio/mpeg", rate=16000, dtype=np.int16, max_buffered=1)
    AudioStreamDecoder(dtype=np.dtype("float32"), pcm="s16le", input_rate=8000, input_channels=None)
    AudioPacketDecoder("opus", rate=16000, layout="planar")
    decode_stream(source, frame_ms=20, strict=True)
    {}
    return await decode(data, dtype="float32")
"""
WRONG = {
    "AudioStreamDecoder(ratee=16000)": 'Unexpected keyword argument "ratee"',
    "AudioPacketDecoder('opus', chanels=1)": 'Unexpected keyword argument "chanels"',
    "decode_stream(source, dtyp='int16')": 'Unexpected keyword argument "dtyp"',
    "await decode(data, frame_mz=20)": 'Unexpected keyword argument "frame_mz"',
    "AudioStreamDecoder(rate='16000')": 'incompatible type "str"',
    "AudioStreamDecoder(layout=2)": 'incompatible type "int"',
}


def checked(statement: str, folder: Path) -> str:
    program = folder / "program.py"
    program.write_text(PROGRAM.format(statement), "utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(folder.parent / "cache")]
    ran = subprocess.run([*command, str(program)], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    return ran.stdout


def test_mypy_passes_right_use(tmp_path: Path) -> None:
    assert checked("pass", tmp_path).startswith("Success")


@pytest.mark.parametrize("statement", WRONG)
def test_mypy_catches_wrong_use(statement: str, tmp_path: Path) -> None:
    found = checked(statement, tmp_path)
    assert WRONG[statement] in found
    assert "Found 1 error" in found


def test_every_setting_is_explained() -> None:
    assert all(f"`{name}`" in (Settings.__doc__ or "") for name in Settings.__annotations__)
    assert Options({}).settings.keys() == Settings.__annotations__.keys()
    assert "Settings" in (inspect.getdoc(AudioStreamDecoder) or "")


def test_a_setting_that_does_not_exist(run_once: Run) -> None:
    async def make() -> None:
        with pytest.raises(TypeError, match="'ratee'"):
            AudioStreamDecoder(ratee=16000)

    run_once(make())


@pytest.mark.parametrize("dtype", [np.int16, "int16", "<i2", np.dtype("int16"), np.float32, "float32", "f4"])
def test_numpys_types(dtype: object, run_once: Run) -> None:
    frame = run_once(decode(file_of("mp3 24k mono"), dtype=dtype))
    assert frame.samples.dtype == np.dtype(dtype)


@pytest.mark.parametrize("dtype", [np.int32, "int8", float, "no type", ">i2", 5])
def test_types_that_there_are_not(dtype: object, run_once: Run) -> None:
    with pytest.raises(ValueError, match="dtype is one of"):
        run_once(decode(b"", dtype=dtype))


@pytest.mark.parametrize("layout", ["interleaved", "planar"])
def test_a_file_in_one_call(layout: str, run: Run) -> None:
    data = file_of("m4a index last", 5.0)
    frame = run(decode(data, layout=layout, max_input=10, max_buffered=0.2))
    samples = frame.samples.T if layout == "planar" else frame.samples
    assert np.array_equal(samples, reference(data)[: len(samples)])
    assert (frame.rate, frame.position, frame.count) == (44100, 0, len(samples))


@pytest.mark.parametrize(("data", "error"), [(b"", DecodeError), (file_of("wav 24k mono")[:-9], TruncatedError)])
def test_a_file_in_one_call_that_is_none(data: bytes, error: type[Exception], run_once: Run) -> None:
    with pytest.raises(error):
        run_once(decode(data))


@pytest.mark.parametrize("kind", ["mp3 24k mono", "flac 16k mono", "aac 24k mono", "wav 24k mono", "ogg opus mono"])
@pytest.mark.parametrize("frame_ms", [None, 20])
def test_utterances(kind: str, frame_ms: float | None, run: Run) -> None:
    """All of the first is out before anything of the second is pushed, resampled or not."""
    first, second = file_of(kind, 0.7), file_of(kind, 0.4)

    async def scenario() -> list[list[Frame]]:
        utterances: list[list[Frame]] = []
        async with AudioStreamDecoder(rate=48000, frame_ms=frame_ms) as decoder:
            for data in (first, second):
                for chunk in cut(data, 1000):
                    decoder.push(chunk)
                decoder.flush()
                utterances.append([])
                while not (utterances[-1] and utterances[-1][-1].last):
                    utterances[-1].append(await anext(decoder))
            decoder.end_input()
            late = sum(frame.count for frame in await collect(decoder))
            # FFmpeg's decoder of AAC is one frame late, and only its end makes it give that.
            assert late == 0 or (kind.startswith("aac") and late <= 2 * 1024)
        return utterances

    one, two = run(scenario())
    joined([*one, *two])
    assert [frame.last for frame in one] == [False] * (len(one) - 1) + [True]
    got = np.concatenate([frame.samples for frame in one]), np.concatenate([frame.samples for frame in two])
    if not kind.startswith("aac"):
        assert np.array_equal(got[0], run(decode(first, rate=48000)).samples)
        assert np.array_equal(got[1], run(decode(second, rate=48000)).samples)


def test_an_utterance_whose_sound_is_out_already(run: Run) -> None:
    async def scenario() -> list[Frame]:
        async with AudioStreamDecoder() as decoder:
            decoder.flush()
            decoder.push(wav(bytes(800), size=0xFFFFFFFF))
            sound = await anext(decoder)
            await until_idle(decoder)
            decoder.flush()
            mark = await anext(decoder)
            decoder.push(bytes(400))
            decoder.end_input()
            decoder.flush()
            return [sound, mark, *await collect(decoder)]

    frames = run(scenario())
    assert [(frame.count, frame.position, frame.last) for frame in frames] == [
        (400, 0, False),
        (0, 400, True),
        (200, 400, False),
    ]


def test_a_flush_in_the_middle_of_a_packet_costs_nothing(run_once: Run) -> None:
    for kind in ("flac 16k mono", "mp3 24k mono", "ogg vorbis", "webm opus"):
        data = file_of(kind)

        async def scenario(data: bytes = data) -> list[Frame]:
            async with AudioStreamDecoder() as decoder:
                for chunk in cut(data, 700):
                    decoder.push(chunk)
                    decoder.flush()
                decoder.end_input()
                return await collect(decoder)

        frames = run_once(scenario())
        assert np.array_equal(joined(frames), reference(data))


@pytest.mark.parametrize("channels", [1, 2, 6, 12])
@pytest.mark.parametrize("dtype", ["int16", "float32"])
@pytest.mark.parametrize("layout", ["interleaved", "planar"])
def test_frames_for_pyav(channels: int, dtype: str, layout: str, run_once: Run) -> None:
    settings = {"dtype": dtype, "layout": layout}
    samples = np.arange(-600, 600, dtype=np.int16).reshape(-1, channels)
    frame = run_once(decode(samples.tobytes(), pcm="s16le", input_rate=8000, input_channels=channels, **settings))
    made = frame.to_av()
    assert (made.sample_rate, made.samples, made.pts, made.layout.nb_channels) == (8000, len(samples), 0, channels)
    interleaved = made.to_ndarray().reshape(-1, channels)
    assert np.array_equal(interleaved.T if frame.planar else interleaved, frame.samples)


def test_frames_go_into_an_encoder(run_once: Run) -> None:
    frame = run_once(decode(file_of("mp3 44k stereo")))
    context = av.CodecContext.create("flac", "w")
    context.sample_rate, context.format, context.layout = frame.rate, "s16", "stereo"
    assert context.encode(frame.to_av()) + context.encode(None)
