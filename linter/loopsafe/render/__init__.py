"""Findings as text, JSON, SARIF and so on: one module a format, all listed in `FORMATS`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from loopsafe.render import concise, github, json, sarif, statistics, text
from loopsafe.render.results import Results, RuleInfo

__all__ = ["FORMATS", "STATISTICS", "WITH_EDITS", "WITH_RULES", "Renderer", "Results", "RuleInfo"]

Renderer = Callable[[Results], Iterator[str]]
"""Turns results into lines, without line ends."""

FORMATS: dict[str, Renderer] = {
    "text": text.render,
    "concise": concise.render,
    "json": json.render,
    "github": github.render,
    "sarif": sarif.render,
}

STATISTICS: dict[str, Renderer] = {
    "text": statistics.render,
    "concise": statistics.render,
    "json": statistics.render_json,
}

WITH_EDITS = frozenset({"json", "sarif"})
"""The formats that carry `Results.edits`; for the others they need not be worked out."""

WITH_RULES = frozenset({"sarif"})
"""The formats that carry `Results.rules`."""
