"""What the formats are given: plain data, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from loopsafe.findings import Edit, Finding, Problem


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """What formats say about a rule. `documentation` is Markdown; `summary` is one line."""

    code: str
    name: str
    summary: str
    documentation: str


@dataclass(frozen=True, slots=True)
class Results:
    """One run's results. `edits` holds the text changes of those fixes for which they were worked out."""

    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...] = ()
    edits: Mapping[Finding, tuple[Edit, ...]] = field(default_factory=dict)
    rules: tuple[RuleInfo, ...] = ()
    version: str = ""
