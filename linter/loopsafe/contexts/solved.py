"""The program solved: places flow from where they begin, and each kind that is near a candidate goes on from there."""

from __future__ import annotations

from loopsafe.contexts.origins.callers import Callers
from loopsafe.contexts.origins.calls import Origins
from loopsafe.contexts.origins.declared import Declared
from loopsafe.contexts.origins.finalizers import Finalizers
from loopsafe.contexts.origins.hand_overs import HandOvers
from loopsafe.contexts.origins.loops import Loops
from loopsafe.contexts.owners.owner import Owners
from loopsafe.contexts.places.loops import LoopsOf
from loopsafe.contexts.places.place import HOME
from loopsafe.contexts.places.threads import LoopThread, Threads, loop_threads
from loopsafe.contexts.places.together import SecondLoops
from loopsafe.contexts.spread.guards import Guards
from loopsafe.contexts.spread.propagate import Propagation
from loopsafe.contexts.spread.remarks import Remarks
from loopsafe.contexts.spread.starting import Starting
from loopsafe.facts.schema import Call
from loopsafe.program.graph import Library, Target
from loopsafe.program.program import Program
from loopsafe.program.values import Object, Value


class Solved:
    """Threads first. Loops, and whoever calls from outside, only where some thread or handler runs a loop."""

    def __init__(self, program: Program, remarks: Remarks) -> None:
        self.program, self.guards = program, Guards(program)
        self.propagation = Propagation(program, self.guards, remarks)
        self.flow = self.propagation.flow
        origins = Origins(self.propagation)
        origins.seed()
        Declared(self.propagation).seed()
        program.solver.run()
        origins.settle()
        Finalizers(self.propagation).seed()
        program.solver.run()
        self.loop_threads: dict[Value, LoopThread] = loop_threads(self.flow)
        self.seconds = SecondLoops(program, self.flow, self.loop_threads)
        if self.seconds.values():
            self._let_loops_flow()
        starting = Starting(self.flow, program, self.guards)
        self.threads = Threads(self.flow, starting.is_real)
        self.owners = self._owners()
        self.seconds.solved(self.owners.loops)

    def _let_loops_flow(self) -> None:
        solver = self.program.solver
        HandOvers(self.propagation).seed()
        home = self._home()
        if home is not None:
            Origins(self.propagation, home).seed()
        solver.run()
        Loops(self.propagation).seed()
        self.loop_threads.update(loop_threads(self.flow))
        if self.loop_threads:
            owners = self._owners()
            starts = {s for thread in self.loop_threads.values() for s, _ in self.flow.places_of(thread.hops[0])}
            # What runs a loop is on its thread before and after.
            on_loops = {state.frame.scope for state in (*owners.loops.states, *self.flow.loops_run)}
            Callers(self.propagation).seed(owners.things(), starts, on_loops)
            solver.run()
            self.loop_threads.update(loop_threads(self.flow))

    def _home(self) -> Value | None:
        """The loop on which frameworks run what is theirs; None where several may be it.

        A thread may run one that is not made by asyncio's own means: then it is that, if nothing else runs one.
        """
        on_threads = self.flow.applications
        if not on_threads:
            return self.program.values.make(Object, HOME, None, None)
        elsewhere = self._applications() - {call for calls in on_threads.values() for call in calls}
        return next(iter(on_threads)) if len(on_threads) == 1 and not elsewhere else None

    def _applications(self) -> set[Call]:
        """The calls of functions that run an application on a loop."""
        knowledge, found = self.program.knowledge, set[Call]()
        for word in sorted(knowledge.running):
            for module, scope, call in self.program.index.callers(word):

                def called(target: Target, call: Call = call) -> None:
                    if isinstance(target, Library) and knowledge.runs_an_application(target.name):
                        found.add(call)

                self.program.targets(self.program.classes.plain_frame(module, scope), call, called)
        self.program.solver.run()
        return found

    def _owners(self) -> Owners:
        run = [*self.seconds.values(), *self.flow.run_by_main]
        loops = LoopsOf(self.flow, self.program.classes, run, self.loop_threads)
        return Owners(self.program, self.flow, self.loop_threads, loops)
