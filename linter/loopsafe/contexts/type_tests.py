"""Branches taken for objects of some class only: which ones a path brings along is often not known."""

from __future__ import annotations

from loopsafe.facts.schema import Attr, Call, Expr, Scope
from loopsafe.program.index import last_name


def depends_on_type(scope: Scope, call: Call) -> bool:
    """Whether a call is made only for what an `isinstance` test lets through, other than the call's own receiver."""
    receiver = call.func.base if isinstance(call.func, Attr) else None
    guard = call.guard
    while guard >= 0:
        row = scope.guards[guard]
        if row.kind == "test" and row.holds and _tests_other(row.test, receiver):
            return True
        guard = row.parent
    return False


def _tests_other(test: Expr, receiver: Expr | None) -> bool:
    return isinstance(test, Call) and last_name(test.func) == "isinstance" and test.args[:1] != (receiver,)
