"""Witnesses of uses on a foreign loop: how both loops come to run, and how control gets to the use."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from loopsafe.contexts.flow import Flow
from loopsafe.contexts.guards import Guards
from loopsafe.contexts.lattice import Hop, State
from loopsafe.contexts.which_loop import SecondLoop, WhichLoop
from loopsafe.contexts.witness import Paths
from loopsafe.facts.schema import Scope

Way = tuple[tuple[Hop, ...], tuple[State, ...]]
"""Hops and the states they enter, from the start; of hops that only tell how the loop starts there are no states."""


class ForeignPaths:
    """Paths in a solved flow that pass no test of which loop runs."""

    def __init__(self, flow: Flow, guards: Guards, which: WhichLoop) -> None:
        self._guards, self._which = guards, which
        self._tests: dict[Scope, dict[int, int]] = {}
        edges = {s: {t: self._open(s, hops) for t, hops in targets.items()} for s, targets in flow.edges.items()}
        self._flow = replace(flow, edges={s: {t: h for t, h in ts.items() if h} for s, ts in edges.items()})
        self._of_second: dict[SecondLoop, Paths] = {}

    def to(self, state: State, second: SecondLoop) -> Way | None:
        """From the start of the second loop to a state; None where there is no way."""
        paths = self._from(second)
        if state in paths:
            return paths.to(state), tuple(reversed(paths.through(state)))
        if state not in self._all:
            return None
        hops, states = self._all.to(state), tuple(reversed(self._all.through(state)))
        if second.loops & self._which.of(state.context.loop):
            # It was handed to the loop from somewhere else: that is where its way begins.
            at = next(i for i, s in enumerate(states) if second.loops & self._which.of(s.context.loop))
            hops, states = hops[at:], states[at:]
        elif state.context.kind == "caller":
            hops, states = hops[1:], states[1:]
        return (*second.hops, *hops), states

    def _from(self, second: SecondLoop) -> Paths:
        if second not in self._of_second:
            leading = self._flow.reaching(set(second.runners))
            roots = {r for r in self._flow.roots if r in leading and r.context.kind != "loop"}
            roots |= {r for r in self._which.on(second.loops) if r in self._flow.roots}
            self._of_second[second] = Paths(self._flow, roots)
        return self._of_second[second]

    @cached_property
    def _all(self) -> Paths:
        return Paths(self._flow, set(self._flow.roots))

    def _open(self, source: State, hops: dict[Hop, None]) -> dict[Hop, None]:
        """The hops that stand under no test of which loop runs. On threads such tests have been heeded before."""
        if source.context.kind != "loop" or not source.frame.scope.guards:
            return hops
        scope = source.frame.scope
        tests = self._tests.get(scope)
        if tests is None:
            tests = self._tests[scope] = {call.packed_span: call.guard for call in scope.calls}
        module, guards = source.frame.module, self._guards
        return {h: None for h in hops if not guards.only_on_loop(module, scope, tests.get(h.packed_span, -1))}
