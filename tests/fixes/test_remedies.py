"""Fixes from the analysis to the new text: `remedies/*.md`."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

import loopsafe
from loopsafe.findings import Finding, Report
from loopsafe.frontends.changes import work_out
from tests.support.remedies import RemedyCase, read_remedies

CASES = read_remedies(Path(__file__).parent / "remedies")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_offered_and_what_comes_out(case: RemedyCase, tmp_path: Path) -> None:
    file = tmp_path / "main.py"
    (tmp_path / "pyproject.toml").touch()
    file.write_text(case.before, "utf-8")

    def analyse(overlay: Mapping[Path, str]) -> Report:
        return loopsafe.analyze([file], overlay=overlay)

    report = analyse({})
    offered = {(f.location.span.row, f.fix.applicability, f.fix.reason) for f in report.findings if f.fix}
    assert sorted(offered) == sorted(case.fixes)

    def choose(report: Report) -> list[Finding]:
        return [f for f in report.findings if f.fix and f.fix.rewrites]

    outcome = work_out(report, choose(report), analyse, choose)
    assert [refusal.reason for refusal in outcome.refusals] == []
    assert (outcome.changes[0].text if outcome.changes else case.before) == case.after
    ast.parse(case.after)
    assert choose(outcome.after) == []
