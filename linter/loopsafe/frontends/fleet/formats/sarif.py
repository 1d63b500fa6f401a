"""SARIF 2.1.0 with one run for each project, in the shape that `loopsafe check` has for one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from loopsafe.findings import Problem
from loopsafe.frontends.fleet.formats import Fleet
from loopsafe.frontends.fleet.outcomes import Outcome
from loopsafe.render.as_json import written
from loopsafe.render.formats import sarif
from loopsafe.render.results import Results


def render(fleet: Fleet) -> Iterator[str]:
    """One SARIF log."""
    yield written(sarif.log([_run(fleet, outcome) for outcome in fleet.outcomes]))


def _run(fleet: Fleet, outcome: Outcome) -> dict[str, Any]:
    edits = {finding: found for finding, found in zip(outcome.findings, outcome.edits, strict=True) if found}
    # Of all rules the text would be many times as long as the findings, in each run.
    codes = {finding.code for finding in outcome.findings}
    rules = tuple(rule for rule in fleet.rules if rule.code in codes)
    results = Results(outcome.findings, (*_why(outcome),), edits, rules, fleet.version, home=fleet.home)
    # By this, code scanning tells the runs of one tool apart. What stands behind the last slash would be one run of it.
    told = {"automationDetails": {"id": f"loopsafe/{outcome.project}/"}, "properties": {"project": outcome.project}}
    return {**sarif.run(results), **told}


def _why(outcome: Outcome) -> Sequence[Problem]:
    """The problems of a project, and why it is not done; its own folder is where that is told."""
    known = any(problem.level == "error" for problem in outcome.problems)
    failed = outcome.status != "ok" and not known
    return (*outcome.problems, *([Problem(".", 0, 0, f"{outcome.status}: {outcome.reason}")] if failed else []))
