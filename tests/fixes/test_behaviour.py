"""Programs that are right while their loop is awake, and that a fix could make wrong: `behaviour/*.md`.

Each says what it prints, whether a safe fix changes it, and what speaks against one. What a fix has changed must print
the same, also in asyncio's debug mode. Where `LOOPSAFE_EXECUTE` is `all`, they are run as they stand, too.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import loopsafe
from loopsafe.frontends.changes import work_out

FOLDER = Path(__file__).with_name("behaviour")
# A loop that never sleeps for long, as a busy one: then nobody needs to be woken.
AWAKE = """
import runpy, selectors, sys

def awake(select):
    return lambda self, timeout=None: select(self, 0.005 if timeout is None else min(timeout, 0.005))

for name in ("EpollSelector", "PollSelector", "SelectSelector", "KqueueSelector"):
    if hasattr(selectors, name):
        setattr(getattr(selectors, name), "select", awake(getattr(selectors, name).select))
runpy.run_path(sys.argv[1], run_name="__main__")
"""
_PROGRAM = re.compile(
    r"^## (.+?)\n.*?Prints: `(.*?)`\. Safe fix: (yes|no)\.\n\n((?:- [^\n]*\n)*)\n?```python\n(.*?)```", re.M | re.S
)
_NEEDED = re.compile(r"^(?:import|from) (\w+)", re.M)
_ALL = os.environ.get("LOOPSAFE_EXECUTE") == "all"


class Program(NamedTuple):
    """A program; its lines of output are joined by `|`. `reasons` speak against safe fixes of its findings."""

    name: str
    prints: str
    is_fixed: bool
    reasons: tuple[str, ...]
    text: str


def _read() -> list[Program]:
    return [
        Program(f"{file.stem}: {name}", prints, fixed == "yes", tuple(re.findall("^- (.*)", reasons, re.M)), text)
        for file in sorted(FOLDER.glob("*.md"))
        for name, prints, fixed, reasons, text in _PROGRAM.findall(file.read_text("utf-8"))
    ]


PROGRAMS = _read()


def test_every_program_is_read() -> None:
    assert len(PROGRAMS) == sum(file.read_text("utf-8").count("\n## ") for file in FOLDER.glob("*.md"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_safe_fix_changes_nothing(program: Program, tmp_path: Path) -> None:
    if not _can_run(program.text):
        pytest.skip("this Python has not all of it")
    (tmp_path / "pyproject.toml").touch()
    file = tmp_path / "program.py"
    file.write_text(program.text, "utf-8")
    if _ALL:
        assert run_awake(file) == program.prints
    report = loopsafe.analyze([file])
    reasons = {finding.fix.reason for finding in report.findings if finding.fix and finding.fix.reason}
    assert sorted(reasons) == sorted(program.reasons)
    safe = [finding for finding in report.findings if finding.fix and finding.fix.applicability == "safe"]
    outcome = work_out(report, safe, lambda overlay: loopsafe.analyze([file], overlay=overlay))
    assert bool(outcome.changes) == program.is_fixed
    for change in outcome.changes:
        file.write_bytes(change.after)
        assert run_awake(file) == program.prints
        # What stays as it was is refused there.
        if not outcome.after.findings:
            assert run_awake(file, PYTHONASYNCIODEBUG="1") == program.prints


def _can_run(text: str) -> bool:
    known = all(importlib.util.find_spec(name) for name in _NEEDED.findall(text))
    return known and all(hasattr(asyncio, name) for name in re.findall(r"\basyncio\.(\w+)", text))


def run_awake(file: Path, **environment: str) -> str:
    """What a program prints while its loop is awake, its lines joined by `|`."""
    command = [sys.executable, "-W", "ignore", "-c", AWAKE, str(file)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        cwd=file.parent,
        env={**os.environ, **environment},
    )
    return "|".join(done.stdout.splitlines())
