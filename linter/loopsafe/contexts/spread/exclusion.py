"""Which places of a function exclude each other: the branches of one test."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from loopsafe.facts.schema import OPERATING, Attr, Call, Compare, Const, Expr, Guard, Name, Not, Scope, unpack_span
from loopsafe.facts.spelling import is_exact

Tests = tuple[Guard, ...]


class Exclusion:
    """Compares the tests that guards of one function stand for."""

    def __init__(self, scope: Scope) -> None:
        # The last one is for the guard -1: no test at all.
        self._tests: list[Tests] = [() for _ in range(len(scope.guards) + 1)]
        for index, guard in enumerate(scope.guards):
            around = self._tests[guard.parent]
            self._tests[index] = (*around, guard) if guard.kind == "test" else around

    def tests(self, guard: int) -> Tests:
        """The tests that control has to get past, the outermost first."""
        return self._tests[guard]

    def holds(self, one: int, other: int) -> bool:
        """Whether control gets past only one of two guards, each time it comes there."""
        for mine in self._tests[one]:
            for yours in self._tests[other]:
                if mine.holds != yours.holds and mine.parent == yours.parent and _is_same(mine.test, yours.test):
                    return True
        return False


def _is_same(one: Expr, other: Expr) -> bool:
    """Whether two expressions are the same in the text."""
    match one, other:
        case Name(id=mine), Name(id=yours):
            return mine == yours
        case Attr(base=base, name=mine), Attr(base=second, name=yours):
            return mine == yours and _is_same(base, second)
        case Const(value=constant), Const(value=second):
            return constant == second
        case Call(packed_span=here), Call(packed_span=there):
            return here == there
        case Compare(operator=mine), Compare(operator=yours):
            return mine == yours and _is_same(one.left, other.left) and _is_same(one.right, other.right)
    return one is other


def condition(scope: Scope, call: Call) -> int:
    """The innermost guard around a call that may fail: that a statement has returned is no condition."""
    guard = call.guard
    return scope.guards[guard].outer if guard >= 0 and scope.guards[guard].kind == "after" else guard


def outwards(scope: Scope, guard: int) -> Iterator[Guard]:
    """The guard and those around it that are more than calls that have returned."""
    while guard >= 0:
        yield scope.guards[guard]
        guard = scope.guards[guard].outer


def asked_before(scope: Scope, call: Call) -> Call | None:
    """The question to its own object that alone decides on a call: `if not f.done(): f.set_result(x)`.

    None where anything else stands under the question, or under its opposite; but a `return` may come before the call.
    """
    guard = condition(scope, call)
    row = scope.guards[guard] if guard >= 0 else None
    if row is None or row.kind != "test" or call.role != "statement" or call.keywords:
        return None
    asked = _denied(row)
    if asked is None:
        return None
    test, question = asked
    is_own = isinstance(call.func, Attr) and is_exact(call.func.base) and _is_same(call.func.base, question.base)
    # `while` asks again.
    again = any(unpack_span(loop).row == test.span.row for loop in scope.loop_spans)
    if not is_own or again:
        return None
    early = any(
        row.holds != scope.guards[r].holds and _decides(scope, guard, r) for r in scope.returned_under if r >= 0
    )
    return test if early or not any(_decides(scope, guard, one) for one in _others(scope, call)) else None


def _denied(row: Guard) -> tuple[Call, Attr] | None:
    """A question without arguments that has been answered with no, and what is called for it."""
    test, holds = (row.test.value, not row.holds) if isinstance(row.test, Not) else (row.test, row.holds)
    if holds or row.kind != "test" or not isinstance(test, Call) or test.args or test.keywords:
        return None
    return (test, test.func) if isinstance(test.func, Attr) else None


def asked_around(scope: Scope, call: Call, questions: Collection[str]) -> bool:
    """Whether a call is made only where its object has said no to one of these questions, whatever else hangs on it."""
    func = call.func
    if call.role != "statement" or call.keywords or not isinstance(func, Attr) or not is_exact(func.base):
        return False
    for row in outwards(scope, call.guard):
        asked = _denied(row)
        if asked is not None and asked[1].name in questions and _is_same(asked[1].base, func.base):
            return True
    return False


def caught_alone(scope: Scope, call: Call) -> int | None:
    """The handler of a `try` that holds nothing but a call, with an `except` clause of one call, or none."""
    handler = scope.handlers[call.handler] if call.handler >= 0 else None
    is_alone = handler is not None and handler.is_brief and call.role == "statement" and not call.keywords
    return call.handler if is_alone else None


def _others(scope: Scope, call: Call) -> Iterator[int]:
    """The guards of all that a function does, but for one call and for what it reads."""
    yield from (other.guard for other in scope.calls if other is not call)
    for found in (scope.stores, scope.blocks):
        yield from (one.guard for one in found)
    yield from (one.guard for one in scope.implicit if one.kind not in OPERATING)
    yield from (*scope.raises, *scope.returned_under)
    yield from (guard for guards in scope.bound_under.values() for guard in guards)


def _decides(scope: Scope, question: int, guard: int) -> bool:
    """Whether the answer to a question decides on what stands under a guard."""
    test = scope.guards[question].test
    return any(row.kind == "test" and _is_same(row.test, test) for row in outwards(scope, guard))


def is_under_handler(scope: Scope, guard: int, handler: int) -> bool:
    """Whether a place stands in an `except` clause of a `try`."""
    while guard >= 0:
        at = scope.guards[guard]
        if at.kind == "except" and isinstance(at.test, Const) and at.test.value == handler:
            return True
        guard = at.parent
    return False


def surrounds(scope: Scope, outer: int, guard: int) -> bool:
    """Whether what stands under `guard` runs only where what stands under `outer` has run."""
    while guard > outer:
        guard = scope.guards[guard].parent
    return guard == outer
