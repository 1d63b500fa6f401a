"""For scripts: a list of objects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from loopsafe.findings import Edit, Finding, FixPlan, Step
from loopsafe.harmless import without_commands
from loopsafe.locations import Span
from loopsafe.render.results import Results


def render(results: Results) -> Iterator[str]:
    """One JSON list."""
    yield written([_finding(finding, results.edits.get(finding, ())) for finding in results.findings])


def written(value: object) -> str:
    """JSON in ASCII, which no encoding can spoil, with no command to a build server in its strings."""
    return without_commands(json.dumps(value, indent=2))


def _finding(finding: Finding, edits: Sequence[Edit]) -> dict[str, Any]:
    return {
        "code": finding.code,
        "name": finding.name,
        "message": finding.message,
        "filename": finding.location.path,
        **_place(finding.location.span),
        "confidence": finding.confidence,
        "context": finding.context,
        "witness": [_step(step) for step in finding.witness],
        # Null rather than left out, so that scripts may rely on the key.
        "fix": _fix(finding.fix, edits) if finding.fix else None,
    }


def _place(span: Span) -> dict[str, Any]:
    return {
        "location": {"row": span.row, "column": span.column},
        "end_location": {"row": span.end_row, "column": span.end_column},
    }


def _step(step: Step) -> dict[str, Any]:
    span = step.location.span
    return {
        "kind": step.kind,
        "filename": step.location.path,
        "location": {"row": span.row, "column": span.column},
        "source": step.source,
    }


def _fix(fix: FixPlan, edits: Sequence[Edit]) -> dict[str, Any]:
    return {
        "applicability": fix.applicability,
        "reason": fix.reason,
        "edits": [{"content": edit.content, **_place(edit.span)} for edit in edits],
    }
