"""SARIF 2.1.0, for code scanning: rules, findings with their witness as a code flow, and fixes.

It has what GitHub's documentation on SARIF names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import quote

from loopsafe.findings import Edit, Finding, FixPlan, Problem, Step
from loopsafe.locations import Location, Span
from loopsafe.render.as_json import written
from loopsafe.render.fingerprints import fingerprints
from loopsafe.render.results import Format, Results, RuleInfo

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"certain": "error", "likely": "warning"}
# What GitHub takes of a description.
_LONGEST = 1024


def render(results: Results) -> Iterator[str]:
    """One SARIF log with one run."""
    yield written(log([run(results)]))


def log(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """A log with these runs."""
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": runs}


def run(results: Results) -> dict[str, Any]:
    """The object of a run."""
    indices = {rule.code: index for index, rule in enumerate(results.rules)}
    return {
        "tool": {"driver": _driver(results)},
        # Columns count characters; without this, readers take them for UTF-16 units.
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(results.problems)],
        "results": [
            _result(finding, results.edits.get(finding, ()), indices, fingerprint)
            for finding, fingerprint in zip(results.findings, fingerprints(results.findings), strict=True)
        ],
    }


def _driver(results: Results) -> dict[str, Any]:
    home = {"informationUri": results.home} if results.home else {}
    version = {"version": results.version, "semanticVersion": results.version} if results.version else {}
    return {"name": "loopsafe", **version, **home, "rules": [_rule(rule) for rule in results.rules]}


def _rule(rule: RuleInfo) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": (rule.description or rule.summary)[:_LONGEST]},
        **({"helpUri": rule.url} if rule.url else {}),
        # `text` is for viewers that cannot show Markdown; the format demands it.
        "help": {"text": rule.documentation, "markdown": rule.documentation},
        "defaultConfiguration": {"level": "error"},
        # What is less sure is a warning, by its own level. docs/accuracy.md has how often findings are true.
        "properties": {
            "precision": "high",
            "problem.severity": "error",
            "tags": ["asyncio", "concurrency", "correctness"],
        },
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
    way = [_hop(step) for step in finding.witness]
    before = [{"id": number, **hop} for number, hop in enumerate(way[:-1], 1)]
    return {
        "ruleId": finding.code,
        **index,
        "level": _LEVELS[finding.confidence],
        "message": {"text": _message(finding)},
        "locations": [{"physicalLocation": _physical(finding.location), **_function(finding.function)}],
        **({"relatedLocations": before} if before else {}),
        "codeFlows": [{"threadFlows": [{"locations": [{"location": hop} for hop in way]}]}],
        **fixes,
        # Not `primaryLocationLineHash`: GitHub's action for uploads computes that, and warns of another one.
        "partialFingerprints": {"loopsafe/v1": fingerprint},
        "properties": {"confidence": finding.confidence, "context": finding.context, "fix": _safety(finding.fix)},
    }


def _message(finding: Finding) -> str:
    """The message and, where the path is longer than a hop, a link to its beginning: the first related location."""
    if len(finding.witness) == 1:
        return finding.message_in_file
    start = finding.witness[0].location
    place = re.sub(r"([\\\[\]])", r"\\\1", str(start) if start.cell else f"{start.path}:{start.span.row}")
    return f"{finding.message_in_file}. The path there begins at [{place}](1)."


def _hop(step: Step) -> dict[str, Any]:
    physical, span = _physical(step.location), step.location.in_file
    if step.kind == "starts" and span.row != span.end_row:
        # Viewers show all of it, and a row says enough: up to its end, where no other end is given.
        physical["region"] = {"startLine": span.row, "startColumn": span.column, "endLine": span.row}
    return {
        "physicalLocation": physical,
        **_function(step.function),
        "message": {"text": f"{step.kind}{f' {step.location}' if step.location.cell else ''} {step.source}"},
    }


def _function(name: str) -> dict[str, Any]:
    return {"logicalLocations": [{"fullyQualifiedName": name}]} if name else {}


def _safety(fix: FixPlan | None) -> dict[str, str] | None:
    return {"applicability": fix.applicability, "reason": fix.reason} if fix else None


def _fix(finding: Finding, edits: Sequence[Edit]) -> dict[str, Any]:
    kind = finding.fix.applicability if finding.fix else ""
    reason = f": {finding.fix.reason}" if finding.fix and finding.fix.reason else ""
    replacements = [{"deletedRegion": _region(e.span), "insertedContent": {"text": e.content}} for e in edits]
    change = {"artifactLocation": {"uri": _uri(finding.location.path)}, "replacements": replacements}
    return {"description": {"text": f"{kind} fix{reason}"}, "artifactChanges": [change]}


def _physical(location: Location) -> dict[str, Any]:
    return {"artifactLocation": {"uri": _uri(location.path)}, "region": _region(location.in_file)}


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


FORMAT = Format(render, edits=True, rules=True)
