"""Guards: tests that tell whether this is the loop's own thread."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.facts.schema import Attr, Call, Choice, Compare, Const, Expr, Guard, Name, Scope
from loopsafe.knowledge.load import Knowledge
from loopsafe.program.index import last_name
from loopsafe.program.modules import Module

_POSITIVE = {"is": True, "==": True, "in": True, "is not": False, "!=": False, "not in": False}


class Guards:
    """Decides which guards can only be passed on the loop's own thread.

    A test counts by what it calls (`threading.get_ident`, `asyncio.get_running_loop`, `loop.is_running`), also through
    a variable or a helper of the same file.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        self._tells = {name.rpartition(".")[2]: row.tells for name, row in knowledge.tests.items()}
        self._asking: set[tuple[int, int]] = set()
        self._verdicts: dict[tuple[int, int, int], bool] = {}

    def only_on_loop(self, module: Module, scope: Scope, guard: int) -> bool:
        """Whether what stands under this guard runs only on the loop's own thread, or while its loop does not run."""
        while guard >= 0:
            key = (module.index, scope.index, guard)
            if key not in self._verdicts:
                self._verdicts[key] = False  # a helper that asks itself says nothing
                self._verdicts[key] = self._is_on_loop(module, scope, scope.guards[guard])
            if self._verdicts[key]:
                return True
            guard = scope.guards[guard].parent
        return False

    def is_fallback(self, scope: Scope, guard: int) -> bool:
        """Whether this is for loops that cannot watch for signals themselves: on Windows, where signals wake them."""
        while guard >= 0:
            row = scope.guards[guard]
            failed = row.test if row.kind == "try" and not row.holds else None
            if isinstance(failed, Call) and last_name(failed.func) in ("add_signal_handler", "open_signal_receiver"):
                return True
            if row.kind == "test" and _names_windows(row.test) and (not isinstance(row.test, Compare) or row.holds):
                return True
            guard = row.parent
        return False

    def _is_on_loop(self, module: Module, scope: Scope, guard: Guard) -> bool:
        if guard.kind == "after":
            return isinstance(guard.test, Call) and self._asserts(module, scope, guard.test)
        if guard.kind == "try":
            return guard.holds and self._running_loop_call(guard.test)
        return self._says_on_loop(module, scope, guard.test, guard.holds)

    def _says_on_loop(self, module: Module, scope: Scope, test: Expr, holds: bool) -> bool:
        if isinstance(test, Compare):
            return self._comparison(module, scope, test, holds)
        if isinstance(test, Choice):  # what a helper returns: `a and b`, `a or b`
            return any(self._says_on_loop(module, scope, option, holds) for option in test.options)
        if isinstance(test, Call):
            tells = self._tells.get(last_name(test.func))
            if tells == "running":
                return not holds
            if tells == "loop":
                return holds and self._running_loop_call(test)
            return self._helper(module, scope, test, holds)
        if isinstance(test, Name):
            bound = self._bound(scope, test)
            if any(isinstance(b, Compare) for b in bound):
                return any(isinstance(b, Compare) and self._comparison(module, scope, b, holds) for b in bound)
            return holds and any(self._running_loop_call(b) for b in bound)
        return False

    def _comparison(self, module: Module, scope: Scope, test: Compare, holds: bool) -> bool:
        same = _POSITIVE[test.operator] == holds
        sides = (test.left, test.right)
        tells = {self._tell(scope, side) for side in sides}
        if any(isinstance(side, Const) and side.value is None for side in sides):
            return "loop" in tells and not same
        return same and bool(tells & {"thread", "loop"})

    def _tell(self, scope: Scope, expr: Expr) -> str:
        """What an expression tells apart: itself a call of a telling function, or a name bound to one."""
        if isinstance(expr, Attr):  # `threading.current_thread().ident`
            return self._tell(scope, expr.base) if isinstance(expr.base, Call) else ""
        for bound in (expr, *self._bound(scope, expr)):
            if isinstance(bound, Attr):
                bound = bound.base  # noqa: PLW2901
            if isinstance(bound, Call) and last_name(bound.func) in self._tells:
                return self._tells[last_name(bound.func)]
        return ""

    def _bound(self, scope: Scope, expr: Expr) -> tuple[Expr, ...]:
        return scope.bindings.get(expr.id, ()) if isinstance(expr, Name) else ()

    def _running_loop_call(self, expr: Expr) -> bool:
        """Whether this gives a loop only on the thread that runs one; `get_event_loop` also gives one elsewhere."""
        if not isinstance(expr, Call):
            return False
        name = last_name(expr.func)
        return self._tells.get(name) == "loop" and name != "get_event_loop"

    def _helper(self, module: Module, scope: Scope, test: Call, holds: bool) -> bool:
        """A function of this file that returns such a test."""
        return any(self._returns_test(module, helper, holds) for helper in self._named(module, scope, test))

    def _returns_test(self, module: Module, helper: Scope, holds: bool) -> bool:
        key = (module.index, helper.index)
        if key in self._asking:
            return False
        self._asking.add(key)
        found = any(r is not None and self._says_on_loop(module, helper, r, holds) for r in helper.returns)
        self._asking.discard(key)
        return found

    def _asserts(self, module: Module, scope: Scope, test: Call) -> bool:
        """A function of this file that raises unless it is on the loop's thread."""
        helpers = self._named(module, scope, test)
        return any(self._raises_elsewhere(module, helper, guard) for helper in helpers for guard in helper.raises)

    def _raises_elsewhere(self, module: Module, helper: Scope, guard: int) -> bool:
        """Whether a `raise` under this guard is for other threads only."""
        while guard >= 0:
            row = helper.guards[guard]
            if row.kind == "test" and self._says_on_loop(module, helper, row.test, not row.holds):
                return True
            if row.kind == "try" and not row.holds and self._running_loop_call(row.test):
                return True
            guard = row.parent
        return False

    def _named(self, module: Module, scope: Scope, test: Call) -> Iterator[Scope]:
        """Functions that a call may mean: a method of this class, or a function of this file."""
        name = last_name(test.func)
        of_self = isinstance(test.func, Attr)
        for helper in module.facts.scopes:
            if helper.kind == "function" and helper.name == name:
                around = module.facts.scopes[helper.parent]
                if (around.kind == "class") == of_self:
                    yield helper


def _names_windows(test: Expr) -> bool:
    if isinstance(test, Compare):
        return any(isinstance(s, Const) and s.value in ("win32", "nt", "Windows") for s in (test.left, test.right))
    return "windows" in last_name(test).lower() or "add_signal_handler" in last_name(test)
