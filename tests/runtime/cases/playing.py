"""From a case of `tests/cases` to what the guard sees when it is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from loopsafe.findings import Finding
from loopsafe.runtime.rows import NAMES
from tests.fixes.execution.staging import Played, request
from tests.support.cases import Case

STAGE = Path(__file__).with_name("stage.py")
_AS_PROGRAM = """
def run():
    import os, runpy
    runpy.run_path(os.path.abspath("main.py"), run_name="__main__")
"""
Seen = set[tuple[str, int, str]]


def expected(case: Case) -> Seen:
    """What the guard must see: what is wrong with the case, by the rules that it watches for."""
    return {(e.path, e.row, e.code) for e in case.expected if e.kind != "false-alarm" and e.code in NAMES}


def seen(runs: Sequence[Played]) -> Seen:
    """What the guard has seen in any of the runs: path, row and code."""
    return {(*places[0][:2], code) for run in runs for code, places in run.faults if places}  # type: ignore[misc]


def ways(case: Case, folder: Path, findings: Sequence[Finding]) -> Iterator[dict[str, Any]]:
    """The ways to run a case: by its own harness, or from where its threads start; else as a program."""
    asked = request(folder, list(findings), case)
    if not findings and not asked["script"]:
        asked["starts"] = [list(start) for start in _coroutines(case)]
    yield asked
    if not asked["script"] and "main.py" in dict(case.files):
        yield asked | {"script": _AS_PROGRAM}


def _coroutines(case: Case) -> Iterator[tuple[str, str]]:
    """The coroutine functions of a case, by file and qualified name: what a loop would run."""
    for path, text in case.files:
        if path.endswith(".py"):
            for node in ast.parse(text).body:
                inner = node.body if isinstance(node, ast.ClassDef) else [node]
                owner = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
                yield from ((path, owner + one.name) for one in inner if isinstance(one, ast.AsyncFunctionDef))
