"""For people: each finding with its row of source, its witness, how sure it is and what can be done about it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from loopsafe.findings import Finding, FixPlan
from loopsafe.harmless import printable
from loopsafe.render import statistics
from loopsafe.render.lines import KIND_WIDTH, hop, width_of
from loopsafe.render.painting import Piece, painter
from loopsafe.render.results import Format, Results

_ROW_WIDTH = 100
# Of a long row so much is shown before the operation.
_BEFORE = 20
_CUT = "... "
_FIX_STYLES = {"safe": "green", "unsafe": "yellow", "declined": "dim"}


def render(results: Results) -> Iterator[str]:
    """The findings, a block each, with an empty line after each block."""
    paint = painter(results.colour)
    for finding in results.findings:
        yield from (paint(pieces) for pieces in _block(finding, results))
        yield ""


def _block(finding: Finding, results: Results) -> Iterator[list[Piece]]:
    yield _headline(finding)
    row = results.row(finding.location.path, finding.location.span.row)
    # It may have changed meanwhile.
    if row is not None and finding.location.span.column <= len(row):
        yield from _excerpt(finding, row)
    width = width_of(finding.witness)
    for step in finding.witness:
        yield hop(step, width)
    if finding.fix:
        yield _remedy(finding.fix)


def _headline(finding: Finding) -> list[Piece]:
    # A certain finding needs no remark: its line is then the same in every format.
    doubt = "" if finding.confidence == "certain" else f" ({finding.confidence})"
    return [
        (finding.location.path, "bold"),
        (f":{finding.location.told}: ", "cyan"),
        (finding.code, "bold red"),
        (f" {finding.message}", ""),
        (doubt, "yellow"),
    ]


def _excerpt(finding: Finding, row: str) -> Iterator[list[Piece]]:
    """The row of source, without its indentation, and carets under the operation."""
    span = finding.location.span
    start = span.column - 1
    end = span.end_column - 1 if span.row == span.end_row else len(row)
    # Not by the whole row, which may be all of a large file and hold thousands of findings.
    before = row[max(0, start - _ROW_WIDTH + _BEFORE) : start]
    cut = "" if start <= len(before) or before.isspace() else _CUT
    first = start - (_BEFORE if cut else len(before.lstrip()))
    shown = row[first : first + _ROW_WIDTH].rstrip()
    marked = row[start : min(end, first + len(shown))]
    more = f" {_CUT.rstrip()}" if row[first + _ROW_WIDTH : first + 2 * _ROW_WIDTH].strip() else ""
    gutter = f"{finding.location.in_cell.row:>{KIND_WIDTH + 4}} | "
    yield [(gutter, "blue"), (f"{cut}{shown}{more}", "")]
    space = " " * (len(gutter) - 2) + "| " + " " * _cells(cut + row[first:start])
    yield [(space, "blue"), ("^" * max(_cells(marked), 1), "bold red")]


def _cells(text: str) -> int:
    """How wide a terminal draws a text as it is printed."""
    wide = {"W": 2, "F": 2}
    return sum(
        0 if unicodedata.combining(char) else wide.get(unicodedata.east_asian_width(char), 1)
        for char in printable(text)
    )


def _remedy(fix: FixPlan) -> list[Piece]:
    reason = f": {fix.reason}" if fix.reason else ""
    return [
        (f"    {'fix':<{KIND_WIDTH}}  ", "blue"),
        (fix.applicability, _FIX_STYLES[fix.applicability]),
        (reason, ""),
    ]


FORMAT = Format(render, statistics.render, rows=True, for_people=True)
