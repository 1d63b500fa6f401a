"""SARIF 2.1.0, for code scanning: rules, findings with their witness as a code flow, and fixes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import quote

from loopsafe.findings import Edit, Finding, FixPlan, Problem, Step
from loopsafe.locations import Location, Span
from loopsafe.render.json import written
from loopsafe.render.results import Results, RuleInfo

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"certain": "error", "likely": "warning"}


def render(results: Results) -> Iterator[str]:
    """One SARIF log with one run."""
    yield written({"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(results)]})


def _run(results: Results) -> dict[str, Any]:
    indices = {rule.code: index for index, rule in enumerate(results.rules)}
    driver = {"name": "loopsafe", "version": results.version, "rules": [_rule(rule) for rule in results.rules]}
    return {
        "tool": {"driver": driver},
        # Columns count characters; without this, readers take them for UTF-16 units.
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(results.problems)],
        "results": [
            _result(finding, results.edits.get(finding, ()), indices, fingerprint)
            for finding, fingerprint in zip(results.findings, _fingerprints(results.findings), strict=True)
        ],
    }


def _rule(rule: RuleInfo) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        # `text` is for viewers that cannot show Markdown; the format demands it.
        "help": {"text": rule.documentation, "markdown": rule.documentation},
        "defaultConfiguration": {"level": "error"},
    }


def _invocation(problems: Sequence[Problem]) -> dict[str, Any]:
    return {
        "executionSuccessful": all(problem.level == "warning" for problem in problems),
        "toolExecutionNotifications": [_notification(problem) for problem in problems],
    }


def _notification(problem: Problem) -> dict[str, Any]:
    # A region must have a row; where none is known, the whole file is meant.
    region = {"region": {"startLine": problem.row, "startColumn": max(problem.column, 1)}} if problem.row else {}
    place = {"artifactLocation": {"uri": _uri(problem.path)}, **region}
    return {"level": problem.level, "message": {"text": problem.message}, "locations": [{"physicalLocation": place}]}


def _result(finding: Finding, edits: Sequence[Edit], indices: dict[str, int], fingerprint: str) -> dict[str, Any]:
    index = {"ruleIndex": indices[finding.code]} if finding.code in indices else {}
    fixes = {"fixes": [_fix(finding, edits)]} if edits else {}
    return {
        "ruleId": finding.code,
        **index,
        "level": _LEVELS[finding.confidence],
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": _physical(finding.location)}],
        "codeFlows": [{"threadFlows": [{"locations": [{"location": _hop(step)} for step in finding.witness]}]}],
        **fixes,
        "partialFingerprints": {"loopsafe/v1": fingerprint},
        "properties": {"confidence": finding.confidence, "context": finding.context, "fix": _safety(finding.fix)},
    }


def _fingerprints(findings: Sequence[Finding]) -> Iterator[str]:
    """A name for each finding that stays when lines move: its file, code and text, and its number among equals."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for finding in findings:
        identity = (finding.location.path, finding.code, finding.witness[-1].source)
        seen[identity] += 1
        yield sha256(json.dumps([*identity, seen[identity]]).encode()).hexdigest()


def _hop(step: Step) -> dict[str, Any]:
    return {"physicalLocation": _physical(step.location), "message": {"text": f"{step.kind} {step.source}"}}


def _safety(fix: FixPlan | None) -> dict[str, str] | None:
    return {"applicability": fix.applicability, "reason": fix.reason} if fix else None


def _fix(finding: Finding, edits: Sequence[Edit]) -> dict[str, Any]:
    kind = finding.fix.applicability if finding.fix else ""
    reason = f": {finding.fix.reason}" if finding.fix and finding.fix.reason else ""
    replacements = [{"deletedRegion": _region(e.span), "insertedContent": {"text": e.content}} for e in edits]
    change = {"artifactLocation": {"uri": _uri(finding.location.path)}, "replacements": replacements}
    return {"description": {"text": f"{kind} fix{reason}"}, "artifactChanges": [change]}


def _physical(location: Location) -> dict[str, Any]:
    return {"artifactLocation": {"uri": _uri(location.path)}, "region": _region(location.span)}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.row,
        "startColumn": span.column,
        "endLine": span.end_row,
        "endColumn": span.end_column,
    }


def _uri(path: str) -> str:
    for kind in (PurePosixPath, PureWindowsPath):
        if kind(path).is_absolute():
            return kind(path).as_uri()
    # A lone surrogate stands for a byte of the name that is not UTF-8; URIs carry such bytes as they are.
    return quote(path.encode("utf-8", "surrogateescape"))
