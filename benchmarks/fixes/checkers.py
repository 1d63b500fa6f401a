"""What mypy and `ruff format` say of the files that all fixes, the unsafe ones too, have changed: before and after."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.accuracy.checking import Limits

# The package alone is there, not what it depends on.
_MYPY = (
    "mypy", "--ignore-missing-imports", "--follow-imports=silent", "--check-untyped-defs", "--explicit-package-bases",
    "--no-color-output", "--no-error-summary", "--hide-error-context", "--no-pretty", "--cache-dir=/dev/null",
    "--config-file=/dev/null",
)  # fmt: skip
_ERROR = re.compile(r"^(?P<path>[^:]+):\d+: error: (?P<text>.*)$", re.M)
# A number of a row in the text of an error is no part of what it says.
_NUMBER = re.compile(r"\bline \d+\b")
# Columns.
_USUAL = (79, 88, 100, 120)


@dataclass(frozen=True, slots=True)
class Checked:
    """One package: how many files were changed, mypy's errors in them, and which of them lost their format."""

    release: str
    files: int
    errors: int
    new_errors: tuple[str, ...]
    formatted: int
    lost_format: tuple[str, ...]


def check(release: str, before: Path, after: Path, files: Sequence[str], limits: Limits) -> Checked:
    """Compare the changed files of a package with what they were.

    Raises:
        subprocess.SubprocessError: mypy fails, or takes too long.
    """
    old, new = (_errors(folder, files, limits) for folder in (before, after))
    widths = {file: found for file in files if (found := _widths(before / file, _USUAL))}
    lost = tuple(file for file, known in widths.items() if not _widths(after / file, known))
    return Checked(release, len(files), sum(old.values()), tuple((new - old).elements()), len(widths), lost)


def table(rows: Sequence[Checked]) -> str:
    """The results, a package a row, and their sums."""
    lines = [
        "| package | files changed | errors before | new errors | formatted before | no longer |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    lines += [f"| {row.release} | {' | '.join(map(str, _counts(row)))} |" for row in rows]
    sums = [sum(column) for column in zip(*map(_counts, rows), strict=True)]
    return "\n".join([*lines, f"| **all {len(rows)}** | {' | '.join(map(str, sums))} |"])


def problems(row: Checked) -> list[str]:
    """What must not be."""
    return [
        *(f"{row.release}: new with mypy: {error}" for error in row.new_errors),
        *(f"{row.release}: {file}: no longer formatted" for file in row.lost_format),
    ]


def _counts(row: Checked) -> tuple[int, ...]:
    return row.files, row.errors, len(row.new_errors), row.formatted, len(row.lost_format)


def _errors(folder: Path, files: Sequence[str], limits: Limits) -> Counter[str]:
    """The errors in the files, without their rows."""
    command = [sys.executable, "-m", *_MYPY, *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=limits.seconds, check=False)
    if done.returncode not in (0, 1):
        raise subprocess.SubprocessError((done.stdout + done.stderr)[-500:])
    told = [(error["path"], _NUMBER.sub("line", error["text"])) for error in _ERROR.finditer(done.stdout)]
    return Counter(f"{path}: {text}" for path, text in told if path in files)


def _widths(file: Path, widths: Sequence[int]) -> list[int]:
    """The widths of rows, of those given, at which a file is formatted: a package's settings are not in its wheel."""
    return [width for width in widths if _is_formatted(file, width)]


def _is_formatted(file: Path, width: int) -> bool:
    command = ["ruff", "format", "--check", "--isolated", "--quiet", "--line-length", str(width), str(file)]
    return not subprocess.run([sys.executable, "-m", *command], capture_output=True, check=False).returncode
