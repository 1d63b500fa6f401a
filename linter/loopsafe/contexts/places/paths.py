"""Witnesses: the shortest path from where a context starts to a state, read off the edges by which it arrived."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

from loopsafe.contexts.places.flow import Flow
from loopsafe.contexts.places.place import Hop, State
from loopsafe.facts.schema import Scope
from loopsafe.program.modules import Module

# A call that leads to more functions than this is of a kind with those that call whatever was registered.
_MANY = 8
# Where several calls on the way may each enter several functions, few of so many ways and more are ever taken.
_MANY_TOGETHER = 4
# Where a path cannot be taken, those from other roots are looked at, so many times.
_MOST_AVOIDED = 3


class Paths:
    """Shortest paths from some roots. Among equals, the one that comes first in the text."""

    def __init__(self, flow: Flow, roots: set[State], avoided: int = 0) -> None:
        self._flow, self._roots, self._avoided = flow, roots, avoided
        self._arrived: dict[State, tuple[State | None, Hop]] = {}
        self._without: dict[State, Paths | None] = {}
        # In how many ways the calls up to there may be meant.
        self._ways_open: dict[State, int] = {}
        # A function may do much, and each time it is asked how it was reached.
        self._ways: dict[State, tuple[tuple[State, ...], tuple[Hop, ...]]] = {}
        first = [(_first(hops), state) for state, hops in flow.roots.items() if state in roots]
        front: list[State] = []
        for hop, state in sorted(first, key=lambda item: (item[0].order, item[1].frame.order)):
            self._arrived[state] = (None, hop)
            self._ways_open[state] = 1
            front.append(state)
        while front:
            front = self._step(flow, front)

    def _step(self, flow: Flow, front: list[State]) -> list[State]:
        following: list[State] = []
        for state in front:
            edges = [(_first(hops), target) for target, hops in flow.edges.get(state, {}).items()]
            fresh = [edge for edge in edges if edge[1] not in self._arrived]
            # What orders them takes long to make, and mostly there is one or none.
            if len(fresh) > 1:
                fresh.sort(key=lambda item: (item[0].order, item[1].frame.order))
            led = _led(edges) if fresh else {}
            for hop, target in fresh:
                ways, many = self._ways_open[state], led[hop.packed_span]
                self._ways_open[target] = ways * many
                vague = many > _MANY or (ways > 1 and many > 1 and ways * many > _MANY_TOGETHER)
                self._arrived[target] = (state, hop._replace(certain=False) if vague else hop)
                following.append(target)
        return following

    def __contains__(self, state: State) -> bool:
        return state in self._arrived

    def lead_into(self, module: Module, scope: Scope) -> bool:
        """Whether one of the states is in this function, other than handed to a loop."""
        return (module.index, scope.index) in self.scopes

    @cached_property
    def scopes(self) -> frozenset[tuple[int, int]]:
        """The scopes of all states but those handed to a loop, as (module, scope)."""
        stayed = (s for s in self._arrived if s.place.kind != "loop")
        return frozenset((s.frame.module.index, s.frame.scope.index) for s in stayed)

    @property
    def states(self) -> set[State]:
        """Every state that some root reaches."""
        return set(self._arrived)

    def through(self, state: State) -> tuple[State, ...]:
        """The states on the way to this one, itself included, first to last."""
        return self._way(state)[0]

    def to(self, state: State) -> tuple[Hop, ...]:
        """The hops from the start to this state."""
        return self._way(state)[1]

    def without(self, root: State) -> Paths | None:
        """The paths from the other roots, where there are some; None also where enough roots have been avoided."""
        if root not in self._without:
            rest = self._roots - {root}
            enough = self._avoided == _MOST_AVOIDED or not rest
            self._without[root] = None if enough else Paths(self._flow, rest, self._avoided + 1)
        return self._without[root]

    def take(self, state: State, other: Paths) -> None:
        """Come to a state by the path that others have."""
        self._ways[state] = other._way(state)

    def _way(self, state: State) -> tuple[tuple[State, ...], tuple[Hop, ...]]:
        if state not in self._ways:
            states, hops = list[State](), list[Hop]()
            at: State | None = state
            while at is not None:
                states.append(at)
                at, hop = self._arrived[at]
                hops.append(hop)
            self._ways[state] = tuple(reversed(states)), tuple(reversed(hops))
        return self._ways[state]


def _first(hops: dict[Hop, None]) -> Hop:
    return next(iter(hops)) if len(hops) == 1 else min(hops, key=lambda hop: hop.order)


def _led(edges: list[tuple[Hop, State]]) -> dict[int, int]:
    """To how many functions each call leads."""
    led: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for hop, target in edges:
        led[hop.packed_span].add((target.frame.module.index, target.frame.scope.index))
    return {span: len(functions) for span, functions in led.items()}
