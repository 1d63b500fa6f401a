"""Witnesses of uses on a foreign loop: how both loops come to run, and how control gets to the use."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from loopsafe.contexts.places.flow import Flow
from loopsafe.contexts.places.loops import LoopsOf
from loopsafe.contexts.places.paths import Paths
from loopsafe.contexts.places.place import Hop, State
from loopsafe.contexts.places.together import SecondLoop
from loopsafe.contexts.spread.guards import Guards
from loopsafe.facts.enclosing import call_at
from loopsafe.facts.schema import Attr, Await, Call, Name, Scope
from loopsafe.program.program import Program
from loopsafe.program.values import Frame, Instance, Method

Way = tuple[tuple[Hop, ...], tuple[State, ...]]
"""Hops and the states they enter, from the start; of hops that only tell how the loop starts there are no states."""


class ForeignPaths:
    """Paths in a solved flow that pass no test of which loop runs."""

    def __init__(self, program: Program, flow: Flow, guards: Guards, which: LoopsOf) -> None:
        self._program, self._guards, self._which = program, guards, which
        self._tests: dict[Scope, dict[int, int]] = {}
        edges = {s: {t: self._open(s, hops) for t, hops in targets.items()} for s, targets in flow.edges.items()}
        self._flow = replace(flow, edges={s: {t: h for t, h in ts.items() if h} for s, ts in edges.items()})
        self._of_second: dict[SecondLoop, Paths] = {}

    def to(self, state: State, second: SecondLoop) -> Way | None:
        """From the start of the second loop to a state; None where there is no way."""
        paths = self._from(second)
        if state in paths:
            hops, states = paths.to(state), paths.through(state)
            # What was handed to the loop begins there: how the loop comes to run stands before.
            before = second.hops if hops[0].kind == "loop" and hops[0] not in second.hops else ()
            return (*before, *hops), states
        if state not in self._all:
            # A thread of which nothing but the loop is told: `Thread(target=asyncio.run, args=(queue.get(),))`.
            return (second.hops, ()) if state.place.kind == second.kind and not second.runners else None
        hops, states = self._all.to(state), self._all.through(state)
        if self._which.meet(second.loops, self._which.of(state.place.loop)):
            # It was handed to the loop from somewhere else: that is where its way begins.
            at = next(i for i, s in enumerate(states) if self._which.meet(second.loops, self._which.of(s.place.loop)))
            hops, states = hops[at:], states[at:]
        elif state.place.kind == "caller":
            hops, states = hops[1:], states[1:]
        return (*second.hops, *hops), states

    def is_doubtful(self, hops: tuple[Hop, ...], states: tuple[State, ...]) -> bool:
        """Whether the way leads through an object that is made on it, and then to one of several classes.

        What such an object holds has mostly been made on the way too, and need not be of the class in question.
        """
        made = False
        for source, hop in zip(states, hops[len(hops) - len(states) + 1 :], strict=False):
            call = call_at(source.frame.scope, hop.packed_span)
            if made and self._is_dispatched(source, hop):
                return True
            made = made or (call is not None and self._is_of_own_making(source.frame, call))
        return False

    def _is_dispatched(self, source: State, hop: Hop) -> bool:
        targets = (
            t for t, hops in self._flow.edges[source].items() if any(h.packed_span == hop.packed_span for h in hops)
        )
        return len({target.frame.receiver for target in targets}) > 1

    def _is_of_own_making(self, frame: Frame, call: Call) -> bool:
        """`thing = Thing(...)`, then `thing.method()`."""
        base = call.func.base if isinstance(call.func, Attr) else None
        bound = frame.scope.bindings.get(base.id, ()) if isinstance(base, Name) else ()
        makers = [value.value if isinstance(value, Await) else value for value in bound]
        return bool(makers) and all(isinstance(m, Call) and self._makes_instance(frame, m) for m in makers)

    def _makes_instance(self, frame: Frame, call: Call) -> bool:
        """A class is called, or a class method that gives an instance of it."""
        made = {v.cls for v in self._program.evaluate(frame, call).values if isinstance(v, Instance)}
        callees = self._program.evaluate(frame, call.func).values
        return any(c in made or (isinstance(c, Method) and c.receiver in made) for c in callees)

    def _from(self, second: SecondLoop) -> Paths:
        if second not in self._of_second:
            leading = self._flow.reaching(set(second.runners))
            roots = {r for r in self._flow.roots if r in leading and r.place.kind != "loop"}
            roots |= {r for r in self._which.on(second.loops) if r in self._flow.roots}
            self._of_second[second] = Paths(self._flow, roots)
        return self._of_second[second]

    @cached_property
    def _all(self) -> Paths:
        return Paths(self._flow, set(self._flow.roots))

    def _open(self, source: State, hops: dict[Hop, None]) -> dict[Hop, None]:
        """The hops that stand under no test of which loop runs. On threads such tests have been heeded before."""
        if source.place.kind != "loop" or not source.frame.scope.guards:
            return hops
        scope = source.frame.scope
        tests = self._tests.get(scope)
        if tests is None:
            tests = self._tests[scope] = {call.packed_span: call.guard for call in scope.calls}
        module, guards = source.frame.module, self._guards
        return {h: None for h in hops if not guards.only_on_loop(module, scope, tests.get(h.packed_span, -1))}
