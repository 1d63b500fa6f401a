"""Found, partly found or missed: a labelled line is found when a finding stands on the same statement."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.accuracy.checking import Finding
from benchmarks.accuracy.labels import Label

FOUND, PARTLY, MISSED = "found", "partly", "missed"


@dataclass(frozen=True, slots=True)
class Score:
    """A case's result and, in the order of its lines, the findings that stand on them."""

    label: Label
    result: str
    hits: tuple[Finding, ...]


def score(label: Label, package: Path, findings: Iterable[Finding]) -> Score:
    """Hold the findings of a package against a case in it."""
    here = [finding for finding in findings if finding.path == label.path]
    spans = statement_spans((package / label.path).read_text("utf-8", errors="replace"))
    hits = [on_statement(line, spans, here) for line in label.lines]
    result = FOUND if all(hits) else PARTLY if any(hits) else MISSED
    return Score(label, result, tuple(dict.fromkeys(finding for on_line in hits for finding in on_line)))


def statement_spans(text: str) -> list[tuple[int, int]]:
    """First and last rows of the statements that hold no others, and of compound statements' headers.

    Empty where the running Python cannot parse the text: then only the very line counts.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    return [_span(node) for node in ast.walk(tree) if isinstance(node, ast.stmt)]


def _span(statement: ast.stmt) -> tuple[int, int]:
    body = getattr(statement, "body", None)
    end = statement.end_lineno or statement.lineno
    return statement.lineno, max(statement.lineno, body[0].lineno - 1) if body else end


def on_statement(line: int, spans: list[tuple[int, int]], findings: list[Finding]) -> list[Finding]:
    """The findings, of those of a file, that stand on the same statement as a line."""
    around = [(first, last) for first, last in spans if first <= line <= last]
    first, last = min(around, key=lambda span: span[1] - span[0], default=(line, line))
    return [finding for finding in findings if first <= finding.row <= last]
