"""For scripts: a list of objects. Their JSON schema is made of the types here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import msgspec

from loopsafe import findings
from loopsafe.findings import Applicability, Confidence, Edit, FixPlan, Step, StepKind
from loopsafe.locations import Span
from loopsafe.render import statistics
from loopsafe.render.as_json import written
from loopsafe.render.results import Format, Results

VERSION = 1
"""Of the schema. Keys may come without a new one; none goes or changes what it means."""

_Number = Annotated[int, msgspec.Meta(ge=1)]
_Function = Annotated[
    str | None,
    msgspec.Meta(description="The function or class around it, by dotted name; null in a module's own code."),
]
_Cell = Annotated[
    _Number | msgspec.UnsetType,
    msgspec.Meta(description="In a notebook, the number of the cell, among all, in which rows count."),
]


class Position(msgspec.Struct, frozen=True):
    """A place in a file. Both numbers begin at 1; columns count characters."""

    row: _Number
    column: _Number


class Change(msgspec.Struct, frozen=True):
    """Put `content` in the place of the text from `location` to `end_location`, which is not part of it."""

    content: str
    location: Position
    end_location: Position


class Fix(msgspec.Struct, frozen=True):
    """What to change, all of it or nothing, and how sure that is. `reason` says why it is unsafe or declined."""

    applicability: Applicability
    reason: str
    edits: list[Change]


class Hop(msgspec.Struct, frozen=True):
    """How control gets on: it `starts` a thread or handler, `calls`, is handed to a `loop`, or `reaches` the line."""

    kind: StepKind
    filename: str
    location: Position
    function: _Function
    source: Annotated[str, msgspec.Meta(description="The text of that place on one line.")]
    cell: _Cell = msgspec.UNSET


class Finding(msgspec.Struct, frozen=True):
    """A finding."""

    code: Annotated[str, msgspec.Meta(pattern="^LSF[0-9]{3}$")]
    name: Annotated[str, msgspec.Meta(description="The rule's name.")]
    message: str
    filename: Annotated[str, msgspec.Meta(description="Relative to the working directory where it lies below.")]
    location: Position
    end_location: Position
    confidence: Confidence
    context: Annotated[str, msgspec.Meta(description="Where the code runs: thread, signal, finalizer, exit, loop, ...")]
    function: _Function
    witness: Annotated[list[Hop], msgspec.Meta(min_length=1, description="The path, from where the context begins.")]
    fix: Fix | None
    cell: _Cell = msgspec.UNSET


def render(results: Results) -> Iterator[str]:
    """One JSON list."""
    yield written([told(finding, results.edits.get(finding, ())) for finding in results.findings])


def told(finding: findings.Finding, edits: Sequence[Edit]) -> dict[str, Any]:
    """The object of a finding."""
    span = finding.location.in_cell
    it = Finding(
        finding.code,
        finding.name,
        finding.message,
        finding.location.path,
        *_ends(span),
        finding.confidence,
        finding.context,
        finding.function or None,
        list(map(_hop, finding.witness)),
        # Null rather than left out, so that scripts may rely on the key.
        _fix(finding.fix, edits) if finding.fix else None,
        finding.location.cell or msgspec.UNSET,
    )
    found: dict[str, Any] = msgspec.to_builtins(it)
    return found


def schema() -> dict[str, Any]:
    """The JSON schema of the list."""
    (found,), named = msgspec.json.schema_components([list[Finding]], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"loopsafe findings, version {VERSION}",
        "description": "What `loopsafe check --output-format json` prints; with `json-lines`, a line is one item.",
        **found,
        "$defs": dict(sorted(named.items())),
    }


def _ends(span: Span) -> tuple[Position, Position]:
    return Position(span.row, span.column), Position(span.end_row, span.end_column)


def _hop(step: Step) -> Hop:
    where = step.location
    place, cell = _ends(where.in_cell)[0], where.cell or msgspec.UNSET
    return Hop(step.kind, where.path, place, step.function or None, step.source, cell)


def _fix(fix: FixPlan, edits: Sequence[Edit]) -> Fix:
    return Fix(fix.applicability, fix.reason, [Change(edit.content, *_ends(edit.span)) for edit in edits])


FORMAT = Format(render, statistics.render_json, edits=True)
