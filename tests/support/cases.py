"""Markdown cases: the specification as text, read, run through the real analysis and compared.

A file has a title, prose, and one case under each `## heading`. A case's fenced blocks are its files: the word after
the language is the path, `main.py` where there is none. Comments in Python blocks say what must come out:

    # error: LSF102 [certain] "put_nowait", LSF104   findings on this row; confidence and part of the message optional
    # step: 1                                        the witness passes this row, in the order of the numbers
    # missing: LSF102                                a known missed alarm: a bug that is not found today
    # false-alarm: LSF102                            a known false alarm: found today, though there is no bug

A block named `harness` is not analysed: it is the program with which `tests/fixes/execution` runs the case, where that
cannot make one up.

Every other finding fails the case, and so does every expected one that is missing. A heading that starts with `FN`
holds missed alarms, one that starts with `FP` false alarms: markers of known gaps stand under such headings only.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from loopsafe.findings import Finding, Report

Analyze = Callable[[list[Path]], Report]
Kind = Literal["error", "missing", "false-alarm"]

_FENCE = re.compile(r"^(?P<fence>`{3,})(?P<language>\w*)[ ]*(?P<path>\S*)")
_MARKER = re.compile(r"#\s*(?P<kind>error|missing|false-alarm|step):\s*(?P<text>[^#]*)")
_EXPECTED = re.compile(r'(?P<code>[A-Z]+\d+)(?:\s+\[(?P<confidence>\w+)\])?(?:\s+"(?P<part>[^"]*)")?\s*(?:,\s*|$)')
_DEFAULT_PYPROJECT = "[tool.loopsafe]\n"


class CaseError(Exception):
    """A case is written wrongly: an unknown marker, a block that does not parse, a gap under a plain heading."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """A finding that must stand on a row, or for the kind `missing` must not. Empty texts match anything."""

    kind: Kind
    path: str
    row: int
    code: str
    confidence: str = ""
    part: str = ""

    def matches(self, path: str, finding: Finding) -> bool:
        """Whether the finding is the one meant here."""
        place = (self.path, self.row, self.code) == (path, finding.location.span.row, finding.code)
        return place and self.confidence in ("", finding.confidence) and self.part in finding.message

    def __str__(self) -> str:
        details = f" [{self.confidence}]" * bool(self.confidence) + f' "{self.part}"' * bool(self.part)
        return f"{self.path}:{self.row}: {self.code}{details}"


@dataclass(frozen=True, slots=True)
class Case:
    """One heading of a case file: files by path, what must come out, and the rows of the witness in order."""

    file: str
    heading: str
    files: tuple[tuple[str, str], ...]
    expected: tuple[Expectation, ...]
    steps: tuple[tuple[str, int], ...]

    @property
    def id(self) -> str:
        """How pytest names the case."""
        return f"{self.file}::{self.heading}"


def read_cases(folder: Path) -> list[Case]:
    """All cases of a folder's Markdown files, in order of file name and place."""
    return [case for file in sorted(folder.glob("*.md")) for case in parse(file.name, file.read_text("utf-8"))]


def parse(file: str, text: str) -> list[Case]:
    """The cases of one Markdown file."""
    sections = re.split(r"(?m)^## +(.+)$", text)
    return [_case(file, heading.strip(), body) for heading, body in zip(sections[1::2], sections[2::2], strict=True)]


def _case(file: str, heading: str, body: str) -> Case:
    files = tuple(_blocks(body))
    try:
        for path, text in _python(files):
            ast.parse(text, path)
        case = Case(file, heading, files, tuple(_expectations(files)), tuple(_steps(files)))
        _check(case)
    except (CaseError, SyntaxError) as error:
        raise CaseError(f"{file}::{heading}: {error}") from error
    return case


def _blocks(body: str) -> Iterator[tuple[str, str]]:
    """Path and text of each fenced block with a language; blocks without one are prose."""
    lines = iter(body.splitlines(keepends=True))
    for line in lines:
        if opening := _FENCE.match(line):
            block = "".join(_until(lines, opening["fence"]))
            if opening["language"]:
                yield opening["path"] or "main.py", block


def _until(lines: Iterator[str], fence: str) -> Iterator[str]:
    for line in lines:
        if line.rstrip() == fence:
            return
        yield line


def _check(case: Case) -> None:
    paths = [path for path, _ in case.files]
    if not paths or len(set(paths)) != len(paths):
        raise CaseError(f"needs at least one file, each with a name of its own, has {paths}")
    gaps = {expected.kind for expected in case.expected} - {"error"}
    named: set[Kind] = {"missing"} if case.heading.startswith("FN ") else set()
    named |= {"false-alarm"} if case.heading.startswith("FP ") else set()
    if gaps != named:
        raise CaseError(f"the heading names {sorted(named) or 'no gap'}, the markers name {sorted(gaps) or 'none'}")


def _python(files: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return ((path, text) for path, text in files if path.endswith((".py", ".pyi")))


def _markers(files: Iterable[tuple[str, str]]) -> Iterator[tuple[str, int, str, str]]:
    """Path, row, kind and text of every marker. Only comments count, so that a string may hold anything."""
    for path, text in _python(files):
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                for marker in _MARKER.finditer(token.string):
                    yield path, token.start[0], marker["kind"], marker["text"].strip()


def _expectations(files: Iterable[tuple[str, str]]) -> Iterator[Expectation]:
    for path, row, kind, text in _markers(files):
        if kind != "step":
            found = list(_EXPECTED.finditer(text))
            if not found or "".join(match[0] for match in found) != text:
                raise CaseError(f"{path}:{row}: cannot read `{text}`")
            for match in found:
                yield Expectation(kind, path, row, match["code"], match["confidence"] or "", match["part"] or "")  # type: ignore[arg-type]


def _steps(files: Iterable[tuple[str, str]]) -> list[tuple[str, int]]:
    numbered = sorted(
        (int(number), path, row)
        for path, row, kind, text in _markers(files)
        if kind == "step"
        for number in text.split(",")
    )
    if [number for number, _, _ in numbered] != list(range(1, len(numbered) + 1)):
        raise CaseError(f"steps must count from 1 without a gap, not {[number for number, _, _ in numbered]}")
    return [(path, row) for _, path, row in numbered]


def run(case: Case, folder: Path, analyze: Analyze) -> list[str]:
    """Write the case's files, analyse them, and say in words how the result differs from what is expected."""
    for path, text in (("pyproject.toml", _DEFAULT_PYPROJECT), *case.files):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return differences(case, folder, analyze([folder]))


def differences(case: Case, folder: Path, report: Report) -> list[str]:
    """How a report differs from what the case expects; empty where it does not."""
    findings = [(relative(finding.location.path, folder), finding) for finding in report.findings]
    return [
        *(f"could not analyse {problem}" for problem in report.problems),
        *_finding_differences(case, findings),
        *_step_differences(case, folder, [finding for _, finding in findings]),
    ]


def relative(path: str, folder: Path) -> str:
    """A reported path as the case writes it. Reported paths are absolute or relative to the working directory."""
    return Path(path).resolve().relative_to(folder.resolve()).as_posix()


def _finding_differences(case: Case, findings: list[tuple[str, Finding]]) -> Iterator[str]:
    ahead = list(findings)
    for expected in case.expected:
        match = next((one for one in ahead if expected.matches(*one)), None)
        if expected.kind == "missing":
            if match:
                ahead.remove(match)
                yield f"a known gap is closed, mark it `error`: {expected}"
        elif match:
            ahead.remove(match)
        elif expected.kind == "false-alarm":
            yield f"a known false alarm is gone, drop its marker: {expected}"
        else:
            yield f"missing: {expected}"
    for path, finding in ahead:
        row = finding.location.span.row
        yield f"unexpected: {path}:{row}: {finding.code} [{finding.confidence}] {finding.message}"


def _step_differences(case: Case, folder: Path, findings: list[Finding]) -> Iterator[str]:
    if not case.steps or not findings:
        return
    passed = [(relative(step.location.path, folder), step.location.span.row) for step in findings[0].witness]
    rest = iter(passed)
    if not all(step in rest for step in case.steps):
        yield f"the witness passes {_rows(passed)}, not {_rows(case.steps)}"


def _rows(places: Iterable[tuple[str, int]]) -> str:
    return " -> ".join(f"{path}:{row}" for path, row in places)


def known_gaps(cases: Iterable[Case]) -> list[tuple[str, Expectation]]:
    """The case id and place of every known missed and false alarm."""
    return [(case.id, expected) for case in cases for expected in case.expected if expected.kind != "error"]
