"""From what a user types to the functions meant: a file and a row, or a dotted name."""

from __future__ import annotations

import os
from collections.abc import Mapping

from loopsafe.facts.schema import Scope
from loopsafe.program.modules import Module, Modules
from loopsafe.traces import NoSuchFunction, Place, nearest

Function = tuple[Module, Scope]


class Lookup:
    """Finds functions. `shown` are the modules by the path that users see."""

    def __init__(self, shown: Mapping[str, Module], modules: Modules) -> None:
        self._shown, self._modules = shown, modules

    def find(self, place: Place) -> list[Function]:
        """The functions of a place, in order.

        Raises:
            NoSuchFunction: there is none.
        """
        return self._at(place.path, place.row) if place.path else self._named(place.name)

    def _at(self, path: str, row: int) -> list[Function]:
        module = next((m for p, m in self._shown.items() if os.path.realpath(p) == os.path.realpath(path)), None)
        if module is None:
            raise NoSuchFunction(f"{path} was not analysed: it cannot be read or parsed")
        scopes = [s for s in module.facts.scopes if s.kind in ("function", "lambda")]
        around = [s for s in scopes if s.span.row <= row <= s.span.end_row]
        functions = [s for s in around if s.kind == "function"]
        if not around:
            raise NoSuchFunction(f"{path}:{row} is in no function{_nearest_row(module, scopes, row)}")
        inner = functions[-1:]
        lambdas = [s for s in around if s.kind == "lambda" and (not inner or s.index > inner[0].index)]
        return [(module, scope) for scope in (*inner, *lambdas)]

    def _named(self, name: str) -> list[Function]:
        known: dict[str, list[Function]] = {}
        for module in self._modules.all:
            for scope in module.facts.scopes:
                for prefix in names_of(module) if scope.kind == "function" else ():
                    known.setdefault(f"{prefix}.{scope.qualname}", []).append((module, scope))
        if name in known:
            return known[name]
        ends = [full for full in known if full.endswith(f".{name}")]
        if len({id(scope) for full in ends for _, scope in known[full]}) == 1:
            return known[ends[0]]
        if ends:
            raise NoSuchFunction(f"`{name}` may be any of {_listed(ends)}")
        raise NoSuchFunction(f"there is no function `{name}`{self._hint(name, list(known))}")

    def _hint(self, name: str, known: list[str]) -> str:
        inside = [full for full in known if full.startswith(f"{name}.") or f".{name}." in full]
        if inside:
            return f", but it holds {_listed(inside)}"
        last = name.rpartition(".")[2]
        ends = {full.rpartition(".")[2]: full for full in reversed(known)}
        close = ends.get(last) or nearest(name, known) or ends.get(nearest(last, list(ends)))
        close = close or nearest(name, known, 0.1)
        return f"; did you mean `{close}`?" if close else ""


def names_of(module: Module) -> tuple[str, ...]:
    """The dotted names of a module: as imports spell it, and by its whole path, which differs below a source root."""
    path = module.path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    return (module.name,) if path == module.name else (module.name, path)


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


def _nearest_row(module: Module, scopes: list[Scope], row: int) -> str:
    functions = [s for s in scopes if s.kind == "function"]
    if not functions:
        return "; there is none in this file"
    near = min(functions, key=lambda s: min(abs(s.span.row - row), abs(s.span.end_row - row)))
    return f"; the nearest is `{module.name}.{near.qualname}` at row {near.span.row}"
