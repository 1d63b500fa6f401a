"""Reviewed verdicts on findings, kept under what survives moved lines: the text of the line, not its number."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from benchmarks.accuracy.checking import Finding
from benchmarks.accuracy.releases import Release

FILE = Path(__file__).with_name("verdicts.jsonl")

Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reader of the code found. `true`: the call can really run on a thread that does not run the loop."""

    release: str
    path: str
    code: str
    source: str
    verdict: Literal["true", "false", "unsure", ""]
    reason: str

    @property
    def key(self) -> Key:
        """What it belongs to."""
        return self.release, self.path, self.code, self.source


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding of a release beside its verdict, which is absent where nobody has judged it."""

    release: Release
    finding: Finding
    source: str
    verdict: Verdict | None

    @property
    def answer(self) -> str:
        """The verdict in a word."""
        return self.verdict.verdict if self.verdict else "not judged"

    def blank(self) -> Verdict:
        """A verdict to be filled in."""
        return Verdict(str(self.release), self.finding.path, self.finding.code, self.source, "", "")


def read_verdicts(file: Path = FILE) -> dict[Key, Verdict]:
    """The reviewed verdicts."""
    if not file.exists():
        return {}
    verdicts = [Verdict(**json.loads(line)) for line in file.read_text("utf-8").splitlines()]
    return {verdict.key: verdict for verdict in verdicts}


def judge(release: Release, folder: Path, finding: Finding, verdicts: dict[Key, Verdict]) -> Judged:
    """Look a finding's verdict up."""
    lines = (folder / finding.path).read_text("utf-8", errors="replace").splitlines()
    source = lines[finding.row - 1].strip()
    return Judged(release, finding, source, verdicts.get((str(release), finding.path, finding.code, source)))


def as_line(verdict: Verdict) -> str:
    """A verdict as the file holds it."""
    return json.dumps(asdict(verdict), ensure_ascii=False)
