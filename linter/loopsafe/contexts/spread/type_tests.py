"""Branches taken for objects of some class only: which ones a path brings along is often not known."""

from __future__ import annotations

import re

from loopsafe.facts.schema import Attr, Call, Expr, Name, Scope
from loopsafe.facts.spelling import spell
from loopsafe.program.index import last_name
from loopsafe.program.python import COROUTINE_TESTS

# Which branch these choose is mostly not known.
_TESTS = {"isinstance", *COROUTINE_TESTS}
_MEMBER = re.compile(r"[\w.]+")
_NOTHING = frozenset({"None", "Optional", "Union", "typing.Optional", "typing.Union"})


def depends_on_type(scope: Scope, call: Call) -> bool:
    """Whether a call is made only for what a test of its type lets through, other than the call's own receiver.

    A test that must hold (`assert isinstance(...)`), or that only tells the declared class from None, chooses nothing.
    """
    receiver = call.func.base if isinstance(call.func, Attr) else None
    guard = call.guard
    while guard >= 0:
        row = scope.guards[guard]
        chooses = row.kind == "test" and row.holds and _tests_other(row.test, receiver)
        if chooses and not _must_hold(scope, guard) and not _is_declared(scope, row.test):
            return True
        guard = row.outer
    return False


def _tests_other(test: Expr, receiver: Expr | None) -> bool:
    if not isinstance(test, Call) or last_name(test.func) not in _TESTS:
        return False
    return test.args[:1] != (receiver,)


def _must_hold(scope: Scope, guard: int) -> bool:
    """Whether the function raises where this test fails: the failure is the guard noted just before."""
    if guard - 1 not in scope.raises or guard == 0:
        return False
    held, failed = scope.guards[guard], scope.guards[guard - 1]
    return failed.parent == held.parent and not failed.holds and spell(failed.test) == spell(held.test)


def _is_declared(scope: Scope, test: Expr) -> bool:
    """Whether a parameter is tested for the one class that it is declared to be, if it is anything."""
    if not isinstance(test, Call) or len(test.args) != 2 or not isinstance(test.args[0], Name):
        return False
    tested = test.args[0].id
    declared = next((p.annotation for p in scope.parameters if p.name == tested), None)
    if declared is None:
        return False
    return set(_MEMBER.findall(spell(declared))) - _NOTHING == {spell(test.args[1])}
