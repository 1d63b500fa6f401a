"""What is handed over to a named loop is on that loop, whoever hands it over and whether or not anybody is seen to."""

from __future__ import annotations

from loopsafe.contexts.places.flow import Runner
from loopsafe.contexts.places.place import LOOK_UPS, LOOP, Hop, Place, State
from loopsafe.contexts.spread.propagate import Propagation
from loopsafe.facts.schema import Call
from loopsafe.knowledge.schema import RunsRow
from loopsafe.program.graph import Library, Target
from loopsafe.program.index import last_name
from loopsafe.program.values import Frame, Object, Value


class HandOvers:
    """Looks at every such call in the text: `run_coroutine_threadsafe(c, loop)`, `loop.create_task(c)`."""

    def __init__(self, propagation: Propagation) -> None:
        self._propagation, self._program = propagation, propagation.program

    def seed(self) -> None:
        """Let `loop` flow from them; the answers are there once the solver has run."""
        program = self._program
        rows = program.knowledge.runs.items()
        words = {name.rpartition(".")[2] for name, found in rows if any(row.where == "loop" for row in found)}
        for word in sorted(words):
            for module, scope, call in program.index.callers(word):
                for frame in program.classes.frames(module, scope):
                    self._seed(frame, call)

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
        elif isinstance(target.receiver, Object) and LOOP in self._program.knowledge.lineage(target.receiver.type):
            on(target.receiver)


def _is_here(frame: Frame, loop: Object) -> bool:
    """Whether the function has looked the loop up itself: its own states say which one that is."""
    looked_up = loop.site is not None and last_name(loop.site.func) in LOOK_UPS
    return looked_up and loop.frame is not None and loop.frame.scope is frame.scope
