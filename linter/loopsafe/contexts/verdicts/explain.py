"""Answers for people: where a function may run and why, and the graph of all such functions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from loopsafe.contexts.origins.loops import Loops
from loopsafe.contexts.places.flow import Flow
from loopsafe.contexts.places.paths import Paths
from loopsafe.contexts.places.place import WHERE, Hop, State
from loopsafe.contexts.places.threads import Threads
from loopsafe.contexts.spread.propagate import Propagation
from loopsafe.facts.schema import Scope
from loopsafe.findings import Step
from loopsafe.locations import Span
from loopsafe.program.modules import Module
from loopsafe.program.values import Object
from loopsafe.traces import CONTEXTS, Arrival, ContextGraph, Edge, Node, Reason, Running, Trace

Key = tuple[int, int]
"""A function: the index of its module and of its scope."""
Marks = Mapping[Module, Sequence[tuple[Span, str]]]
Locate = Callable[[Hop], Step]


def key_of(state: State) -> Key:
    """The function that a state is of."""
    return (state.frame.module.index, state.frame.scope.index)


class Explanation:
    """The solved program, asked where functions run. Lets `loop` flow too, so ask for violations before.

    `locate` gives the place and source text of a hop.
    """

    def __init__(self, propagation: Propagation, threads: Threads, locate: Locate) -> None:
        self._modules, self._locate = propagation.program.modules, locate
        Loops(propagation).seed()
        self._flow = propagation.flow
        self._own_loop_roots = threads.running_roots
        self._paths = self._all_paths()
        self._states: dict[Key, list[tuple[State, Paths]]] = defaultdict(list)
        seen: set[tuple[State, bool]] = set()
        for paths, is_own in self._paths:
            for state in paths.states:
                if (state, is_own) not in seen:
                    seen.add((state, is_own))
                    self._states[key_of(state)].append((state, paths))

    def _all_paths(self) -> list[tuple[Paths, bool]]:
        """Paths from where loops are run, then from all roots; apart, those of threads that run a loop."""
        roots = self._flow.roots.keys() - self._own_loop_roots
        # Every coroutine function may be a root: one that another awaits is better told by that.
        led_to = {target for targets in self._flow.edges.values() for target in targets}
        return [
            (Paths(self._flow, {r for r in roots - led_to if r.place.kind == "loop"}), False),
            (Paths(self._flow, set(roots)), False),
            (Paths(self._flow, set(self._own_loop_roots)), True),
        ]

    def trace(self, module: Module, scope: Scope) -> Trace:
        """Every context of one function, each with the shortest path to it."""
        best: dict[tuple[int, str], Reason] = {}
        for state, paths in self._states.get((module.index, scope.index), ()):
            reason = self._reason(state, paths)
            key = (CONTEXTS.index(reason.context), reason.where)
            best[key] = min(best.get(key, reason), reason, key=lambda r: (len(r.path), r.path))
        location = self._locate(Hop("calls", module, scope.packed_span)).location
        return Trace(f"{module.name}.{scope.qualname}", location, tuple(best[key] for key in sorted(best)))

    def _reason(self, state: State, paths: Paths) -> Reason:
        hops = paths.to(state)
        own = state.place.kind == "thread" and paths is self._paths[-1][0]
        where = "on a thread that runs an event loop of its own" if own else self._where(state)
        return Reason(state.place.kind, where, all(hop.certain for hop in hops), tuple(map(self._locate, hops)))

    def _where(self, state: State) -> str:
        kind, loop = state.place.kind, state.place.loop
        if kind == "caller":
            return "on the thread of whoever calls it, which is not its loop's own"
        if kind != "loop":
            return WHERE[kind]
        if isinstance(loop, Object) and loop.frame is not None and loop.site is not None:
            made = self._locate(Hop("loop", loop.frame.module, loop.site.packed_span)).location
            return f"on the event loop of {made.path}:{made.span.row}"
        return "on an event loop"

    def graph(self, wanted: set[Module], marks: Marks) -> ContextGraph:
        """The functions of some modules that a context reaches, and those that start them."""
        marked = {key: texts for module, found in marks.items() for key, texts in self._marked(module, found).items()}
        edges = {edge for edge in self._edges() if self._module(edge[0]) in wanted or self._module(edge[1]) in wanted}
        inside = {key for key in (*self._states, *marked) if self._module(key) in wanted}
        nodes = sorted(inside.union(*((source, target) for source, target, kind in edges if kind != "calls")))
        at = {key: position for position, key in enumerate(nodes)}
        drawn = sorted(
            Edge(at[source], at[target], kind) for source, target, kind in edges if source in at and target in at
        )
        return ContextGraph(tuple(self._node(key, marked.get(key, ())) for key in nodes), tuple(drawn))

    def running(self, wanted: set[Module]) -> tuple[Running, ...]:
        """The functions of some modules that a context reaches, in order of file and row."""
        scopes = {key: self._module(key).facts.scopes[key[1]] for key in self._states if self._module(key) in wanted}
        keys = sorted(key for key, scope in scopes.items() if scope.kind == "function")
        at = {key: position for position, key in enumerate(keys)}
        arrivals = self._arrivals(at)
        return tuple(
            Running(self.trace(self._module(key), scopes[key]), scopes[key].span, tuple(arrivals.get(key, ())))
            for key in keys
        )

    def _arrivals(self, at: Mapping[Key, int]) -> dict[Key, dict[Arrival, None]]:
        """How control comes into these functions, each way once, in order of place."""
        found: dict[Key, set[tuple[int, str, Hop]]] = defaultdict(set)
        for source, targets in self._flow.edges.items():
            for target, hops in targets.items():
                caller = at.get(key_of(source), -1)
                found[key_of(target)].update((caller, target.place.kind, hop) for hop in hops)
        callers = _calling(self._flow)
        for root, hops in self._flow.roots.items():
            for hop in hops:
                starter = callers.get((hop.module.index, hop.packed_span))
                caller = -1 if starter is None else at.get((hop.module.index, starter), -1)
                found[key_of(root)].add((caller, root.place.kind, hop))
        return {
            key: {
                Arrival(caller, kind, self._locate(hop)): None
                for caller, kind, hop in sorted(ways, key=lambda way: (way[2].order, *way[:2]))
            }
            for key, ways in found.items()
            if key in at
        }

    def _module(self, key: Key) -> Module:
        return self._modules.all[key[0]]

    def _marked(self, module: Module, found: Sequence[tuple[Span, str]]) -> dict[Key, tuple[str, ...]]:
        """Texts by the innermost function around their spans."""
        marked: dict[Key, tuple[str, ...]] = {}
        for span, text in found:
            around = [s for s in module.facts.scopes if s.kind != "class" and (s.parent < 0 or s.span.contains(span))]
            key = (module.index, around[-1].index)
            marked[key] = (*marked.get(key, ()), text)
        return marked

    def _node(self, key: Key, marks: Sequence[str]) -> Node:
        module = self._module(key)
        scope = module.facts.scopes[key[1]]
        kinds = {state.place.kind for state, _ in self._states.get(key, ())}
        place = self._locate(Hop("calls", module, scope.packed_span)).location
        return Node(
            module.name, scope.qualname or "<module>", place, tuple(k for k in CONTEXTS if k in kinds), tuple(marks)
        )

    def _edges(self) -> Iterator[tuple[Key, Key, str]]:
        for source, targets in self._flow.edges.items():
            for target, hops in targets.items():
                yield from ((key_of(source), key_of(target), hop.kind) for hop in hops)
        callers = _calling(self._flow)
        for root, found in self._flow.roots.items():
            for hop in found:
                starter = callers.get((hop.module.index, hop.packed_span))
                if starter is not None:
                    yield (hop.module.index, starter), key_of(root), hop.kind


def _calling(flow: Flow) -> dict[Key, int]:
    """The scope that holds each call of the modules where contexts start, by module and place of the call."""
    modules = {hop.module for hops in flow.roots.values() for hop in hops}
    return {
        (m.index, call.packed_span): scope.index for m in modules for scope in m.facts.scopes for call in scope.calls
    }
