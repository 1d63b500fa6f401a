"""Where contexts begin: calls that start threads or set handlers, and all else that libraries run on threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from loopsafe.contexts.origins.assignments import Assignments
from loopsafe.contexts.origins.decorated import Decorated
from loopsafe.contexts.origins.entries import Entries
from loopsafe.contexts.origins.handed import Handed
from loopsafe.contexts.origins.overrides import Overrides
from loopsafe.contexts.origins.starts import Starts, holds
from loopsafe.contexts.places.flow import Origin
from loopsafe.contexts.places.place import STARTING
from loopsafe.contexts.spread.coroutines import Coroutines
from loopsafe.contexts.spread.propagate import Propagation
from loopsafe.facts.schema import Attr, Call, Scope
from loopsafe.knowledge.schema import Passed, RunsRow
from loopsafe.program.aliases import Aliases
from loopsafe.program.graph import Library, Target
from loopsafe.program.index import CallSite
from loopsafe.program.modules import Module
from loopsafe.program.values import Frame, Object, Value


class Origins:
    """Finds the origins of a program and lets them flow: threads, or what a framework runs on the loop `home`."""

    def __init__(self, propagation: Propagation, home: Value | None = None) -> None:
        self._propagation, self.program = propagation, propagation.program
        self._starts = Starts(propagation, home)
        self._overrides = Overrides(self._starts)
        self._handed = Handed(self._starts, self._overrides)
        self._coroutines = Coroutines(self.program.index)

    def seed(self) -> None:
        """Ask about every possible origin; the answers flow as the solver runs."""
        for module, scope, call in self._sites():
            if self._is_spoken_for(module, scope) or self._needs_no_loop(module, scope, call):
                continue
            self._starts.watch(module, scope, lambda frame, call=call: self._seed_call(frame, call))  # type: ignore[misc]
        Decorated(self._starts).seed()
        Assignments(self._starts, self._overrides).seed()
        self._starts.begin()
        self._overrides.seed()
        Entries(self._starts).seed()

    def settle(self) -> None:
        """Once the program is solved: let flow what depends on which objects are driven."""
        while self._starts.driven.settle():
            self.program.solver.run()

    def _sites(self) -> list[CallSite]:
        """Every call whose last name is that of a function which starts a context."""
        knowledge, index = self.program.knowledge, self.program.index
        rows = {name: rows for name, rows in knowledge.runs.items() if any(self._starts.applies(r) for r in rows)}
        names = {
            name for name in knowledge.classes if any(owner in rows for owner in knowledge.lineage(name))
        } | rows.keys()
        sites = [s for w in sorted({n.rpartition(".")[2] for n in self._with_aliases(names)}) for s in index.callers(w)]
        keywords = {c.keyword for found in rows.values() for row in found for c in row.callables if c.keyword}
        inits = index.calls.get("__init__", ())
        sites += [site for site in inits if any(name in keywords for name, _ in site[2].keywords)]
        # Those that hand on what they are given are handed on themselves.
        runners = {n.rpartition(".")[2] for n, found in rows.items() if any(r.passes != Passed() for r in found)}
        return sites + Aliases(self.program.modules, index).calls_of(runners)

    def _needs_no_loop(self, module: Module, scope: Scope, call: Call) -> bool:
        """Whether a call stands in a branch for code without a loop, in a function that only coroutines run."""
        without = self._propagation.guards.only_without_loop(module, scope, call.guard)
        return without and self._coroutines.alone_run(module, scope)

    def _is_spoken_for(self, module: Module, scope: Scope) -> bool:
        """Whether this is the inside of a library that is itself the project: what it runs where, the rows say."""
        knowledge = self.program.knowledge
        while scope.parent >= 0:
            name = knowledge.canonical(f"{module.name}.{scope.qualname}")
            if name in knowledge.classes or name in knowledge.runs:
                return True
            scope = module.facts.scopes[scope.parent]
        return False

    def _with_aliases(self, names: Iterable[str]) -> Iterator[str]:
        """Names as they may be written: a class also by where else it can be imported from."""
        for name in names:
            yield name
            row = self.program.knowledge.classes.get(name)
            yield from row.names if row else ()

    def _seed_call(self, frame: Frame, call: Call) -> None:
        if self.program.rules_out(frame, call.guard):
            return

        def started(target: Target) -> None:
            for name in self._starts.own_name(target):
                for row in self.program.knowledge.runs.get(name, ()):
                    if self._starts.applies(row):
                        self._start(
                            frame, call, row, self._starts.as_library(target, name, self.program.arguments(frame, call))
                        )
                    elif row.where in ("here", "loop") and isinstance(target, Library):
                        self.program.hand_over(row, target, call, handed)

        def handed(runner: Target) -> None:
            """What the call runs is itself a library's, and starts something."""
            for row in self.program.knowledge.runs.get(runner.name, ()) if isinstance(runner, Library) else ():
                if self._starts.applies(row) and isinstance(runner, Library):
                    self._start(frame, call, row, runner)

        self.program.targets(frame, call, started)

    def _start(self, frame: Frame, call: Call, row: RunsRow, target: Library) -> None:
        if holds(row, target.arguments) and not self._elsewhere(row, target):
            origin = self._starts.origin(row, frame.module, call.packed_span, frame, call)
            if row.coroutine and row.where in STARTING:
                self._propagation.run_in_thread(row, target, origin)
                return
            driven, base = self._starts.driven, call.func.base if isinstance(call.func, Attr) else None
            driven.unless_extended(
                self.program.evaluate(frame, base),
                target.receiver if base is not None else None,
                lambda: driven.when(
                    row.only_if_called, target.receiver, lambda: self._hand_over(row, target, call, origin)
                ),
            )

    def _hand_over(self, row: RunsRow, target: Library, call: Call, origin: Origin) -> None:
        self.program.hand_over(row, target, call, self._starts.rooted(row, origin))
        self._handed.start(row, target, origin)

    def _elsewhere(self, row: RunsRow, target: Library) -> bool:
        """Whether the executor given runs things in another process."""
        source = target.arguments.get(row.executor.position, row.executor.keyword) if row.executor else None
        if source is None:
            return False
        held = self.program.node(source).values
        return any(isinstance(v, Object) and "ProcessPool" in v.type for v in held)
