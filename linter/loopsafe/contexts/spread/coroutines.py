"""Which methods nobody but coroutines is seen to run: where they are, a loop is running."""

from __future__ import annotations

from loopsafe.facts.schema import Scope
from loopsafe.program.index import Index
from loopsafe.program.modules import Module


class Coroutines:
    """Asks who calls a method, by its name."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._alone: dict[Scope, bool] = {}

    def alone_run(self, module: Module, scope: Scope) -> bool:
        """Whether only coroutines run a function: itself one, or a method that nothing else calls."""
        if scope.is_async:
            return True
        known = self._alone.get(scope)
        if known is None:
            self._alone[scope] = False  # one that calls itself says nothing
            known = self._alone[scope] = self._is_only_called(module, scope) and self._are_coroutines(scope.name)
        return known

    def _is_only_called(self, module: Module, scope: Scope) -> bool:
        """Whether a function is a method that is called by its name, and not handed on."""
        around = module.facts.scopes[scope.parent].kind if scope.parent >= 0 else ""
        special = scope.name.endswith("__") or scope.decorators
        return around == "class" and not special and scope.name not in self._index.reads

    def _are_coroutines(self, name: str) -> bool:
        calls = self._index.callers(name)
        return bool(calls) and all(self.alone_run(module, by) for module, by, _ in calls)
