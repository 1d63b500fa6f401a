"""For people: each finding with its witness, how sure it is and what can be done about it."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.findings import Finding, FixPlan, Step
from loopsafe.harmless import printable
from loopsafe.render.painting import Piece, painter
from loopsafe.render.results import Results

_KIND_WIDTH = len("reaches")
_SOURCE_WIDTH = 100
_FIX_STYLES = {"safe": "green", "unsafe": "yellow", "declined": "dim"}


def render(results: Results, colour: bool = False) -> Iterator[str]:
    """The findings, a block each, with an empty line after each block."""
    paint = painter(colour)
    for finding in results.findings:
        yield from (paint(line) for line in _block(finding))
        yield ""


def _block(finding: Finding) -> Iterator[list[Piece]]:
    yield _headline(finding)
    # As wide as what is printed, which is longer than the path where a name needs escapes.
    width = max(len(printable(str(step.location))) for step in finding.witness)
    for step in finding.witness:
        yield hop(step, width)
    if finding.fix:
        yield _remedy(finding.fix)


def _headline(finding: Finding) -> list[Piece]:
    span = finding.location.span
    # A certain finding needs no remark: its line is then the same in every format.
    doubt = "" if finding.confidence == "certain" else f" ({finding.confidence})"
    return [
        (finding.location.path, "bold"),
        (f":{span.row}:{span.column}: ", "cyan"),
        (finding.code, "bold red"),
        (f" {finding.message}", ""),
        (doubt, "yellow"),
    ]


def hop(step: Step, width: int) -> list[Piece]:
    """One line of a witness; places are padded to `width`."""
    return [
        (f"    {step.kind:<{_KIND_WIDTH}}  ", "blue"),
        (f"{printable(str(step.location)):<{width}}  ", "dim"),
        (_shortened(printable(step.source)), ""),
    ]


def _shortened(source: str) -> str:
    # A call can fill many rows of source; here its beginning tells which one it is.
    return source if len(source) <= _SOURCE_WIDTH else f"{source[: _SOURCE_WIDTH - 4]} ..."


def _remedy(fix: FixPlan) -> list[Piece]:
    reason = f": {fix.reason}" if fix.reason else ""
    return [
        (f"    {'fix':<{_KIND_WIDTH}}  ", "blue"),
        (fix.applicability, _FIX_STYLES[fix.applicability]),
        (reason, ""),
    ]
