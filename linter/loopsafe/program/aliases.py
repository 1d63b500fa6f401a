"""Functions that are handed on as values: where they are called by another name, and what is given them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from loopsafe.facts.schema import Attr, Call, Choice, Expr, Name, Scope, Subscript
from loopsafe.facts.schema import Collection as Display
from loopsafe.program.index import CallSite, Index, last_name
from loopsafe.program.modules import Module, Modules

# The kinds of expressions that a function may be behind.
_HOLDING = frozenset({Name, Attr, Choice, Call})
_KEEPING = _HOLDING | {Display}
_PARTIALS = ("partial", "partialmethod")
# A parameter is handed on through so many functions.
_FURTHEST = 3
# A function that so many define may be any.
_MOST_DEFINITIONS = 8


class Aliases:
    """Follows names as they are written: through assignments, attributes, partials and parameters."""

    def __init__(self, modules: Modules, index: Index) -> None:
        self._modules, self._index = modules, index
        self._found: dict[Call, CallSite] = {}
        self._tables: set[str] = set()
        self._parameters: set[tuple[Scope, str]] = set()

    def calls_of(self, words: Collection[str]) -> list[CallSite]:
        """The calls that may call a function of one of these names by another name, or that are given one."""
        for module in self._modules.all:
            for scope in module.facts.scopes:
                self._search(module, scope, words, _FURTHEST)
        if self._tables:
            self._search_tables()
        return list(self._found.values())

    def _search_tables(self) -> None:
        """What is taken out of a table in which such a function stands: called at once, or under a name."""
        for module in self._modules.all:
            for scope in module.facts.scopes:
                for call in scope.calls:
                    if self._is_taken_out(call.func):
                        self._found[call] = (module, scope, call)
                for name, values in scope.bindings.items():
                    if any(map(self._is_taken_out, values)):
                        self._held(module, scope, name)

    def _is_taken_out(self, value: Expr) -> bool:
        if isinstance(value, Subscript):
            return last_name(value.base) in self._tables
        func = value.func if isinstance(value, Call) else None
        return isinstance(func, Attr) and func.name == "get" and last_name(func.base) in self._tables

    def _search(self, module: Module, scope: Scope, words: Collection[str], depth: int) -> None:
        # All scopes of a program are gone through: what speaks of no such name is passed over at once.
        for name, values in scope.bindings.items():
            for value in values:
                if type(value) in _KEEPING and _mentions(value, words):
                    self._held(module, scope, name)
                    self._kept(value, name)
                    break
        for store in scope.stores:
            if store.name and type(store.value) in _KEEPING and _mentions(store.value, words):
                self._called(self._index.calls.get(store.name, ()), Attr)
                self._kept(store.value, store.name)
        for call in scope.calls:
            for position, given in enumerate(call.args):
                if type(given) in _HOLDING and _mentions(given, words):
                    self._handed(module, scope, call, position, depth)
            for keyword, given in call.keywords:
                if keyword and type(given) in _HOLDING and _mentions(given, words):
                    self._handed(module, scope, call, keyword, depth)

    def _kept(self, value: Expr, name: str) -> None:
        if isinstance(value, Display):
            self._tables.add(name)

    def _held(self, module: Module, scope: Scope, name: str) -> None:
        """A variable, or an attribute of a class."""
        if scope.kind in ("module", "class"):
            self._called(self._index.callers(name), Name if scope.kind == "module" else Attr)
        else:
            inside = ((module, s, c) for s in self._index.within(scope) for c in s.calls)
            self._called((site for site in inside if last_name(site[2].func) == name), Name)

    def _called(self, sites: Collection[CallSite] | Iterator[CallSite], kind: type) -> None:
        self._found.update(
            (call, (module, scope, call)) for module, scope, call in sites if isinstance(call.func, kind)
        )

    def _handed(self, module: Module, scope: Scope, call: Call, place: int | str, depth: int) -> None:
        self._found[call] = (module, scope, call)
        if not depth:
            return
        defined = self._index.functions.get(last_name(call.func), ())
        made = self._index.constructors.get(last_name(call.func), ())
        for where, function in (*defined, *made)[:_MOST_DEFINITIONS]:
            name = _parameter(where, function, place)
            if name and (function, name) not in self._parameters:
                self._parameters.add((function, name))
                self._held(where, function, name)
                for inner in self._index.within(function):
                    self._search(where, inner, (name,), depth - 1)


def _mentions(value: Expr, words: Collection[str]) -> bool:
    """Whether a value is a function of one of these names, or a partial of one."""
    if isinstance(value, Name):
        return value.id in words
    if isinstance(value, Attr):
        return value.name in words
    if isinstance(value, (Choice, Display)):
        return any(_mentions(part, words) for part in (value.options if isinstance(value, Choice) else value.items))
    return (
        isinstance(value, Call)
        and bool(value.args)
        and last_name(value.func) in _PARTIALS
        and _mentions(value.args[0], words)
    )


def _parameter(module: Module, function: Scope, place: int | str) -> str:
    """The name of the parameter that takes an argument by position or keyword; empty where none does."""
    names = [p.name for p in function.parameters if p.kind in ("positional", "keyword")]
    if isinstance(place, str):
        return place if place in names else ""
    if module.facts.scopes[function.parent].kind == "class":
        place += 1
    return names[place] if place < len(names) else ""
