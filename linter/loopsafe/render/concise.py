"""One line a finding: `path:row:column: CODE message`."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.findings import Finding
from loopsafe.harmless import printable
from loopsafe.render.results import Results


def line(finding: Finding) -> str:
    """The one line that stands for a finding, also in other formats."""
    return printable(f"{finding.location}: {finding.code} {finding.message}")


def render(results: Results) -> Iterator[str]:
    """The findings, a line each."""
    return map(line, results.findings)
