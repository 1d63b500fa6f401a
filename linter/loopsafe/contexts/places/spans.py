"""Time is read off the path: it passes the function that starts a thread before or after the call that does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loopsafe.contexts.places.flow import Flow
from loopsafe.contexts.places.place import Hop, State
from loopsafe.contexts.places.threads import LoopThread
from loopsafe.facts.schema import Attr, Scope, end_of_span
from loopsafe.program.program import Program
from loopsafe.program.values import Class, Instance, Object, Value, same_making

_MOST_SITES = 200


class Spans:
    """Compares where the path leaves each function with where the thread is started there."""

    def __init__(self, flow: Flow, program: Program) -> None:
        self._flow, self._program = flow, program
        self._places: dict[LoopThread, tuple[tuple[Scope, int], ...]] = {}
        self._leading: dict[LoopThread, set[State]] = {}

    def has_started(self, thread: LoopThread, way: Sequence[State], left: Sequence[int]) -> bool | None:
        """Whether the thread runs when control comes this way; None where nothing on the way starts it.

        `left` are the spans of the calls by which the path leaves each of the states, first to last.
        """
        told: bool | None = None
        for state, leaves in zip(way, left, strict=True):
            starts = [span for span in self._starts(thread, state) if span != leaves]
            if starts:
                # Calls are made in the order of their ends: first what stands in the arguments.
                if min(map(end_of_span, starts)) > end_of_span(leaves):
                    return False
                told = True
            elif told is None and self._is_made_first(thread, state):
                return False
        return told

    def _is_made_first(self, thread: LoopThread, state: State) -> bool:
        """Whether a constructor runs here, and only other methods of the object start the thread."""
        receiver = state.frame.receiver
        if state.frame.scope.name != "__init__" or not isinstance(receiver, Instance):
            return False
        bases = (base for base in self._program.classes.mro(receiver.cls) if isinstance(base, Class))
        methods = {scope for base in bases for scope in self._program.index.inner.get(base.scope, ())}
        places = self._places_of(thread)
        return bool(places) and all(scope in methods for scope, _ in places)

    def _starts(self, thread: LoopThread, state: State) -> Iterator[int]:
        """Where a function starts the thread, itself or through others."""
        found = self._places_of(thread)
        yield from (span for scope, span in found if scope is state.frame.scope)
        if thread not in self._leading:
            scopes = {scope for scope, _ in found}
            states = {s for s in self._known() if s.frame.scope in scopes}
            self._leading[thread] = self._flow.reaching(states)
        for target, hops in self._flow.edges.get(state, {}).items():
            if target in self._leading[thread] and target.place == state.place:
                yield from (hop.packed_span for hop in hops)

    def _places_of(self, thread: LoopThread) -> tuple[tuple[Scope, int], ...]:
        """Where a thread is started: if its object is made first and started later, there."""
        if thread not in self._places:
            hop = thread.hops[0]
            self._places[thread] = tuple(self._started(hop)) or self._flow.places_of(hop)
        return self._places[thread]

    def _started(self, hop: Hop) -> Iterator[tuple[Scope, int]]:
        """The calls that start the thread object which is made at a hop."""
        program = self._program
        made = {call for _, call in self._flow.origins.get(hop, ())}
        held = [
            (scope, call, program.evaluate(program.classes.plain_frame(module, scope), call.func.base))
            for name in (sorted(program.knowledge.starters) if made else ())
            for module, scope, call in program.index.callers(name)[:_MOST_SITES]
            if isinstance(call.func, Attr)
        ]
        program.solver.run()
        for scope, call, node in held:
            if any(isinstance(value, Object) and value.site in made for value in node.values):
                yield scope, call.packed_span

    def _known(self) -> Iterator[State]:
        for source, targets in self._flow.edges.items():
            yield source
            yield from targets


def runs_the_loop(flow: Flow, loop: Value, states: Sequence[State]) -> bool:
    """Whether one of the functions on the way runs this very loop: it blocks its caller, who then is the loop's."""
    return any(same_making(loop, run) for state in states for run in flow.loops_run.get(state, ()))
