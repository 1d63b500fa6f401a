"""What ails the guard is no business of the program that it watches."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """\
import asyncio
import sys


async def main():
    event = asyncio.Event()
    await asyncio.to_thread(event.set)
    print("set", event.is_set())


asyncio.run(main())
"""


def play(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n")
    program = folder / "app.py"
    if not program.exists():
        program.write_text(PROGRAM)
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


needs_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")


@pytest.mark.parametrize("file", ["none/seen.json", ".", pytest.param("/dev/full", marks=needs_full)])
def test_a_journal_that_cannot_be_written(tmp_path: Path, file: str) -> None:
    done = play(tmp_path, "app.py", LOOPSAFE_GUARD="report", LOOPSAFE_GUARD_JSON=file)
    assert (done.returncode, done.stdout) == (0, "set True\n"), done.stderr
    assert "loopsafe: something cannot be watched or told:" in done.stderr
    assert "app.py:7: LSF103" in done.stderr


@pytest.mark.parametrize("ruin", ["sys.stderr.close()", "sys.stderr = None"])
def test_no_standard_error(tmp_path: Path, ruin: str) -> None:
    (tmp_path / "app.py").write_text(PROGRAM.replace("    event =", f"    {ruin}\n    event ="))
    done = play(tmp_path, "app.py", LOOPSAFE_GUARD="report", LOOPSAFE_GUARD_JSON="seen.json")
    assert (done.returncode, done.stdout) == (0, "set True\n")
    assert (tmp_path / "seen.json").read_text().count("\n") == 1


@needs_full
def test_a_full_standard_error(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PROGRAM)
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "app.py"], cwd=tmp_path, env=os.environ | {"LOOPSAFE_GUARD": "report"},
            stdout=subprocess.PIPE, stderr=full, text=True, timeout=300, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "set True\n")


@pytest.mark.parametrize("file", ["none/seen.json", "."])
def test_a_file_is_tried_before_the_program_starts(tmp_path: Path, file: str) -> None:
    done = play(tmp_path, "-m", "loopsafe", "run", "--json", file, "app.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Error: {file}: cannot be written: ")
    done = play(tmp_path, "-m", "pytest", "--loopsafe", "--loopsafe-json", file)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "ERROR: --loopsafe-json: " in done.stderr
    assert "INTERNALERROR" not in done.stderr


@pytest.mark.parametrize("name", ["ctypes", "dataclasses", "json", "ast", "inspect", "sysconfig"])
def test_files_beside_the_script_are_not_taken_for_the_standard_library(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.py").touch()
    done = play(tmp_path, "app.py", LOOPSAFE_GUARD="report")
    assert (done.returncode, done.stdout) == (0, "set True\n"), done.stderr
    assert "app.py:7: LSF103" in done.stderr


@pytest.mark.parametrize("name", ["ctypes", "dataclasses", "json", "loopsafe.runtime.journal"])
def test_what_cannot_be_watched_runs_as_ever(tmp_path: Path, name: str) -> None:
    ruin = f"import sys\nbefore = sys.meta_path[:]\nsys.modules[{name!r}] = None\n"
    as_it_was = "import concurrent.futures as c\nprint(c.Future.result.__code__.co_consts, asyncio.Future.cancel)\n"
    (tmp_path / "app.py").write_text(f"{ruin}{PROGRAM}{as_it_was}")
    usual = play(tmp_path, "app.py", LOOPSAFE_GUARD="0")
    done = play(tmp_path, "app.py", LOOPSAFE_GUARD="report")
    assert (done.returncode, done.stdout) == (0, usual.stdout), done.stderr
    assert done.stdout.startswith("set True\n")
    assert done.stderr.startswith("loopsafe: the guard is off: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("value", ["", "0", "off", "OFF"])
def test_off(tmp_path: Path, value: str) -> None:
    (tmp_path / "app.py").write_text(PROGRAM + 'print("loopsafe.runtime.guard" in sys.modules)\n')
    done = play(tmp_path, "app.py", LOOPSAFE_GUARD=value)
    assert (done.returncode, done.stdout, done.stderr) == (0, "set True\nFalse\n", "")
