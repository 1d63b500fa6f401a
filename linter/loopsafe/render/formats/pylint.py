"""What flake8 and ruff call pylint's format, and readers of pylint take: `path:row: [CODE] message`."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.findings import Finding
from loopsafe.harmless import printable
from loopsafe.render.results import Format, Results


def render(results: Results) -> Iterator[str]:
    """The findings, a line each."""
    return map(_line, results.findings)


def _line(finding: Finding) -> str:
    place = finding.location
    return printable(f"{place.path}:{place.in_file.row}: [{finding.code}] {finding.message_in_file}")


FORMAT = Format(render)
