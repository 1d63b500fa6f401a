"""Run the real `loopsafe fix` on a copy of an unpacked package, and see what it did to the files."""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.accuracy.checking import BOUNDED, SOURCE_ROOT, USUAL_EXITS, Limits

_FIXED = re.compile(r"^Fixed (?P<path>.+?):\d+:\d+: ", re.M)
_REFUSED = re.compile(r"^Not fixed .*$", re.M)


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one package.

    Attributes:
        offered: findings with a fix.
        fixed: findings that were fixed.
        refused: what the fixer said of the others.
        files: files that were changed.
        wrong: what must not be: a file that does not compile, a changed row outside the fixes, a second run that
            changes something, a command that failed.
    """

    offered: int
    fixed: int
    refused: tuple[str, ...]
    files: tuple[str, ...]
    wrong: tuple[str, ...]


def find_all(folder: Path, limits: Limits) -> list[dict[str, Any]]:
    """The findings of a package.

    Raises:
        subprocess.SubprocessError: the command fails, or takes too long.
    """
    found: list[dict[str, Any]] = json.loads(
        _loopsafe(folder, limits, "check", "--output-format", "json", "--exit-zero", ".")
    )
    return found


def find(folder: Path, limits: Limits) -> list[dict[str, Any]]:
    """The findings of a package that have a fix.

    Raises:
        subprocess.SubprocessError: the command fails, or takes too long.
    """
    found = find_all(folder, limits)
    return [entry for entry in found if entry["fix"] and entry["fix"]["applicability"] != "declined"]


def apply_fixes(folder: Path, copy: Path, offered: list[dict[str, Any]], unsafe: bool, limits: Limits) -> Applied:
    """Copy a package, fix the copy and look at it; the copy stays for whoever wants to run its tests.

    Raises:
        subprocess.SubprocessError: a command fails, or takes too long.
    """
    if not offered:
        return Applied(0, 0, (), (), ())
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    command = ("fix", "--unsafe-fixes", ".") if unsafe else ("fix", ".")
    told = _loopsafe(copy, limits, *command)
    files = tuple(file for file in _python_files(copy) if (copy / file).read_bytes() != (folder / file).read_bytes())
    wrong = [problem for file in files for problem in _problems(folder / file, copy / file, _rows(offered, file))]
    once = {file: (copy / file).read_bytes() for file in _python_files(copy)}
    _loopsafe(copy, limits, *command)
    wrong += [f"{file}: a second run changes it" for file in once if (copy / file).read_bytes() != once[file]]
    return Applied(len(offered), len(_FIXED.findall(told)), tuple(_REFUSED.findall(told)), files, tuple(wrong))


def _loopsafe(folder: Path, limits: Limits, *arguments: str) -> str:
    """What the command prints.

    Raises:
        subprocess.SubprocessError: it fails, or takes too long.
    """
    done = subprocess.run(
        ["sh", "-c", BOUNDED, "sh", str(limits.megabytes * 1024), sys.executable, "-m", "loopsafe", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(SOURCE_ROOT), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=limits.seconds,
        check=False,
    )
    if "Traceback" in done.stderr or done.returncode not in USUAL_EXITS:
        raise subprocess.SubprocessError(done.stderr[-500:])
    return done.stdout


def _python_files(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.py"))


def _rows(offered: Iterable[dict[str, Any]], file: str) -> set[int]:
    """The rows of a file that the fixes say they change."""
    edits = [edit for entry in offered if entry["filename"] == file for edit in entry["fix"]["edits"]]
    spans = [(edit["location"]["row"], edit["end_location"]["row"]) for edit in edits]
    return {row for first, last in spans for row in range(first, last + 1)}


def _problems(before: Path, after: Path, rows: set[int]) -> Iterator[str]:
    """What is wrong with a changed file."""
    old, new = before.read_bytes(), after.read_bytes()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(new, str(after), "exec")
    except SyntaxError as error:
        yield f"{after}: does not compile: {error}"
    # Rows as bytes: what is not to change must not change by a single one.
    rows_before, rows_after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(None, rows_before, rows_after, autojunk=False)
    for kind, start, end, *_ in matcher.get_opcodes():
        touched = set(range(start + 1, max(end, start + 1) + 1))
        if kind != "equal" and not touched & rows:
            yield f"{after}:{start + 1}: changed, though no fix is there"
