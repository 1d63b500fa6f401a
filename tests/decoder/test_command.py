"""`python -m reference_decoder`: files and pipes in, WAV out."""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from reference_decoder import AudioStreamDecoder, Frame, plot
from reference_decoder import __main__ as program
from tests.support.audio import file_of, reference
from tests.support.scripts import ROOT
from tests.support.streaming import Run


def command(*arguments: object, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    line = [sys.executable, "-X", "dev", "-W", "error", "-m", "reference_decoder", *map(str, arguments)]
    ran = subprocess.run(line, cwd=ROOT, input=given, capture_output=True, timeout=120, check=False)
    # Asyncio's debug mode tells of callbacks that took long, which on a busy machine any may.
    ran.stderr = b"".join(row for row in ran.stderr.splitlines(True) if not row.startswith(b"Executing "))
    return ran


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "sound.webm"
    path.write_bytes(file_of("webm opus"))
    return path


def test_file_to_wav(sound: Path, tmp_path: Path) -> None:
    ran = command(sound, "--rate", 24000, "--channels", 2, "-o", tmp_path / "out.wav")
    assert ran.returncode == 0, ran.stderr
    written = (tmp_path / "out.wav").read_bytes()
    assert np.array_equal(reference(written), reference(file_of("webm opus"), 24000, 2))
    assert int.from_bytes(written[4:8], "little") == len(written) - 8
    assert b"webm/opus, 48000 Hz, 1 channel(s)" in ran.stderr
    assert b"1.30 s of sound at 24000 Hz" in ran.stderr


def test_pipe_to_pipe() -> None:
    ran = command("-", "-o", "-", "--quiet", given=file_of("mp3 44k stereo"))
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert np.array_equal(reference(ran.stdout), reference(file_of("mp3 44k stereo")))


def test_bare_samples() -> None:
    ran = command("-", "-o", "-", "--quiet", "--mime", "audio/pcm;rate=8000", given=bytes(1000))
    assert ran.returncode == 0
    assert np.array_equal(reference(ran.stdout), np.zeros((500, 1)))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (b"no sound at all", b"UnknownFormatError: unknown format: the input begins with b'no sound at "),
        (file_of("wav 24k mono")[:-500], b"TruncatedError: WAV ends 500 bytes before the end its header tells"),
    ],
)
def test_errors(given: bytes, said: bytes) -> None:
    ran = command("-", given=given)
    assert ran.returncode == 1
    assert said in ran.stderr
    assert b"Traceback" not in ran.stderr


def test_file_that_is_not_there() -> None:
    ran = command("nowhere.mp3")
    assert ran.returncode == 1
    assert b"FileNotFoundError" in ran.stderr


def test_what_the_plot_shows() -> None:
    time = np.arange(16000) / 16000
    samples = np.sin(2 * np.pi * 1000 * time) / 2
    low, high = plot.envelope(samples, 100)
    assert len(low) == len(high) == 100
    assert np.allclose([low.min(), high.max()], [-0.5, 0.5], atol=0.01)
    picture = plot.spectrogram(samples, 50)
    assert picture.shape == (513, 50)
    # A tone of half of full scale stands at -6 dB, in the row of its frequency.
    assert set(picture.argmax(axis=0)) == {64}
    assert np.allclose(picture.max(axis=0), -6, atol=0.2)
    assert plot.spectrogram(samples[:10]).shape[0] == 513


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="needs matplotlib")
def test_plot(sound: Path, tmp_path: Path) -> None:
    ran = command(sound, "--plot", tmp_path / "out.png")
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


def test_facts_as_json(sound: Path, tmp_path: Path) -> None:
    ran = command(sound, "--json", "--quiet", "--dtype", "float32", "--frame-ms", 20, "-o", tmp_path / "out.wav")
    assert (ran.returncode, ran.stderr) == (0, b"")
    facts = json.loads(ran.stdout)
    assert facts.items() >= {"container": "webm", "codec": "opus", "rate": 48000, "channels": 1, "gaps": []}.items()
    assert facts["seconds"] == pytest.approx(1.3)
    assert facts["bytes_pushed"] == len(sound.read_bytes())
    written = (tmp_path / "out.wav").read_bytes()
    assert np.array_equal(reference(written, form="flt"), reference(file_of("webm opus"), form="flt"))


def test_facts_beside_sound() -> None:
    ran = command("-", "-o", "-", "--json", "--quiet", given=file_of("mp3 24k mono"))
    assert ran.returncode == 0
    assert json.loads(ran.stderr)["codec"] == "mp3"
    assert np.array_equal(reference(ran.stdout), reference(file_of("mp3 24k mono")))


class Terminal(io.StringIO):
    """Somebody looks at it."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("size", [20_000, 0])
def test_progress(size: int, run_once: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With percent where the size is known; and the times at which something is missing."""

    async def scenario() -> list[float]:
        progress = program._Progress(argparse.Namespace(quiet=False, json=False, output=None), size)
        progress._shown -= 1
        data = file_of("aac 24k mono", 3.0)
        async with AudioStreamDecoder(max_buffered=0.5) as decoder:
            decoder.push(data[:10_000] + bytes(500) + data[10_000:])
            async for frame in decoder:
                decoder.end_input() if not frame.position else None
                progress.show(decoder, frame)
                progress._shown -= 1
        return progress.gaps

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    gaps = run_once(scenario())
    assert len(gaps) == 1
    assert 0.4 < gaps[0] < 1.6
    shares = {int(share) for share in re.findall(r"(\d+)%", terminal.getvalue())}
    assert max(shares) > 20 if size else not shares


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="needs matplotlib")
def test_what_is_written_on_the_plot(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.figure import Figure

    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path: drawn.append((figure, path)))
    plot.draw(Frame(np.zeros((8000, 2), np.int16), 8000, 2, 0), [0.25, 0.5], "speech.mp3", "out.png")
    (figure, path) = drawn[0]
    assert path == "out.png"
    wave, spectrum, *_ = figure.axes
    assert wave.get_title() == "speech.mp3"
    assert all(len(axes.collections[-1].get_segments()) == 2 for axes in (wave, spectrum))
