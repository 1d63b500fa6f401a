"""What a test says of the value that is used under it: `isinstance`, `hasattr`, `iscoroutinefunction` and the like."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from loopsafe.facts.schema import Attr, Call, Choice, Collection, Const, Expr, Name, Scope
from loopsafe.program.declared_types import DeclaredTypes
from loopsafe.program.graph import Graph
from loopsafe.program.index import last_name
from loopsafe.program.python import COROUTINE_FUNCTION_TESTS, COROUTINE_TESTS
from loopsafe.program.rebound import bound_again_in
from loopsafe.program.solver import Node
from loopsafe.program.values import Coroutine, Frame, Function, Method, Value

_OF_TWO = ("isinstance", "hasattr")


@dataclass(frozen=True, slots=True, eq=False)
class _Test:
    """A call that tests its first argument, and whether it is known to be true or false.

    It speaks of the argument wherever that is read, or only of its names in `only`.
    """

    subject: Expr
    call: Call
    holds: bool
    only: frozenset[Name] | None


class Narrowing:
    """Gives the node of an expression under a guard, without the values that a test there rules out."""

    def __init__(self, graph: Graph, types: DeclaredTypes) -> None:
        self._graph, self._types = graph, types
        self._tests: dict[tuple[Scope, int], tuple[_Test, ...]] = {}

    def evaluate(self, frame: Frame, expr: Expr, guard: int) -> Node:
        """What an expression holds where this guard of its scope holds."""
        found = self._graph.evaluate(frame, expr)
        tests = self._tests_under(frame.scope, guard)
        relevant = [t for t in tests if _are_same(t.subject, expr) and (t.only is None or expr in t.only)]
        if relevant:
            return self._narrowed(frame, expr, guard, found, relevant)
        if tests and isinstance(expr, Attr):
            base = self.evaluate(frame, expr.base, guard)
            if base is not self._graph.evaluate(frame, expr.base):
                return self._attribute(frame, expr, guard, base)
        return found

    def _narrowed(self, frame: Frame, expr: Expr, guard: int, node: Node, tests: list[_Test]) -> Node:
        known = frame.nodes.get((expr, guard))
        if known is None:
            for test in tests:
                node = self._through(frame, node, test)
            known = frame.nodes[expr, guard] = node
        assert isinstance(known, Node)
        return known

    def _attribute(self, frame: Frame, expr: Attr, guard: int, base: Node) -> Node:
        known = frame.nodes.get((expr, guard))
        if known is None:
            node = known = frame.nodes[expr, guard] = Node()
            solver = self._graph.solver
            solver.listen(base, lambda value: solver.link(self._graph.attribute(value, expr.name), node))
        assert isinstance(known, Node)
        return known

    def _tests_under(self, scope: Scope, guard: int) -> tuple[_Test, ...]:
        found = self._tests.get((scope, guard))
        if found is None:
            found = self._tests[scope, guard] = tuple(_tests(scope, guard))
        return found

    def _through(self, frame: Frame, node: Node, test: _Test) -> Node:
        kept, solver, allows = Node(), self._graph.solver, self._allows(frame, test)

        def enter(value: Value) -> None:
            if allows(value):
                solver.add(kept, value)

        solver.listen(node, enter)
        return kept

    def _allows(self, frame: Frame, test: _Test) -> Callable[[Value], bool]:
        name = last_name(test.call.func)
        if name in COROUTINE_FUNCTION_TESTS:
            return lambda value: _is_coroutine_function(value) in (None, test.holds)
        if name in COROUTINE_TESTS:
            return lambda value: _is_coroutine(value) in (None, test.holds)
        types, second = self._types, test.call.args[1]
        if name == "hasattr":
            attribute = second.value if isinstance(second, Const) else None
            return lambda value: not isinstance(attribute, str) or types.has(value, attribute) in (None, test.holds)
        classes = [(frame, cls) for cls in _classes(second)]
        if test.holds:
            return lambda value: types.may_be(value, classes)
        return lambda value: not types.must_be(value, classes)


def _tests(scope: Scope, guard: int) -> Iterator[_Test]:
    while guard >= 0:
        row = scope.guards[guard]
        if row.kind == "test" and isinstance(row.test, Call) and row.test.args:
            name, subject = last_name(row.test.func), row.test.args[0]
            wanted = 2 if name in _OF_TWO else 1
            known = name in _OF_TWO or name in COROUTINE_FUNCTION_TESTS or name in COROUTINE_TESTS
            if known and len(row.test.args) == wanted:
                if _is_steady(scope, subject):
                    yield _Test(subject, row.test, row.holds, None)
                elif isinstance(subject, Name) and (only := bound_again_in(scope, guard, subject.id)):
                    yield _Test(subject, row.test, row.holds, only)
        guard = row.outer


def _is_steady(scope: Scope, expr: Expr) -> bool:
    """Whether an expression means the same thing all over the scope: what is bound once, and not stored to."""
    while isinstance(expr, Attr):
        if any(store.name == expr.name for store in scope.stores):
            return False
        expr = expr.base
    if not isinstance(expr, Name):
        return False
    given = any(parameter.name == expr.id for parameter in scope.parameters)
    return given + len(scope.bindings.get(expr.id, ())) <= 1


def _are_same(a: Expr, b: Expr) -> bool:
    while isinstance(a, Attr) and isinstance(b, Attr) and a.name == b.name:
        a, b = a.base, b.base
    return isinstance(a, Name) and isinstance(b, Name) and a.id == b.id


def _classes(expr: Expr) -> tuple[Expr, ...]:
    """The classes of `(A, B)` and `A | B`."""
    if isinstance(expr, Collection):
        return expr.items
    return expr.options if isinstance(expr, Choice) else (expr,)


def _is_coroutine_function(value: Value) -> bool | None:
    """None where that cannot be told: of partials, objects, and what libraries have."""
    function = value.function if isinstance(value, Method) else value
    return function.scope.is_async and not function.scope.is_generator if isinstance(function, Function) else None


def _is_coroutine(value: Value) -> bool | None:
    scope = value.frame.scope if isinstance(value, Coroutine) else None
    return scope.is_async and not scope.is_generator if scope is not None else None
