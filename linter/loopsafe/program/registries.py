"""Registries of a project's own: handlers are kept under a name, and called by that name. `bus.on("a", f)`,
`bus.emit("a")`. What is kept under one constant name is not called under another."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from loopsafe.facts.schema import Attr, Call, Choice, Expr, Item, Name, Scope, Subscript
from loopsafe.program.index import Index
from loopsafe.program.modules import Module
from loopsafe.program.python import PUTTERS

_LOOKED_UP_WITH = frozenset({"get", "setdefault", "pop"})
# Something that so many calls may mean is no registry, but a dict by another name.
_MOST_CALLS = 64


class Registries:
    """Knows the parameters that are keys of registries: of functions that put handlers in, or call them."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._found: dict[Scope, dict[Scope, frozenset[str]]] = {}

    def keys(self, module: Module, scope: Scope) -> frozenset[str]:
        """The parameters of a function by which it finds handlers."""
        if scope.kind != "function" or scope.parent < 0:
            return frozenset()
        around = module.facts.scopes[scope.parent]
        found = self._found.get(around)
        if found is None:
            found = self._found[around] = self._read(around)
        return found.get(scope, frozenset())

    def _read(self, around: Scope) -> dict[Scope, frozenset[str]]:
        functions = [scope for scope in self._index.inner.get(around, ()) if scope.kind == "function"]
        puts = {scope: frozenset(self._used(scope, _puts)) for scope in functions}
        if not any(puts.values()):
            return {}
        fires = {scope: frozenset(self._used(scope, _fires)) for scope in functions}
        if not any(fires.values()):
            return {}
        few = (scope for scope in functions if len(self._index.callers(scope.name)) <= _MOST_CALLS)
        return {scope: puts[scope] | fires[scope] for scope in few}

    def _used(self, function: Scope, uses: Callable[[Scope], Iterator[str]]) -> Iterator[str]:
        own = {p.name for p in function.parameters if p.name not in function.bindings}
        for scope in self._index.within(function):
            yield from (name for name in uses(scope) if name in own)


def _puts(scope: Scope) -> Iterator[str]:
    """The names under which a function keeps what it is given."""
    for store in scope.stores:
        if store.name is None and isinstance(store.index, Name) and isinstance(store.value, Name):
            yield store.index.id
    for call in scope.calls:
        at = PUTTERS.get(call.func.name, len(call.args)) if isinstance(call.func, Attr) else len(call.args)
        if isinstance(call.func, Attr) and at < len(call.args) and isinstance(call.args[at], Name):
            yield from _keys_in(call.func.base)


def _fires(scope: Scope) -> Iterator[str]:
    """The names under which a function finds what it calls."""
    for call in scope.calls:
        held = scope.bindings.get(call.func.id, ()) if isinstance(call.func, Name) else (call.func,)
        for value in held:
            yield from _keys_in(value.base if isinstance(value, Item) else value)


def _keys_in(expr: Expr) -> Iterator[str]:
    """The names by which an expression looks something up."""
    if isinstance(expr, Subscript):
        if isinstance(expr.index, Name):
            yield expr.index.id
        yield from _keys_in(expr.base)
    elif isinstance(expr, Choice):
        for option in expr.options:
            yield from _keys_in(option)
    elif isinstance(expr, Call):
        if isinstance(expr.func, Attr):
            if expr.func.name in _LOOKED_UP_WITH and expr.args and isinstance(expr.args[0], Name):
                yield expr.args[0].id
            yield from _keys_in(expr.func.base)
        elif expr.args:
            yield from _keys_in(expr.args[0])
