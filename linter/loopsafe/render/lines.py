"""Lines that several outputs share: a finding on one, and a hop of a path."""

from __future__ import annotations

from collections.abc import Iterable

from loopsafe.findings import Finding, FixPlan, Step
from loopsafe.harmless import printable
from loopsafe.render.painting import Piece

KIND_WIDTH = len("reaches")
_SOURCE_WIDTH = 100


def line(finding: Finding) -> str:
    """The one line that stands for a finding: `path:row:column: CODE message`."""
    return printable(f"{finding.location}: {finding.code} {finding.message}")


def plain_hop(step: Step) -> str:
    """A hop where nothing is aligned."""
    return printable(f"{step.kind} {step.location} {step.source}")


def plain_remedy(fix: FixPlan) -> str:
    """How sure a fix is, and why."""
    return printable(f"fix {fix.applicability}{f': {fix.reason}' if fix.reason else ''}")


def width_of(steps: Iterable[Step]) -> int:
    """How wide the places of hops are as printed, which is longer than the path where a name needs escapes."""
    return max((len(printable(str(step.location))) for step in steps), default=0)


def hop(step: Step, width: int) -> list[Piece]:
    """One line of a path; places, which terminals make links of, are padded to `width`."""
    return [
        (f"    {step.kind:<{KIND_WIDTH}}  ", "blue"),
        (f"{printable(str(step.location)):<{width}}  ", "dim"),
        (_shortened(printable(step.source)), ""),
    ]


def _shortened(source: str) -> str:
    # A call can fill many rows of source; here its beginning tells which one it is.
    return source if len(source) <= _SOURCE_WIDTH else f"{source[: _SOURCE_WIDTH - 4]} ..."
