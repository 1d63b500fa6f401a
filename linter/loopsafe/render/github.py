"""GitHub Actions' workflow commands: each finding becomes an annotation on its line of the pull request."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.findings import Finding, Step
from loopsafe.locations import Span
from loopsafe.render import concise
from loopsafe.render.painting import printable
from loopsafe.render.results import Results


def render(results: Results) -> Iterator[str]:
    """One workflow command a finding: an error where it is certain, else a warning."""
    return map(_command, results.findings)


def _command(finding: Finding) -> str:
    level = "error" if finding.confidence == "certain" else "warning"
    properties = {
        "title": f"{finding.code} {finding.name} ({finding.confidence})",
        "file": finding.location.path,
        **_place(finding.location.span),
    }
    listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    # An annotation has no other place for the witness than its message.
    message = "\n".join([concise.line(finding), *map(_hop, finding.witness)])
    return f"::{level} {listed}::{_data(message)}"


def _place(span: Span) -> dict[str, int]:
    rows = {"line": span.row, "endLine": span.end_row}
    # GitHub drops an annotation that has columns and more than one row.
    return rows if span.row != span.end_row else {**rows, "col": span.column, "endColumn": span.end_column}


def _hop(step: Step) -> str:
    return printable(f"{step.kind} {step.location} {step.source}")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
