"""The format of reviewdog, which writes remarks on pull requests, with changes to accept, for many servers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from loopsafe.findings import Edit, Finding, Problem
from loopsafe.locations import Span
from loopsafe.render.as_json import written
from loopsafe.render.lines import plain_hop, plain_remedy
from loopsafe.render.results import Format, Results

# A change that is larger, since it imports something at the top, say, cannot be judged beside one row.
_MOST_ROWS = 10
_SEVERITIES = {"certain": "ERROR", "likely": "WARNING", "error": "ERROR", "warning": "WARNING"}


def render(results: Results) -> Iterator[str]:
    """One result with all diagnostics."""
    urls = {rule.code: rule.url for rule in results.rules}
    columns = _Columns(results)
    told = [_Told(results, finding, columns).diagnostic(urls.get(finding.code, "")) for finding in results.findings]
    source = {"name": "loopsafe", **({"url": results.home} if results.home else {})}
    yield written({"source": source, "diagnostics": [*told, *map(_problem, results.problems)]})


class _Columns:
    """Columns that count the bytes of UTF-8, each from the last one in its row: a row may be all of a large file."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._last: dict[tuple[str, int], tuple[int, int]] = {}

    def of(self, path: str, number: int, column: int) -> int:
        """What the column is, where the row is known; else as if it were ASCII."""
        row = self._results.row(path, number)
        if row is None or row.isascii():
            return column
        known, size = self._last.get((path, number), (1, 1))
        between = row[min(known, column) - 1 : max(known, column) - 1]
        size += len(between.encode("utf-8", "surrogatepass")) * (1 if column > known else -1)
        self._last[path, number] = column, size
        return size


class _Told:
    """One finding."""

    def __init__(self, results: Results, finding: Finding, columns: _Columns) -> None:
        self._results, self._finding, self._columns = results, finding, columns

    def diagnostic(self, url: str) -> dict[str, Any]:
        """The object, with the address of the rule's page where there is one."""
        finding = self._finding
        remedy = [plain_remedy(finding.fix)] if finding.fix else []
        return {
            "message": "\n".join([finding.message_in_file, *map(plain_hop, finding.witness), *remedy]),
            "location": {"path": finding.location.path, "range": self._range(finding.location.in_file)},
            "severity": _SEVERITIES[finding.confidence],
            "code": {"value": finding.code, **({"url": url} if url else {})},
            **self._suggestions(self._results.edits.get(finding, ())),
        }

    def _suggestions(self, edits: Sequence[Edit]) -> dict[str, Any]:
        """One that does all of it: who accepts one of several would break the code."""
        if not edits:
            return {}
        first, last = edits[0].span, edits[-1].span
        rows = [self._results.row(self._finding.location.path, row) for row in range(first.row, last.end_row + 1)]
        if None in rows or len(rows) > _MOST_ROWS:
            return {}
        span = Span(first.row, first.column, last.end_row, last.end_column)
        return {"suggestions": [{"range": self._range(span), "text": self._changed(edits)}]}

    def _changed(self, edits: Sequence[Edit]) -> str:
        parts, row, column = [], edits[0].span.row, edits[0].span.column
        for edit in edits:
            parts += [self._between(Span(row, column, edit.span.row, edit.span.column)), edit.content]
            row, column = edit.span.end_row, edit.span.end_column
        return "".join(parts)

    def _between(self, span: Span) -> str:
        if span.row == span.end_row:
            return self._row(span.row)[span.column - 1 : span.end_column - 1]
        between = [self._row(row) for row in range(span.row + 1, span.end_row)]
        last = self._row(span.end_row)[: span.end_column - 1]
        return "\n".join([self._row(span.row)[span.column - 1 :], *between, last])

    def _range(self, span: Span) -> dict[str, Any]:
        return {"start": self._position(span.row, span.column), "end": self._position(span.end_row, span.end_column)}

    def _position(self, row: int, column: int) -> dict[str, int]:
        return {"line": row, "column": self._columns.of(self._finding.location.path, row, column)}

    def _row(self, row: int) -> str:
        return self._results.row(self._finding.location.path, row) or ""


def _problem(problem: Problem) -> dict[str, Any]:
    place = {"range": {"start": {"line": problem.row, "column": max(problem.column, 1)}}} if problem.row else {}
    location = {"path": problem.path, **place}
    return {"message": problem.message, "location": location, "severity": _SEVERITIES[problem.level]}


FORMAT = Format(render, edits=True, rules=True, rows=True)
