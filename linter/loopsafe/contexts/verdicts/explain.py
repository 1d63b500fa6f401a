"""Answers for people: where a function may run and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

from loopsafe.contexts.origins.loops import Loops
from loopsafe.contexts.places.flow import Flow
from loopsafe.contexts.places.paths import Paths
from loopsafe.contexts.places.place import WHERE, Hop, State
from loopsafe.contexts.places.threads import Threads
from loopsafe.contexts.spread.propagate import Propagation
from loopsafe.facts.schema import Scope
from loopsafe.findings import Step
from loopsafe.program.modules import Module
from loopsafe.program.values import Object
from loopsafe.traces import CONTEXTS, Arrival, Reason, Running, Trace

Key = tuple[int, int]
"""A function: the index of its module and of its scope."""
Locate = Callable[[Hop], Step]


def key_of(state: State) -> Key:
    """The function that a state is of."""
    return (state.frame.module.index, state.frame.scope.index)


class Explanation:
    """The solved program, asked where functions run. Lets `loop` flow too, so ask for violations before.

    `locate` gives the place and source text of a hop.
    """

    def __init__(self, propagation: Propagation, threads: Threads, locate: Locate) -> None:
        self._modules, self.locate = propagation.program.modules, locate
        Loops(propagation).seed()
        self.flow = propagation.flow
        self._own_loop_roots = threads.running_roots
        self._paths = self._all_paths()
        self.states: dict[Key, list[tuple[State, Paths]]] = defaultdict(list)
        seen: set[tuple[State, bool]] = set()
        for paths, is_own in self._paths:
            for state in paths.states:
                if (state, is_own) not in seen:
                    seen.add((state, is_own))
                    self.states[key_of(state)].append((state, paths))

    def _all_paths(self) -> list[tuple[Paths, bool]]:
        """Paths from where loops are run, then from all roots; apart, those of threads that run a loop."""
        roots = self.flow.roots.keys() - self._own_loop_roots
        # Every coroutine function may be a root: one that another awaits is better told by that.
        led_to = {target for targets in self.flow.edges.values() for target in targets}
        return [
            (Paths(self.flow, {r for r in roots - led_to if r.place.kind == "loop"}), False),
            (Paths(self.flow, set(roots)), False),
            (Paths(self.flow, set(self._own_loop_roots)), True),
        ]

    def trace(self, module: Module, scope: Scope) -> Trace:
        """Every context of one function, each with the shortest path to it."""
        best: dict[tuple[int, str], Reason] = {}
        for state, paths in self.states.get((module.index, scope.index), ()):
            reason = self.reason(state, paths)
            key = (CONTEXTS.index(reason.context), reason.where)
            # States come in no order, and two ways may differ only in what is certain.
            best[key] = min(best.get(key, reason), reason, key=lambda r: (len(r.path), r.path, not r.certain))
        location = self.locate(Hop("calls", module, scope.packed_span)).location
        return Trace(f"{module.name}.{scope.qualname}", location, tuple(best[key] for key in sorted(best)))

    def reason(self, state: State, paths: Paths) -> Reason:
        """Why a state is reached, by the shortest of some paths."""
        hops = paths.to(state)
        own = state.place.kind == "thread" and paths is self._paths[-1][0]
        where = "on a thread that runs an event loop of its own" if own else self.where(state)
        return Reason(state.place.kind, where, all(hop.certain for hop in hops), tuple(map(self.locate, hops)))

    def where(self, state: State) -> str:
        """Where a state runs, in words."""
        kind, loop = state.place.kind, state.place.loop
        if kind == "caller":
            return "on the thread of whoever calls it, which is not its loop's own"
        if kind != "loop":
            return WHERE[kind]
        if isinstance(loop, Object) and loop.frame is not None and loop.site is not None:
            made = self.locate(Hop("loop", loop.frame.module, loop.site.packed_span)).location
            return f"on the event loop of {made.path}:{made.span.row}"
        return "on an event loop"

    def running(self, wanted: set[Module]) -> tuple[Running, ...]:
        """The functions of some modules that a context reaches, in order of file and row."""
        scopes = {key: self.module(key).facts.scopes[key[1]] for key in self.states if self.module(key) in wanted}
        keys = sorted(key for key, scope in scopes.items() if scope.kind == "function")
        at = {key: position for position, key in enumerate(keys)}
        arrivals = self._arrivals(at)
        return tuple(
            Running(self.trace(self.module(key), scopes[key]), scopes[key].span, tuple(arrivals.get(key, ())))
            for key in keys
        )

    def _arrivals(self, at: Mapping[Key, int]) -> dict[Key, dict[Arrival, None]]:
        """How control comes into these functions, each way once, in order of place."""
        found: dict[Key, set[tuple[int, str, Hop]]] = defaultdict(set)
        for source, targets in self.flow.edges.items():
            for target, hops in targets.items():
                caller = at.get(key_of(source), -1)
                found[key_of(target)].update((caller, target.place.kind, hop) for hop in hops)
        callers = calling(self.flow)
        for root, hops in self.flow.roots.items():
            for hop in hops:
                starter = callers.get((hop.module.index, hop.packed_span))
                caller = -1 if starter is None else at.get((hop.module.index, starter), -1)
                found[key_of(root)].add((caller, root.place.kind, hop))
        return {
            key: {
                Arrival(caller, kind, self.locate(hop)): None
                for caller, kind, hop in sorted(ways, key=lambda way: (way[2].order, *way[:2]))
            }
            for key, ways in found.items()
            if key in at
        }

    def module(self, key: Key) -> Module:
        """The module that a function is in."""
        return self._modules.all[key[0]]


def calling(flow: Flow) -> dict[Key, int]:
    """The scope that holds each call of the modules where contexts start, by module and place of the call."""
    modules = {hop.module for hops in flow.roots.values() for hop in hops}
    return {
        (m.index, call.packed_span): scope.index for m in modules for scope in m.facts.scopes for call in scope.calls
    }
