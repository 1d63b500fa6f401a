"""Every row of every pack fires on a program made for it, and each of its conditions keeps it silent."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

import loopsafe
from loopsafe.knowledge.load import built_in_packs
from tests.knowledge.programs import Program, programs

PACKS = {pack.library: pack for pack in built_in_packs()}


@cache
def findings(library: str, project: str) -> dict[Program, list[tuple[int, str]]]:
    """Row and code of each finding, by program; all programs of one project are analysed together."""
    folder = Path(mkdtemp())
    (folder / "pyproject.toml").write_text("[tool.loopsafe]\n", "utf-8")
    found: dict[Program, list[tuple[int, str]]] = defaultdict(list)
    mine = [p for p in dict.fromkeys(programs(PACKS[library])) if p.project == project]
    for number, program in enumerate(mine):
        (folder / f"case{number}.py").write_text(program.text, "utf-8")
    report = loopsafe.analyze([folder])
    assert not report.problems
    for finding in report.findings:
        program = mine[int(Path(finding.location.path).stem.removeprefix("case"))]
        found[program].append((finding.location.span.row, finding.code))
    return found


def wrong(program: Program, found: list[tuple[int, str]]) -> str:
    """In words, how the findings differ from what the program expects; empty where they do not."""
    wanted = [(row, program.code) for row in program.rows]
    # Handing over a coroutine function is another mistake; the rules about that have cases of their own.
    found = [(row, code) for row, code in found if not code.startswith("LSF2") or code == program.code]
    return "" if found == wanted else f"{program.id}: found {found}, not {wanted}\n{program.text}"


@pytest.mark.parametrize("library", sorted(PACKS))
def test_pack(library: str) -> None:
    mine = programs(PACKS[library])
    problems = [w for p in mine if (w := wrong(p, findings(library, p.project)[p]))]
    assert not problems, f"{len(problems)} of {len(mine)}:\n" + "\n".join(problems[:5])
