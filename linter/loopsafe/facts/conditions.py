"""Which conditions hold where: tests, early returns, `try` around a call, calls that have returned."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager

from loopsafe.facts.schema import Const, Expr, Guard
from loopsafe.facts.scopes import ScopeBuilder, Walk

# No function that people write has as many early returns.
_MOST_AROUND = 200


class Conditions:
    """Pushes guards onto the open scope; a guard once pushed stays in the scope's table."""

    def __init__(self, file: Walk) -> None:
        self._file = file

    @property
    def _scope(self) -> ScopeBuilder:
        return self._file.scope

    @contextmanager
    def under(self, test: ast.expr, holds: bool) -> Iterator[None]:
        """While reading what runs only if `test` is (not) true. The test itself has been read before."""
        start = self._scope.guard
        self.push(test, holds)
        yield
        self._scope.guard = start

    @contextmanager
    def unknown(self) -> Iterator[None]:
        """While reading what runs only in some cases."""
        start = self._scope.guard
        self._add("other", None, True)
        yield
        self._scope.guard = start

    def push(self, test: ast.expr, holds: bool, kind: str = "test") -> None:
        """`test` is known to be true (false) from here on."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            self.push(test.operand, not holds, kind)
        elif isinstance(test, ast.BoolOp):
            # `a and b` true means both; false means at least one is not, which is weaker: "some".
            every = isinstance(test.op, ast.And) == holds
            for value in test.values:
                self.push(value, holds, kind if every else "some")
        elif isinstance(test, (ast.Compare, ast.Call, ast.Name, ast.Attribute, ast.NamedExpr)):
            # The test has been read where it stands; its calls must not be noted twice.
            meaning = self._file.pure(test)
            self._add(kind if meaning is not None else "other", meaning, holds)
        elif not isinstance(test, ast.Constant):
            self._add("other", None, holds)

    def ended(self, loop: ast.While) -> None:
        """A `while` is over: its test no longer holds, unless a `break` has left it."""
        if not _breaks(loop.body):
            self.push(loop.test, False)

    def after_call(self, call: Expr) -> None:
        """The statement call has returned."""
        self._add("after", call, True)

    def tried(self, body: list[ast.stmt], raised: bool) -> None:
        """The first call of a `try` body has raised, or the whole body went through."""
        # Only the first statement: a handler cannot tell which of the others has run.
        for statement in body[:1]:
            value = getattr(statement, "value", None)
            if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.Expr, ast.Return)) and isinstance(value, ast.Call):
                self._add("try", self._file.pure(value), not raised)

    def caught(self, handler: int, kind: ast.expr | None) -> None:
        """Something in the `try` body that has this handler has raised what an `except` clause names."""
        self._add("except", Const(handler), True)
        if isinstance(kind, ast.Name) and kind.id == "KeyboardInterrupt":
            self._add("interrupt", Const(handler), True)

    def failing(self, test: ast.expr) -> int:
        """The guard under which an `assert` of this test fails."""
        start = self._scope.guard
        self.push(test, False)
        guard, self._scope.guard = self._scope.guard, start
        return guard

    def _add(self, kind: str, test: Expr, holds: bool) -> None:
        scope = self._scope
        parent = scope.guard
        outer = scope.guards[parent].outer if parent >= 0 and scope.guards[parent].kind == "after" else parent
        depth = scope.guard_depths[outer] + 1 if outer >= 0 else 0
        # Whoever asks what holds for a call goes through them all.
        if kind == "after" or depth < _MOST_AROUND:
            scope.guards.append(Guard(kind, test, holds, parent, outer))
            scope.guard_depths.append(depth)
            scope.guard = len(scope.guards) - 1


def _breaks(body: list[ast.stmt]) -> bool:
    """Whether a `break` may leave the loop that has this body."""
    pending: list[ast.AST] = [*body]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Break):
            return True
        if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            pending += node.orelse
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.expr)):
            pending += ast.iter_child_nodes(node)
    return False


def leaves(body: list[ast.stmt]) -> bool:
    """Whether control never runs off the end of this block."""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, (ast.Return, ast.Raise, ast.Continue, ast.Break)):
        return True
    if isinstance(last, ast.If):
        return leaves(last.body) and leaves(last.orelse)
    if isinstance(last, (ast.With, ast.AsyncWith)):
        return leaves(last.body)
    return False
