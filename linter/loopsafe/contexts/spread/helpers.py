"""The project's own functions that tests and assertions call, found as they are written."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from loopsafe.facts.schema import Attr, Expr, Import, Name, Ref, Scope
from loopsafe.program.index import Index, last_name
from loopsafe.program.modules import Module, Modules

_LONGEST_CHAIN = 4


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """A function and its file: where an expression stands."""

    module: Module
    scope: Scope


class Helpers:
    """Finds the functions that a name may mean: guards are asked while values are still being found."""

    def __init__(self, modules: Modules, index: Index) -> None:
        self._modules, self._index = modules, index
        self._functions: dict[Module, dict[str, list[Scope]]] = {}

    def certain(self, place: Spot, func: Expr) -> list[Spot]:
        """The functions that a call enters by its very form: a lambda, by a plain name, or as methods of `self`."""
        if isinstance(func, Name):
            return self.called(place, func)
        if isinstance(func, Ref):
            return [Spot(place.module, place.module.facts.scopes[func.scope])]
        base = func.base if isinstance(func, Attr) else None
        if not isinstance(base, Name) or self._index.own_class(place.module, place.scope, base.id) is None:
            return []
        return self._own(place, last_name(func), in_class=True)

    def called(self, place: Spot, func: Expr) -> list[Spot]:
        """The functions that a call may enter."""
        if isinstance(func, Name):
            return self._own(place, func.id, in_class=False) or self._imported(place, func.id)
        if not isinstance(func, Attr):
            return []
        module = self._module(place, func.base)
        if module is not None:
            return self._top(module, func.name, 0)
        return self._own(place, func.name, in_class=True) or self._methods(func.name)

    def methods_of(self, cls: str, name: str) -> list[Spot]:
        """The methods of a name in the classes of a name."""
        return [p for p in self._methods(name) if p.module.facts.scopes[p.scope.parent].name == cls]

    def properties(self, place: Spot, name: str) -> list[Spot]:
        """The properties of this name: of this file, else of the project."""
        found = self._own(place, name, in_class=True) or self._methods(name)
        return [p for p in found if any(last_name(d) == "property" for d in p.scope.decorators)]

    def imported_as(self, place: Spot, name: str) -> str:
        """What a name that is imported here under another name is called at home; else the name itself."""
        imported = _import_of(place, name)
        return imported.name or name if imported is not None else name

    def _own(self, place: Spot, name: str, in_class: bool) -> list[Spot]:
        """Functions of this file: methods, or all others."""
        module, scopes = place.module, place.module.facts.scopes
        if module not in self._functions:
            by_name = self._functions[module] = defaultdict(list)
            for scope in scopes:
                if scope.kind == "function":
                    by_name[scope.name].append(scope)
        named = self._functions[module].get(name, ())
        return [Spot(module, s) for s in named if (scopes[s.parent].kind == "class") == in_class]

    def _methods(self, name: str) -> list[Spot]:
        found = self._index.functions.get(name, ())
        return [Spot(m, s) for m, s in found if m.facts.scopes[s.parent].kind == "class"]

    def _imported(self, place: Spot, name: str) -> list[Spot]:
        imported = _import_of(place, name)
        if imported is None or not imported.name:
            return []
        module = self._modules.find(self._modules.absolute(imported, place.module), place.module)
        return self._top(module, imported.name, 0) if module is not None else []

    def _top(self, module: Module, name: str, depth: int) -> list[Spot]:
        """The functions that a module has under a name, its own or imported."""
        found: list[Spot] = []
        for bound in module.facts.scopes[0].bindings.get(name, ()):
            if isinstance(bound, Ref):
                found.append(Spot(module, module.facts.scopes[bound.scope]))
            elif isinstance(bound, Import) and bound.name and depth < _LONGEST_CHAIN:
                origin = self._modules.find(self._modules.absolute(bound, module), module)
                if origin is not None and origin is not module:
                    found += self._top(origin, bound.name, depth + 1)
        return found

    def _module(self, place: Spot, base: Expr) -> Module | None:
        """The module of the project that an expression is."""
        imported = _import_of(place, base.id) if isinstance(base, Name) else None
        if imported is None:
            return None
        dotted = self._modules.absolute(imported, place.module)
        return self._modules.find(f"{dotted}.{imported.name}" if imported.name else dotted, place.module)


def _import_of(place: Spot, name: str) -> Import | None:
    """What a name is imported from, seen from inside a function."""
    scope, scopes = place.scope, place.module.facts.scopes
    while True:
        if name in scope.bindings:
            return next((b for b in scope.bindings[name] if isinstance(b, Import)), None)
        if scope.parent < 0:
            return None
        scope = scopes[scope.parent]
