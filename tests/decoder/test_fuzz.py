"""A small part of `python -m benchmarks.decoder.fuzz`, and that it sees what it looks for."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from benchmarks.decoder import fuzz
from tests.support.scripts import ROOT


def test_damaged_files() -> None:
    command = [sys.executable, "-m", "benchmarks.decoder.fuzz", "500"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "500 inputs, " in ran.stdout


def test_an_input_is_made_from_its_number() -> None:
    assert fuzz.damaged(7) == fuzz.damaged(7)
    assert len({fuzz.damaged(number) for number in range(20)}) == 20


def test_an_unexpected_error_is_reported_with_its_input(monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(number: int) -> bool:
        if number == 3:
            raise AttributeError
        return True

    monkeypatch.setattr(fuzz, "decode", failing)
    with pytest.raises(fuzz.UnexpectedError, match="input 3"):
        asyncio.run(fuzz._batch(range(5)))
