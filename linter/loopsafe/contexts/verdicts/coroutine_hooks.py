"""Coroutine functions that override what a library calls on a thread of its own: nobody awaits what they give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from loopsafe.facts.schema import Scope, pack_span, unpack_span
from loopsafe.knowledge.schema import StartRow
from loopsafe.program.modules import Module
from loopsafe.program.program import Program
from loopsafe.program.values import External


@dataclass(frozen=True, slots=True, eq=False)
class CoroutineHook:
    """A method, and the name of the library's that it overrides."""

    module: Module
    scope: Scope
    name: str
    certain: bool

    @property
    def packed_span(self) -> int:
        """Where its first row begins, up to its name."""
        at = unpack_span(self.scope.packed_span)
        return pack_span(at.row, at.column, at.row, at.column + len("async def ") + len(self.scope.name))


class CoroutineHooks:
    """Finds the methods by the rows of what they override."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def found(self) -> Iterator[CoroutineHook]:
        """Every such method of the project."""
        program = self._program
        known = {**program.knowledge.assigns, **program.knowledge.overrides}
        rows = {name: row for name, row in known.items() if row.where == "thread" and not row.unless_async}
        rows = {name: row for name, row in rows.items() if not getattr(row, "twin", "")}
        for module in program.modules.all:
            for scope in module.facts.scopes if not module.library else ():
                if scope.is_async and not scope.is_generator:
                    named = ((name, _row_of(name, rows)) for name in self._overridden(module, scope))
                    found = next(((name, row) for name, row in named if row is not None), None)
                    if found is not None:
                        yield CoroutineHook(module, scope, found[0], not found[1].likely)

    def _overridden(self, module: Module, scope: Scope) -> Iterator[str]:
        """The library's methods that a function overrides, by canonical name."""
        around = module.facts.scopes[scope.parent]
        if around.kind != "class":
            return
        knowledge, classes = self._program.knowledge, self._program.classes
        for base in classes.mro(classes.defined_by(module, around)):
            if isinstance(base, External):
                for owner in knowledge.lineage(knowledge.canonical(base.name)):
                    yield f"{owner}.{scope.name}"


def _row_of(name: str, rows: Mapping[str, StartRow]) -> StartRow | None:
    """The row of a method; in one with `*` that stands for any letters, but for the beginning of an inner name."""
    open_ended = (row for pattern, row in rows.items() if "*" in pattern and fnmatchcase(name, pattern))
    return rows.get(name) or (None if "._" in name else next(open_ended, None))
