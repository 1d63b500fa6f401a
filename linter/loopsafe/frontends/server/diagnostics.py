"""Findings and problems as the editor's diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lsprotocol.types import (
    CodeDescription,
    Diagnostic,
    DiagnosticRelatedInformation,
    DiagnosticSeverity,
    DiagnosticTag,
    Location,
    Position,
    Range,
)

from loopsafe.findings import Problem, Step
from loopsafe.frontends.rule_info import rule_infos
from loopsafe.frontends.server.board import Result, Told, View
from loopsafe.harmless import printable
from loopsafe.project.noqa import UNUSED

SOURCE = "loopsafe"
_SEVERITIES = {"certain": DiagnosticSeverity.Error, "likely": DiagnosticSeverity.Warning}
_LEVELS = {"error": DiagnosticSeverity.Error, "warning": DiagnosticSeverity.Warning}


class Diagnostics:
    """Makes diagnostics. `address` gives the address of a file by its real path; not each editor shows `related`."""

    def __init__(self, view: View, address: Callable[[str], str], related: bool = True) -> None:
        self._view, self._address, self._related = view, address, related

    def of(self, told: Told) -> Diagnostic:
        """A finding at its place in one file; of a file that the path only passes through, for information."""
        finding = told.finding
        severity = _SEVERITIES[finding.confidence] if told.own else DiagnosticSeverity.Information
        url = rule_pages().get(finding.code, "")
        return Diagnostic(
            range=self._view.of_finding(told.result, told.place),
            severity=severity,
            code=finding.code,
            code_description=CodeDescription(url) if url else None,
            source=SOURCE,
            message=message_of(told),
            tags=[DiagnosticTag.Unnecessary] if finding.code == UNUSED else None,
            related_information=[self._hop(told.result, step) for step in finding.witness] if self._related else None,
            data={"key": told.key},
        )

    def _hop(self, result: Result, step: Step) -> DiagnosticRelatedInformation:
        place = Location(self._address(result.real(step.location.path)), self._view.of_finding(result, step.location))
        return DiagnosticRelatedInformation(place, printable(f"{step.kind}: {step.source}"))


def message_of(told: Told) -> str:
    """What a file is told: also where the path starts and ends, if it only passes through."""
    finding = told.finding
    ends = "" if told.own else f"; starts {finding.witness[0].location}, reaches {finding.location}"
    doubt = "" if finding.confidence == "certain" else f" ({finding.confidence})"
    return printable(f"{finding.message_in_file}{doubt}{ends}")


def of_problem(problem: Problem) -> Diagnostic:
    """Why a file could not be analysed, at the beginning of the row or of the file."""
    at = Position(max(problem.row - 1, 0), max(problem.column - 1, 0))
    return Diagnostic(Range(at, at), printable(problem.message), severity=_LEVELS[problem.level], source=SOURCE)


_PAGES: dict[str, str] = {}


def rule_pages() -> Mapping[str, str]:
    """The pages of the rules, by code; none where the distribution names no place for them."""
    if not _PAGES:
        _PAGES.update((rule.code, rule.url) for rule in rule_infos())
    return _PAGES
