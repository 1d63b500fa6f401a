"""What is told of the findings of a project: those that concern what was named and are not silenced."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace

from loopsafe.findings import Finding, FixPlan, Problem, Report, Whole
from loopsafe.locations import Location, Span
from loopsafe.project.files import shown
from loopsafe.project.roots import Project

_PARTLY = "is followed in part only: it is more entangled than its size explains, and findings may be missing"
_Muted = frozenset[tuple[str, int, str]]


def chosen(project: Project, whole: Whole, noqa: bool = True) -> Report:
    """The report on what was named of a project, which `noqa` comments silence or not.

    A finding concerns every file on its path. What is silenced at the offending line is silenced everywhere; at
    another place where a file is told of it, it is silenced for that file.
    """
    named = {file.shown for file in project.files if file.wanted}
    others = {file.shown for file in project.files} - named
    unwanted = _Unwanted(project)
    findings = [f for f in whole.findings if not named.isdisjoint(f.paths) and not unwanted.has(f)]
    if noqa and whole.muted:
        findings = _audible(findings, whole, named)
    root, here = str(project.config.root), os.getcwd()
    partly = (Problem("." if root == here else shown(root, here), 0, 0, _PARTLY, "warning"),) if whole.partial else ()
    return Report(
        tuple(findings),
        (*_graded([problem for problem in whole.problems if problem.path not in others], project.paths), *partly),
        len(named),
        (*project.remarks, *(warning for warning in whole.warnings if warning.path not in others)),
        tuple(sorted(named)),
        len(partly),
        whole.missing,
    )


class _Unwanted:
    """What the configuration of a project inside another says no to, where a path of that other ends in it."""

    def __init__(self, project: Project) -> None:
        self._inside = project.inside
        self._others = {file.shown: file.path for file in project.files if not file.own}

    def has(self, finding: Finding) -> bool:
        """Whether the nearest configuration upwards of the offending line does not want this finding."""
        path = self._others.get(finding.location.path, "")
        around = [config for config in self._inside if path.startswith(os.path.join(config.root, ""))]
        return bool(around) and not max(around, key=lambda config: len(str(config.root))).selects(finding.code)


def merged(reports: Sequence[Report]) -> Report:
    """One report on several projects, in order of path."""
    if len(reports) == 1:
        return reports[0]
    best: dict[tuple[Location, str], Finding] = {}
    for finding in (finding for report in reports for finding in report.findings):
        key = (finding.location, finding.code)
        best[key] = min(best.get(key, finding), finding, key=preference)
    named = {path for report in reports for path in report.named}
    return Report(
        tuple(sorted(best.values())),
        tuple(dict.fromkeys(problem for report in reports for problem in report.problems)),
        len(named),
        tuple(dict.fromkeys(warning for report in reports for warning in report.warnings)),
        tuple(sorted(named)),
        sum(report.partial for report in reports),
        tuple(sorted({name for report in reports for name in report.missing})),
    )


def preference(finding: Finding) -> tuple[bool, int, Finding]:
    """Of several findings at one place, the surest with the shortest witness speaks."""
    return (finding.confidence != "certain", len(finding.witness), finding)


def _graded(problems: Iterable[Problem], named: Iterable[str]) -> tuple[Problem, ...]:
    """Problems of files that somebody has named are errors."""
    here = os.getcwd()
    asked_for = {shown(os.path.realpath(path), here) for path in named}
    return tuple(replace(p, level="error") if p.path in asked_for else p for p in dict.fromkeys(problems))


def _audible(findings: Sequence[Finding], whole: Whole, named: set[str]) -> list[Finding]:
    muted = frozenset(whole.muted)
    kept: dict[str, list[Span]] = {}
    for finding in whole.findings:
        if _is_muted(finding, finding.location, muted):
            kept.setdefault(finding.location.path, []).append(finding.location.span)
    return [
        _held_back(finding, kept.get(finding.location.path, []))
        for finding in findings
        if not _is_muted(finding, finding.location, muted)
        and not all(_is_muted(finding, finding.place_in(path), muted) for path in finding.paths if path in named)
    ]


def _is_muted(finding: Finding, place: Location, muted: _Muted) -> bool:
    return (place.path, place.span.row, finding.code) in muted


def _held_back(finding: Finding, kept: Sequence[Span]) -> Finding:
    """A fix that would also change what a comment says is right as it is, is none. `kept` is in order."""
    spans = [r.span for r in finding.fix.rewrites if r.action != "capture"] if finding.fix else []
    row = min((row for whole in spans if (row := _first_within(whole, kept))), default=0)
    if not row:
        return finding
    return replace(finding, fix=FixPlan("declined", f"what goes with it in line {row} is to stay, by its `# noqa`"))


def _first_within(whole: Span, spans: Sequence[Span]) -> int:
    """The row of the first of the spans, which are in order, that lies in this one; 0 where none does."""
    for position in range(bisect_left(spans, Span(whole.row, whole.column, 0, 0)), len(spans)):
        span = spans[position]
        if (span.row, span.column) > (whole.end_row, whole.end_column):
            break
        if whole.contains(span):
            return span.row
    return 0
