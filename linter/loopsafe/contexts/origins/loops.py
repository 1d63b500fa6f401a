"""Where the program's ordinary loops run what: not needed to find bugs, but to say where a function may run."""

from __future__ import annotations

from loopsafe.contexts.places.flow import Runner
from loopsafe.contexts.places.place import LOOP, Hop, Place, State
from loopsafe.contexts.spread.propagate import Propagation
from loopsafe.facts.schema import Call
from loopsafe.program.graph import Library, Target
from loopsafe.program.values import Frame, Object


class Loops:
    """Lets `loop` flow from calls such as `asyncio.run(main())`, and from coroutine functions nobody is seen to run."""

    def __init__(self, propagation: Propagation) -> None:
        self._propagation, self._program = propagation, propagation.program
        self._flow = propagation.flow

    def seed(self) -> None:
        """Run the solver until everything that a loop reaches has a state."""
        self._program.solver.refill()
        self._seed_runs()
        self._program.solver.run()
        self._seed_coroutine_functions()
        self._program.solver.run()

    def _seed_runs(self) -> None:
        known = {state.frame.scope for state in self._flow.loops_run}
        names = {name.rpartition(".")[2] for name in self._program.knowledge.loop_makers}
        for name in sorted(names):
            for module, scope, call in self._program.index.callers(name):
                if scope not in known:
                    self._seed_run(self._program.classes.plain_frame(module, scope), call)

    def _seed_run(self, frame: Frame, call: Call) -> None:
        hop = Hop("loop", frame.module, call.packed_span)

        def called(target: Target) -> None:
            if isinstance(target, Library):
                loop = target.receiver or self._program.values.make(Object, LOOP, frame, call)
                place = Place("loop", loop)
                self._flow.run_by_main[loop] = None
                for row in self._program.knowledge.runs.get(target.name, ()):
                    if row.where == "own-loop":
                        runner = Runner(call, row, target)
                        self._propagation.run_on(None, State(frame, place), runner, place, hop)

        self._program.targets(frame, call, called)

    def _seed_coroutine_functions(self) -> None:
        """An `async def` runs on some loop, whoever awaits it."""
        targets = {state for found in self._flow.edges.values() for state in found}
        seen = {state.frame.scope for state in (*self._flow.roots, *targets) if state.place.kind == "loop"}
        for module in self._program.modules.all:
            for scope in module.facts.scopes:
                if scope.is_async and scope not in seen:
                    frame = self._program.classes.plain_frame(module, scope)
                    self._root(State(frame, Place("loop")), Hop("loop", module, scope.packed_span))

    def _root(self, state: State, hop: Hop) -> None:
        self._flow.roots.setdefault(state, {})[hop] = None
        self._propagation.visit(state)
