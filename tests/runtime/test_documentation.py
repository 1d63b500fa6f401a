"""docs/runtime.md is true, and the examples are seen by the guard as by `check`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from loopsafe.runtime.journal import read
from loopsafe.runtime.rows import NAMES
from tests.support.command_line import ROOT

BROKEN = sorted((ROOT / "examples" / "broken").glob("*.py"))
FIXED = sorted((ROOT / "examples" / "fixed").glob("*.py"))


def run(program: Path, folder: Path, debug: str) -> str:
    """What the guard tells of an example, which is ended as soon as it has told something."""
    # Its own limit of time would be up, on a machine that is busy, before anything has happened.
    text = program.read_text("utf-8").replace("dump_traceback_later(2,", "dump_traceback_later(300,")
    copy = folder / program.relative_to(ROOT)
    copy.parent.mkdir(parents=True)
    copy.write_text(text, "utf-8")
    command = [sys.executable, "-m", "loopsafe", "run", "--json", "seen.json", copy.relative_to(folder)]
    environment = os.environ | {"PYTHONASYNCIODEBUG": debug}
    with open(folder / "told", "w+", encoding="utf-8") as told:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdin=-3, stdout=-3, stderr=told)
        while process.poll() is None and "belongs to" not in (folder / "told").read_text("utf-8"):
            time.sleep(0.05)
        if process.poll() is None:
            time.sleep(1)
            process.kill()
        process.wait()
    return (folder / "told").read_text("utf-8")


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
    told = run(program, tmp_path, debug)
    seen = {(one.place.row, one.code) for one in read((tmp_path / "seen.json").read_text().splitlines())}
    # An operation that raises ends what would have come after it.
    assert seen, told
    assert seen <= wanted, told


@pytest.mark.parametrize("program", FIXED, ids=lambda program: program.stem)
def test_fixed_examples_are_silent(program: Path, tmp_path: Path) -> None:
    assert "LSF" not in run(program, tmp_path, "")
    assert not (tmp_path / "seen.json").exists()


def test_the_page_shows_what_is_printed(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "runtime.md").read_text("utf-8")
    shown = re.search(r"\$ loopsafe run (\S+)\n(.*?)\n\.\.\.\n", page, re.S)
    assert shown
    told = run(ROOT / shown[1], tmp_path, "")
    assert _steady(told).startswith(_steady(shown[2]) + "\n")


def _steady(text: str) -> str:
    # Before Python 3.11 a function does not know its class.
    return re.sub(r" in [\w.]+  ", " in it  ", re.sub(r"0x[0-9a-f]+", "0x0", text))


def test_the_page_lists_what_is_watched() -> None:
    page = (ROOT / "docs" / "runtime.md").read_text("utf-8")
    listed = set(re.findall(r"(?m)^\| (LSF\d+) \|", page))
    # What only a framework's pack knows has no row of its own yet.
    assert listed == NAMES.keys() - {"LSF109"}
