"""Where functions may run and why, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from loopsafe.findings import Step
from loopsafe.locations import Location
from loopsafe.render.as_json import written
from loopsafe.render.lines import hop, width_of
from loopsafe.render.painting import Piece, painter
from loopsafe.traces import OFF_LOOP, Reason, Trace

NO_PATH = "no path from the start of a thread is known"
_STYLES = {**dict.fromkeys(OFF_LOOP, "bold red"), "caller": "yellow", "loop": "green"}


def render(traces: Sequence[Trace], colour: bool = False) -> Iterator[str]:
    """Each function with its contexts, and an empty line between two functions."""
    paint = painter(colour)
    for position, trace in enumerate(traces):
        if position:
            yield ""
        yield from (paint(line) for line in _block(trace))


def render_json(traces: Sequence[Trace]) -> Iterator[str]:
    """One JSON list."""
    yield written([_object(trace) for trace in traces])


def _block(trace: Trace) -> Iterator[list[Piece]]:
    yield [(str(trace.location), "bold"), (f"  {trace.function}", "bold")]
    width = width_of(step for reason in trace.reasons for step in reason.path)
    for reason in trace.reasons:
        doubt = "" if reason.certain else " (likely)"
        yield [("  runs ", ""), (reason.where, _STYLES[reason.context]), (doubt, "yellow")]
        yield from (hop(step, width) for step in reason.path)
    if not any(reason.context in OFF_LOOP for reason in trace.reasons):
        yield [(f"  {NO_PATH}", "dim")]


def _object(trace: Trace) -> dict[str, Any]:
    return {"function": trace.function, **_place(trace.location), "contexts": [_reason(r) for r in trace.reasons]}


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "context": reason.context,
        "where": reason.where,
        "confidence": "certain" if reason.certain else "likely",
        "path": [_step(step) for step in reason.path],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "kind": step.kind,
        **_place(step.location),
        "function": step.function or None,
        "source": step.source,
    }


def _place(location: Location) -> dict[str, Any]:
    return {"filename": location.path, "location": {"row": location.span.row, "column": location.span.column}}
