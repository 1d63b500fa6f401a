"""The objects of the format `json`, a line each, for what reads one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.render.as_json import written
from loopsafe.render.formats.json import told
from loopsafe.render.results import Format, Results


def render(results: Results) -> Iterator[str]:
    """The findings, a line each."""
    for finding in results.findings:
        yield written(told(finding, results.edits.get(finding, ())), indent=None)


FORMAT = Format(render, edits=True)
