"""docs/runtime.md is true, and the examples are seen by the guard as by `check`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from loopsafe.runtime.journal import read
from loopsafe.runtime.rows import NAMES
from tests.support.command_line import ROOT

BROKEN = sorted((ROOT / "examples" / "broken").glob("*.py"))
FIXED = sorted((ROOT / "examples" / "fixed").glob("*.py"))


def run(program: Path, seen: Path, debug: str) -> str:
    command = [sys.executable, "-m", "loopsafe", "run", "--json", seen, program.relative_to(ROOT)]
    environment = os.environ | {"PYTHONASYNCIODEBUG": debug}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    return done.stderr


def found_by_check(program: Path) -> set[tuple[int, str]]:
    """Row and code of what the guard watches for."""
    command = [sys.executable, "-m", "loopsafe", "check", "--output-format", "concise", program.relative_to(ROOT)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    return {(int(row), code) for row, code in re.findall(r":(\d+):\d+: (LSF\d+)", done.stdout) if code in NAMES}


@pytest.mark.parametrize("debug", ["", "1"])
@pytest.mark.parametrize("program", BROKEN, ids=lambda program: program.stem)
def test_broken_examples_are_seen(program: Path, debug: str, tmp_path: Path) -> None:
    wanted = found_by_check(program)
    if not wanted:
        pytest.skip("its rule is none that the guard watches for")
    told = run(program, tmp_path / "seen.json", debug)
    seen = {(one.place.row, one.code) for one in read((tmp_path / "seen.json").read_text().splitlines())}
    # An operation that raises ends what would have come after it.
    assert seen, told
    assert seen <= wanted, told


@pytest.mark.parametrize("program", FIXED, ids=lambda program: program.stem)
def test_fixed_examples_are_silent(program: Path, tmp_path: Path) -> None:
    assert "LSF" not in run(program, tmp_path / "seen.json", "")
    assert not (tmp_path / "seen.json").exists()


def test_the_page_shows_what_is_printed(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "runtime.md").read_text("utf-8")
    shown = re.search(r"\$ loopsafe run (\S+)\n(.*?)\n\.\.\.\n", page, re.S)
    assert shown
    told = run(ROOT / shown[1], tmp_path / "seen.json", "")
    assert re.sub(r"0x[0-9a-f]+", "0x7f0000000000", told).startswith(shown[2] + "\n")


def test_the_page_lists_what_is_watched() -> None:
    page = (ROOT / "docs" / "runtime.md").read_text("utf-8")
    listed = set(re.findall(r"(?m)^\| (LSF\d+) \|", page))
    # What only a framework's pack knows has no row of its own yet.
    assert listed == NAMES.keys() - {"LSF109"}
