"""One line a finding: `path:row:column: CODE message`."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.render import statistics
from loopsafe.render.lines import line
from loopsafe.render.results import Format, Results


def render(results: Results) -> Iterator[str]:
    """The findings, a line each."""
    return map(line, results.findings)


FORMAT = Format(render, statistics.render)
