"""Loops that are run below a running one of the same thread: that always raises."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.contexts.places.place import Hop
from loopsafe.contexts.spread.handlers import expected_exceptions
from loopsafe.contexts.verdicts.loop_calls import LoopCall
from loopsafe.contexts.verdicts.onto_loops import OntoLoops
from loopsafe.facts.schema import Call, Scope
from loopsafe.program.graph import Library, Target
from loopsafe.program.modules import Module
from loopsafe.program.program import Program

# So many hops a wrong turn is unlikely in.
_NEAR = 2
# Where these are about, the project lets loops run below others.
_PATCHES = ("nest_asyncio", "nest_asyncio2")


class NestedRuns:
    """Goes back from every call that runs a loop to coroutines, and to callbacks that a loop calls."""

    def __init__(self, program: Program) -> None:
        self._program, self.onto = program, OntoLoops(program)
        self._runs: dict[tuple[Module, Scope, Call], None] = {}

    def seed(self) -> None:
        """Ask what each call means; the answers are there once the solver has run."""
        if any(name in self._program.modules.imported for name in _PATCHES):
            return
        names = self._program.knowledge.loop_makers
        seen: dict[tuple[Module, Scope], None] = {}
        for word in sorted({name.rpartition(".")[2] for name in names}):
            for module, scope, call in self._program.index.own_callers(word):
                if scope.kind in ("function", "lambda"):
                    self._ask_run(module, scope, call, names)
                    seen[module, scope] = None
        self.onto.seed(seen)

    def found(self) -> Iterator[LoopCall]:
        """Each call once, with the shortest way from a coroutine or callback above it; certain if that is near."""
        for module, scope, call in self._runs:
            if self.onto.is_guarded(scope, call) or "RuntimeError" in expected_exceptions(scope, call.handler):
                continue
            way = next(self.onto.ways((module, scope, call)), None)
            if way is not None:
                hops = (*way.hops, Hop("reaches", module, call.packed_span))
                yield LoopCall(module, call, hops, len(hops) <= _NEAR)

    def _ask_run(self, module: Module, scope: Scope, call: Call, names: frozenset[str]) -> None:
        def target(found: Target) -> None:
            if isinstance(found, Library) and found.name in names:
                self._runs[module, scope, call] = None

        self._program.targets(self._program.classes.plain_frame(module, scope), call, target)
