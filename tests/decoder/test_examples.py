"""examples/decoder: the original bug with real sound beside the reference decoder."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.command_line import environment, loopsafe_in
from tests.support.scripts import ROOT


def run_example(name: str, debug: str) -> subprocess.CompletedProcess[str]:
    variables = environment(PYTHONASYNCIODEBUG=debug, PYTHONPATH=str(ROOT))
    line = [sys.executable, ROOT / "examples" / "decoder" / f"{name}.py"]
    return subprocess.run(line, env=variables, capture_output=True, text=True, timeout=60, check=False)


def test_the_bug_shows_in_debug_mode() -> None:
    ran = run_example("broken", "1")
    assert ran.returncode != 0
    assert "Non-thread-safe operation" in ran.stderr


@pytest.mark.parametrize("debug", ["", "1"], ids=["plain", "debug"])
def test_the_corrected_decoder_works(debug: str) -> None:
    ran = run_example("fixed", debug)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "decoded 4000 samples\n", "")


def test_loopsafe_tells_them_apart() -> None:
    check = loopsafe_in(ROOT)
    assert check("check", "examples/decoder/broken.py").stdout.count("LSF102") == 2
    assert check("check", "examples/decoder/fixed.py").returncode == 0
