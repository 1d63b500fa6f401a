"""What is handed over to a named loop is on that loop, whoever hands it over and whether or not anybody is seen to."""

from __future__ import annotations

from loopsafe.contexts.places.flow import Runner
from loopsafe.contexts.places.place import LOOK_UPS, LOOP, Hop, Place, State
from loopsafe.contexts.spread.propagate import Propagation
from loopsafe.facts.schema import Attr, Call, Scope
from loopsafe.knowledge.schema import RunsRow
from loopsafe.program.graph import Entered, Library, Target
from loopsafe.program.index import CallSite, last_name
from loopsafe.program.parameters import pairs_up
from loopsafe.program.solver import Node
from loopsafe.program.values import Frame, Object, Value


class HandOvers:
    """Looks at every such call in the text: `run_coroutine_threadsafe(c, loop)`, `loop.create_task(c)`."""

    def __init__(self, propagation: Propagation) -> None:
        self._propagation, self._program = propagation, propagation.program

    def seed(self) -> None:
        """Let `loop` flow from them; the answers are there once the solver has run."""
        program, words = self._program, self._program.knowledge.onto_loops
        for word in sorted(words):
            for module, scope, call in program.index.callers(word):
                helped = program.index.callers(scope.name) if pairs_up(scope, words) else ()
                for site in helped:
                    self._seed_helped(scope, call, site)
                for frame in () if helped else program.classes.frames(module, scope):
                    self._seed(frame, call)

    def _seed_helped(self, helper: Scope, call: Call, site: CallSite) -> None:
        """A helper is given both, the loop and the work: those of one call go together."""

        def entered(target: Target) -> None:
            if isinstance(target, Entered) and target.function.scope is helper:
                self._seed(target.frame, call)

        module, scope, helped = site
        self._program.targets(self._program.classes.plain_frame(module, scope), helped, entered)

    def _seed(self, frame: Frame, call: Call) -> None:
        def called(target: Target) -> None:
            if isinstance(target, Library):
                for row in self._program.knowledge.runs.get(target.name, ()):
                    if row.where == "loop":
                        self._hand_over(frame, call, row, target)

        self._program.targets(frame, call, called)

    def _hand_over(self, frame: Frame, call: Call, row: RunsRow, target: Library) -> None:
        hop = Hop("loop", frame.module, call.packed_span)
        runner = Runner(call, row, target)

        def on(loop: Value) -> None:
            if isinstance(loop, Object) and not _is_here(frame, loop):
                place = Place("loop", loop)
                self._propagation.run_on(None, State(frame, place), runner, place, hop)

        wanted = row.loop_argument
        source = target.arguments.get(wanted.position, wanted.keyword) if wanted else None
        if source is not None:
            self._program.solver.listen(self._program.node(source), on)
        elif isinstance(target.receiver, Object):
            if self._is_loop(target.receiver):
                on(target.receiver)
            for held in self._makers(target.receiver):
                self._program.solver.listen(held, lambda value: on(value) if self._is_loop(value) else None)

    def _is_loop(self, value: Value) -> bool:
        return isinstance(value, Object) and LOOP in self._program.knowledge.lineage(value.type)

    def _makers(self, thing: Object) -> list[Node]:
        """What may be the loop that has made a task or future: `loop.create_task(c)`, `ensure_future(c, loop=loop)`."""
        if thing.frame is None or thing.site is None:
            return []
        func, given = thing.site.func, [value for keyword, value in thing.site.keywords if keyword == "loop"]
        exprs = [func.base, *given] if isinstance(func, Attr) else given
        return [self._program.evaluate(thing.frame, expr) for expr in exprs]


def _is_here(frame: Frame, loop: Object) -> bool:
    """Whether the function has looked the loop up itself: its own states say which one that is."""
    looked_up = loop.site is not None and last_name(loop.site.func) in LOOK_UPS
    return looked_up and loop.frame is not None and loop.frame.scope is frame.scope
