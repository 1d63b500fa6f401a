"""From a case of `tests/cases` to what is run before and after its fix."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import loopsafe
from loopsafe.findings import Finding
from loopsafe.frontends.changes import work_out
from loopsafe.locations import Location
from tests.support.cases import Case

STAGE = Path(__file__).with_name("stage.py")
HARNESS = "harness"
_NAMELESS = {"<lambda>", "<listcomp>", "<genexpr>"}


@dataclass(frozen=True, slots=True)
class Played:
    """What was seen in one run: faults and handed-over callbacks with the places they came from, and errors."""

    faults: list[tuple[str, list[tuple[str, int, str]]]]
    crossed: list[list[tuple[str, int, str]]]
    errors: list[str]


class Stage:
    """The process that runs cases."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(STAGE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def play(self, requests: list[dict[str, Any]]) -> list[list[Played]]:
        """Run cases side by side, each with asyncio's debug mode off and on."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(requests) + "\n")
        self._process.stdin.flush()
        return [[Played(**run) for run in runs] for runs in json.loads(self._process.stdout.readline())]

    def close(self) -> None:
        """Let it end."""
        self._process.communicate()


def write(case: Case, folder: Path) -> Path:
    """Put the case's files into a folder."""
    for path, text in (("pyproject.toml", "[tool.loopsafe]\n"), *case.files):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return folder


def fixable(folder: Path) -> list[Finding]:
    """The findings of a case that have a fix."""
    findings = loopsafe.analyze([folder]).findings
    return [finding for finding in findings if finding.fix and finding.fix.applicability != "declined"]


def fix(folder: Path, findings: list[Finding]) -> None:
    """Fix the findings on disk, all of them or none."""
    outcome = work_out(loopsafe.analyze([folder]), findings, lambda new: loopsafe.analyze([folder], overlay=new))
    assert outcome.refusals == ()
    for change in outcome.changes:
        Path(change.path).write_bytes(change.after)


def request(folder: Path, findings: list[Finding], case: Case) -> dict[str, Any]:
    """How to run a case: by its own harness, or from the functions on the paths of its findings."""
    starts = [_function(folder, finding.witness[0].location, nested=False) for finding in findings]
    inside = [_function(folder, finding.location) for finding in findings]
    return {
        "folder": str(folder),
        "script": dict(case.files).get(HARNESS, ""),
        "starts": [list(start) for start in dict.fromkeys(starts) if start[1]],
        "inside": [list(place) for place in dict.fromkeys(inside) if place[1]],
    }


Places = list[tuple[str, range]]


def complaints(places: Places, names: set[str], before: list[Played], after: list[Played]) -> list[str]:
    """What speaks against the fix, or against the claim that there was something to fix; nothing, it is hoped."""
    return [*_not_broken(places, before, after), *_not_mended(names, before, after)]


def places_of(folder: Path, findings: list[Finding]) -> Places:
    """Where the findings stand."""
    spans = [(_relative(folder, finding.location), finding.location.span) for finding in findings]
    return [(path, range(span.row, span.end_row + 1)) for path, span in spans]


def names_of(folder: Path, findings: list[Finding]) -> set[str]:
    """The functions in which something must be handed over. What was called on the spot need not be."""
    touching = [finding for finding in findings if finding.code != "LSF201"]
    return {_function(folder, finding.location)[1].rpartition(".")[2] for finding in touching}


def _not_broken(ranges: Places, before: list[Played], after: list[Played]) -> Iterator[str]:
    for debug, (old, new) in enumerate(zip(before, after, strict=True)):
        # A thread that runs the operation itself has no row of the case's.
        faults = any(not places or any(_is_in(ranges, place) for place in places) for _, places in old.faults)
        if not faults and not Counter(old.errors) - Counter(new.errors):
            yield f"before, debug {bool(debug)}: no finding was seen to fail: {old}"


def _is_in(ranges: Places, place: tuple[str, int, str]) -> bool:
    return any(path == place[0] and place[1] in rows for path, rows in ranges)


def _not_mended(names: set[str], before: list[Played], after: list[Played]) -> Iterator[str]:
    for debug, run in enumerate(after):
        # What the case raises by itself, it may raise again.
        errors = [error for error in run.errors if error not in before[0].errors]
        crossed = {name for places in run.crossed for _, _, name in places}
        crossed |= names if [] in run.crossed and [] in [places for _, places in before[0].faults] else set()
        if run.faults or errors or (names and not (names | _NAMELESS) & crossed):
            yield f"after, debug {bool(debug)}: {run.faults} {errors}, handed over in {sorted(crossed)}: {run}"


def _relative(folder: Path, location: Location) -> str:
    return Path(location.path).resolve().relative_to(folder.resolve()).as_posix()


def _function(folder: Path, location: Location, *, nested: bool = True) -> tuple[str, str]:
    """The file and the qualified name of the function around a place; of one that others hold, or of the outermost."""
    file = Path(location.path).resolve()
    names = _names(ast.parse(file.read_text("utf-8")), location.span.row, nested)
    return file.relative_to(folder.resolve()).as_posix(), ".".join(names)


def _names(node: ast.AST, row: int, nested: bool) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if getattr(child, "lineno", row + 1) <= row <= (getattr(child, "end_lineno", 0) or 0):
            function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield child.name
            if isinstance(child, ast.stmt | ast.ExceptHandler) and (nested or not function):
                yield from _names(child, row, nested)
