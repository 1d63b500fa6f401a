"""What the formats are given, and what they say of themselves: plain data, whoever made it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from loopsafe.findings import Edit, Finding, Problem


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """What formats say about a rule. `summary` is one line, `description` a paragraph, `documentation` Markdown.

    `url` is where the documentation can be read; empty where that is not known.
    """

    code: str
    name: str
    summary: str
    documentation: str
    description: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """One run's results, with what the format has asked for.

    `edits` are the text changes of those fixes for which they were worked out; `rows` the text of the files that
    findings lie in, by path; `home` is where the project of the linter itself is. With `colour`, a terminal reads it.
    """

    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...] = ()
    edits: Mapping[Finding, tuple[Edit, ...]] = field(default_factory=dict)
    rules: tuple[RuleInfo, ...] = ()
    version: str = ""
    rows: Mapping[str, Sequence[str]] = field(default_factory=dict)
    home: str = ""
    colour: bool = False

    def row(self, path: str, number: int) -> str | None:
        """A row of a file; None where it is not known."""
        rows = self.rows.get(path, ())
        return rows[number - 1] if 0 < number <= len(rows) else None


Renderer = Callable[[Results], Iterator[str]]
"""Turns results into lines, without line ends."""


@dataclass(frozen=True, slots=True)
class Format:
    """How results are told, and which of them are wanted: what is not need not be worked out.

    `statistics` tells how many findings each rule has instead. A format `for_people` is coloured on a terminal and
    followed by a sentence; one that `tells_problems` leaves nothing to say of them on standard error.
    """

    render: Renderer
    statistics: Renderer | None = None
    edits: bool = False
    rules: bool = False
    rows: bool = False
    for_people: bool = False
    tells_problems: bool = False
