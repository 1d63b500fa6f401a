"""Moments at which an operation harms nobody: the object is new, or this thread runs the loop itself or wakes it."""

from __future__ import annotations

from collections.abc import Iterable

from loopsafe.contexts.places.flow import Flow, Reached
from loopsafe.contexts.places.place import State
from loopsafe.contexts.spread.helpers import Place
from loopsafe.contexts.spread.thread_tests import given_values
from loopsafe.facts.schema import Attr, Call, Expr, Name, Scope
from loopsafe.program.index import last_name
from loopsafe.program.program import Program
from loopsafe.program.values import Class, External, Value, same_making


def is_just_made(reached: Reached, program: Program) -> bool:
    """Whether the function has made the object right before, and did nothing since but use it."""
    frame, call = reached.state.frame, reached.call
    base = call.func.base if isinstance(call.func, Attr) else None
    before = [
        (value, guard)
        for value, guard in given_values(Place(frame.module, frame.scope), base)
        if isinstance(value, Call) and value.packed_span < call.packed_span
    ]
    if reached.started is not None or not before:
        return False
    made, guard = max(before, key=lambda item: item[0].packed_span)
    makes = any(_is_class(value, program) for value in program.evaluate(frame, made.func).values)
    return makes and _surrounds(frame.scope, guard, call.guard) and not _others(frame.scope, made, call, base)


def runs_the_loop(flow: Flow, loop: Value, states: Iterable[State]) -> bool:
    """Whether one of the functions on the way runs this very loop: it blocks its caller, who then is the loop's."""
    return any(same_making(loop, run) for state in states for run in flow.loops_run.get(state, ()))


def is_woken(reached: Reached, program: Program) -> bool:
    """Whether the function goes on to wake the loop: in a signal handler on its thread that is all that lacks."""
    scope, call = reached.state.frame.scope, reached.call
    knowledge = program.knowledge
    crossing = {name for name, rows in knowledge.runs.items() if any(row.crossing for row in rows)}
    wakers = {name.rpartition(".")[2] for name in crossing - knowledge.operations.keys()}
    after = (c for c in scope.calls if last_name(c.func) in wakers and c.packed_span > call.packed_span)
    return any(_surrounds(scope, condition(scope, c), condition(scope, call)) for c in after)


def condition(scope: Scope, call: Call) -> int:
    """The innermost guard around a call that may fail: that a statement has returned is no condition."""
    guard = call.guard
    return scope.guards[guard].outer if guard >= 0 and scope.guards[guard].kind == "after" else guard


def _is_class(value: Value, program: Program) -> bool:
    return isinstance(value, Class) or (
        isinstance(value, External) and program.knowledge.is_known(program.knowledge.canonical(value.name))
    )


def _surrounds(scope: Scope, outer: int, guard: int) -> bool:
    """Whether what stands under `guard` runs only where what stands under `outer` has run."""
    while guard > outer:
        guard = scope.guards[guard].parent
    return guard == outer


def _others(scope: Scope, made: Call, call: Call, base: Expr) -> bool:
    """Whether anything else is called between the making and the operation, with or without the object."""
    end = (made.span.end_row, made.span.end_column)
    between = [c for c in scope.calls if (c.span.row, c.span.column) >= end and c.packed_span < call.packed_span]
    return any(not (isinstance(c.func, Attr) and _is_same(c.func.base, base)) for c in between)


def _is_same(one: Expr, other: Expr) -> bool:
    if isinstance(one, Attr) and isinstance(other, Attr):
        return one.name == other.name and _is_same(one.base, other.base)
    return isinstance(one, Name) and isinstance(other, Name) and one.id == other.id
