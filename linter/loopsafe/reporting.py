"""What the analysis has found, told in the places of the user's files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from loopsafe.contexts.analysis import Analysis, Violation
from loopsafe.contexts.contracts import Broken
from loopsafe.contexts.places.place import Hop
from loopsafe.facts.enclosing import Enclosing
from loopsafe.facts.schema import unpack_span
from loopsafe.findings import Finding, FixPlan, Step
from loopsafe.locations import Span
from loopsafe.program.modules import Module
from loopsafe.project import notebooks
from loopsafe.project.sources import NEWLINE
from loopsafe.reading.reader import Read
from loopsafe.rules.base import Rule
from loopsafe.suggestions import Suggestion, Touched

# One is enough to look before the fix is taken; a long list of them is not read.
_MOST_REASONS = 3
_OUT_OF_REACH = FixPlan("declined", "its file lies outside the project, where a link leads")
NOT_REWRITTEN = FixPlan("declined", notebooks.NOT_REWRITTEN)


def _fix(read: Read, plan: FixPlan | None) -> FixPlan | None:
    """The plan, unless nothing is to be written there."""
    if plan is None or plan.applicability == "declined":
        return plan
    reasons = plan.reason.split("; ")
    if len(reasons) > _MOST_REASONS + 1:
        told = "; ".join(reasons[:_MOST_REASONS])
        plan = replace(plan, reason=f"{told}; and {len(reasons) - _MOST_REASONS} more reasons")
    return _OUT_OF_REACH if read.file.foreign else NOT_REWRITTEN if read.cells else plan


class Reporter:
    """Violations -> findings: places in shown paths, source text of each hop."""

    def __init__(self, by_path: Mapping[str, Read]) -> None:
        self._by_path = by_path
        self._lines: dict[str, list[str]] = {}
        self._enclosing: dict[str, Enclosing] = {}
        self._steps: dict[Hop, Step] = {}

    def findings(self, rule: Rule, analysis: Analysis) -> Iterator[Finding]:
        """The findings of one rule."""
        for violation in rule.check(analysis):
            yield self._finding(rule, violation)

    def _finding(self, rule: Rule, violation: Violation) -> Finding:
        read = self._by_path[violation.module.path]
        return Finding(
            location=read.place(violation.span),
            code=rule.code,
            name=rule.name,
            message=rule.message.format(**violation.fields()),
            confidence=violation.confidence,
            context=violation.context,
            witness=tuple(map(self.step, violation.witness)),
            fix=_fix(read, violation.fix),
            api=violation.api,
        )

    def step(self, hop: Hop) -> Step:
        """The place and source text of a hop."""
        if hop not in self._steps:
            self._steps[hop] = self._step(hop)
        return self._steps[hop]

    def _step(self, hop: Hop) -> Step:
        read, span = self._by_path[hop.module.path], unpack_span(hop.packed_span)
        place, source = self._source(read, span)
        return Step(hop.kind, read.place(place), source, self._function(hop.module, span))

    def _function(self, module: Module, span: Span) -> str:
        if module.path not in self._enclosing:
            self._enclosing[module.path] = Enclosing(module.facts)
        name = self._enclosing[module.path].name(span)
        return f"{module.name}.{name}" if name else ""

    def _source(self, read: Read, span: Span) -> tuple[Span, str]:
        """The text of a span on one line; of a class or function, which may be long, the first row is its place."""
        lines = self._lines.get(read.file.shown)
        if lines is None:
            lines = self._lines[read.file.shown] = NEWLINE.split(read.text)
        if span.row == span.end_row:
            return span, lines[span.row - 1][span.column - 1 : span.end_column - 1].strip()
        first = lines[span.row - 1][span.column - 1 :]
        if first.startswith(("class ", "def ", "async def ")):
            first = first.strip()
            return Span(span.row, span.column, span.row, span.column + len(first)), first
        parts = [first, *lines[span.row : span.end_row - 1], lines[span.end_row - 1][: span.end_column - 1]]
        return span, " ".join(" ".join(part.split()) for part in parts)

    def suggestion(self, found: Broken) -> Suggestion:
        """What to say of a claim that is not kept."""
        module, scope = found.claim.module, found.claim.scope
        touched = ((code, self.step(violation.witness[-1])) for code, violation in found.violations)
        touches = tuple(Touched(step.location, step.source, code) for code, step in touched)
        name = f"{module.name}.{scope.qualname}"
        return Suggestion(self.step(Hop("starts", module, scope.packed_span)).location, name, found.says, touches)
