"""Functions that a framework finds in a module by their name."""

from __future__ import annotations

from fnmatch import fnmatchcase

from loopsafe.contexts.origins.starts import Starts
from loopsafe.facts.schema import Import, Ref, Scope, pack_span
from loopsafe.knowledge.schema import EntryRow
from loopsafe.program.graph import Entered
from loopsafe.program.modules import Module
from loopsafe.program.values import Function

_WHOLE = "<module>"
# A module's own scope has no place.
_FIRST_ROW = pack_span(1, 1, 1, 1)


class Entries:
    """Looks for the entry functions of modules."""

    def __init__(self, given: Starts) -> None:
        self._starts, self._program = given, given.program

    def seed(self) -> None:
        """Make roots of the functions that rows name."""
        packs = self._program.knowledge.packs
        rows = [(row, pack) for pack in packs for row in pack.entries if self._starts.applies(row)]
        for module in self._program.modules.all if rows else ():
            bindings = module.facts.scopes[0].bindings
            for row, pack in rows:
                for name in row.names:
                    if name in bindings and row.unless_defined not in bindings:
                        self._functions(module, name, row)
                    elif name == _WHOLE and not module.library and _imports_any(module, pack.imports):
                        self._module(module, row)

    def _module(self, module: Module, row: EntryRow) -> None:
        """The library runs the module itself."""
        top = self._program.module_frame(module)
        made = self._program.values.make(Function, module, top.scope, top)
        assert isinstance(made, Function)
        self._starts.rooted(row, self._starts.origin(row, module, _FIRST_ROW))(Entered(top, made))

    def _functions(self, module: Module, name: str, row: EntryRow) -> None:
        top = self._program.module_frame(module)
        for held in top.scope.bindings[name]:
            scope = module.facts.scopes[held.scope] if isinstance(held, Ref) else None
            if scope is not None and scope.kind == "function" and _is_meant(module, scope, row):
                origin = self._starts.origin(row, module, scope.packed_span)
                self._starts.run(self._program.values.make(Function, module, scope, top), row, origin)


def _imports_any(module: Module, names: tuple[str, ...]) -> bool:
    held = (value for values in module.facts.scopes[0].bindings.values() for value in values)
    return any(isinstance(value, Import) and value.module.partition(".")[0] in names for value in held)


def _is_meant(module: Module, scope: Scope, row: EntryRow) -> bool:
    names = tuple(p.name for p in scope.parameters[: len(row.parameters)])
    in_place = not row.modules or any(fnmatchcase(module.path, pattern) for pattern in row.modules)
    return in_place and names == row.parameters
