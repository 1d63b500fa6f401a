"""Functions that a framework finds in a module by their name."""

from __future__ import annotations

from fnmatch import fnmatchcase

from loopsafe.contexts.origins.starts import Starts
from loopsafe.facts.schema import Ref, Scope
from loopsafe.knowledge.schema import EntryRow
from loopsafe.program.modules import Module
from loopsafe.program.values import Function


class Entries:
    """Looks for the entry functions of modules."""

    def __init__(self, given: Starts) -> None:
        self._starts, self._program = given, given.program

    def seed(self) -> None:
        """Make roots of the functions that rows name."""
        rows = [row for pack in self._program.knowledge.packs for row in pack.entries if self._starts.applies(row)]
        for module in self._program.modules.all if rows else ():
            bindings = module.facts.scopes[0].bindings
            for row in rows:
                for name in row.names:
                    if name in bindings and row.unless_defined not in bindings:
                        self._functions(module, name, row)

    def _functions(self, module: Module, name: str, row: EntryRow) -> None:
        top = self._program.module_frame(module)
        for held in top.scope.bindings[name]:
            scope = module.facts.scopes[held.scope] if isinstance(held, Ref) else None
            if scope is not None and scope.kind == "function" and _is_meant(module, scope, row):
                origin = self._starts.origin(row, module, scope.packed_span)
                self._starts.run(self._program.values.make(Function, module, scope, top), row, origin)


def _is_meant(module: Module, scope: Scope, row: EntryRow) -> bool:
    names = tuple(p.name for p in scope.parameters[: len(row.parameters)])
    in_place = not row.modules or any(fnmatchcase(module.path, pattern) for pattern in row.modules)
    return in_place and names == row.parameters
