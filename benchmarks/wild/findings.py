"""What a tool says, in the form that every tool's findings are scored in.

A file has one finding a line, as JSON: `release` (name==version), `path` (in the release's folder), `line`, and what
may be left out: `code`, `confidence`, `message`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.accuracy.checking import Finding


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """One finding."""

    release: str
    path: str
    line: int
    code: str = ""
    confidence: str = ""
    message: str = ""

    def of_loopsafe(self) -> Finding:
        """It, as the project's own benchmark has findings."""
        return Finding(self.code, self.message, self.path, self.line, self.confidence, ())


def read_findings(file: Path) -> list[Found]:
    """All findings of a file.

    Raises:
        ValueError: a line is none.
    """
    return [_found(file, number, line) for number, line in enumerate(file.read_text("utf-8").splitlines(), 1) if line]


def _found(file: Path, number: int, line: str) -> Found:
    try:
        return Found(**json.loads(line))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{file}:{number}: not a finding: {error}") from error


def write_findings(file: Path, findings: Iterable[Found]) -> None:
    """Write them as lines, sorted."""
    file.write_text("".join(f"{json.dumps(asdict(one), ensure_ascii=False)}\n" for one in sorted(findings)), "utf-8")


def from_fleet(report: Mapping[str, Any], names: Mapping[str, str]) -> list[Found]:
    """The findings in what `loopsafe fleet --output-format json` prints; `names` are the releases by project."""
    return [
        Found(
            names[one["project"]],
            one["filename"],
            one["location"]["row"],
            one["code"],
            one["confidence"],
            one["message"],
        )
        for one in report["findings"]
    ]
