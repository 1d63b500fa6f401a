"""Which functions of installed libraries the project's code may get to, by their names alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from loopsafe.facts.parts import expressions_in
from loopsafe.facts.schema import OPERATING, Attr, Call, Const, Name, Scope
from loopsafe.program.modules import Module, Modules


class Reached:
    """Names that the project speaks of, and those that the functions of libraries with such names speak of."""

    def __init__(self, modules: Modules) -> None:
        self._names: set[str] = set()
        self._waiting: dict[str, list[tuple[Module, Scope]]] = defaultdict(list)
        self._scopes: set[Scope] = set()
        fresh: list[Scope] = []
        for module in modules.all:
            for scope in module.facts.scopes:
                if not module.library or scope.kind == "module":
                    fresh.append(scope)
                elif scope.kind in ("class", "function"):
                    self._waiting[scope.name].append((module, scope))
        self._modules = {scope: module for module in modules.all for scope in module.facts.scopes if module.library}
        while fresh:
            names = {name for scope in fresh for name in _spoken_of(scope)} - self._names
            self._names |= names
            fresh = [scope for name in names for scope in self._named(name)]

    def __contains__(self, scope: Scope) -> bool:
        """Whether control may get into a library's function: one in another may where that may."""
        module = self._modules[scope]
        while scope.kind != "module":
            around = module.facts.scopes[scope.parent]
            if scope.kind != "lambda" and not _is_special(scope.name) and scope.name not in self._names:
                return False
            scope = around
        return True

    def _named(self, name: str) -> Iterator[Scope]:
        """The scopes that a name brings with it: a function, or a class with what Python calls by itself."""
        for module, scope in self._waiting.pop(name, ()):
            yield scope
            for inner in module.facts.scopes:
                if inner.parent == scope.index and (_is_special(inner.name) or inner.kind == "lambda"):
                    yield inner


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _spoken_of(scope: Scope) -> Iterator[str]:
    """The names in what a function or class does, and the strings it calls something with."""
    implicit = [each for each in scope.implicit if each.kind not in OPERATING]
    for part in expressions_in(
        *scope.bindings.values(), scope.stores, scope.calls, scope.reads, scope.blocks, implicit, scope.returns,
        scope.yields, scope.decorators, scope.bases, [parameter.default for parameter in scope.parameters],
    ):  # fmt: skip
        if isinstance(part, Name):
            yield part.id
        elif isinstance(part, Attr):
            yield part.name
        elif isinstance(part, Call):
            yield from (a.value for a in part.args if isinstance(a, Const) and isinstance(a.value, str))
