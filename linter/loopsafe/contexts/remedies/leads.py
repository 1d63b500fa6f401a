"""What leads to an operation: the functions and calls on the way, and what starts the threads that take it."""

from __future__ import annotations

from functools import cached_property

from loopsafe.contexts.places.flow import Flow, Reached, leading_to
from loopsafe.contexts.places.place import Hop, State
from loopsafe.facts.schema import Call, Const, Name, Scope
from loopsafe.facts.spelling import spell
from loopsafe.program.values import Frame

Way = tuple[State, Call]
"""A call, and the state that makes it."""


class Leads:
    """Reads the ways off the flow, once for each operation."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self._states: dict[State, list[State]] = {}
        self._ways: dict[Reached, list[Way]] = {}

    def states(self, reached: Reached) -> list[State]:
        """The states from which control gets to the operation at the same kind of place, in order."""
        known = self._states.get(reached.state)
        if known is None:
            found = leading_to({reached.state}, self._backwards)
            found = {state for state in found if state.place.kind == reached.state.place.kind}
            known = self._states[reached.state] = sorted(found, key=lambda state: state.frame.order)
        return known

    def scopes(self, reached: Reached) -> set[Scope]:
        """Their functions."""
        return {state.frame.scope for state in self.states(reached)}

    def roots(self, reached: Reached) -> set[State]:
        """Where the ways begin."""
        return {state for state in self.states(reached) if state in self.flow.roots}

    def ways(self, reached: Reached) -> list[Way]:
        """The calls that lead to the operation, itself the first of them."""
        known = self._ways.get(reached)
        if known is None:
            known = self._ways[reached] = list(dict.fromkeys([(reached.state, reached.call), *self._calls(reached)]))
        return known

    def _calls(self, reached: Reached) -> list[Way]:
        leading = set(self.states(reached))
        return [
            (state, call)
            for state in self.states(reached)
            for places in [self._places(state, leading)]
            for call in (state.frame.scope.calls if places else ())
            if call.packed_span in places
        ]

    def _places(self, state: State, leading: set[State]) -> set[int]:
        edges = self.flow.edges.get(state, {})
        return {hop.packed_span for target, hops in edges.items() if target in leading for hop in hops}

    def enters(self, state: State, call: Call, target: State) -> bool:
        """Whether a call in one state leads right to another."""
        return any(hop.packed_span == call.packed_span for hop in self.flow.edges.get(state, {}).get(target, ()))

    def starts(self, reached: Reached) -> list[tuple[Frame, Call]]:
        """The calls that start the threads, as far as they are seen."""
        return [start for hop in self.hops(reached) for start in self.flow.origins.get(hop, ())]

    def hops(self, reached: Reached) -> list[Hop]:
        """The hops that start the threads."""
        if reached.started is not None:
            return [reached.started]
        found = {hop for root in self.roots(reached) for hop in self.flow.roots[root]}
        return sorted(found, key=lambda hop: hop.order)

    def is_awaited(self, reached: Reached) -> bool:
        """Whether a coroutine waits for every thread that gets there."""
        starts = self.starts(reached)
        return bool(starts) and all(call.role == "awaited" or _is_awaited(frame.scope, call) for frame, call in starts)

    def may_stop_anywhere(self, reached: Reached) -> bool:
        """Whether every thread is a daemon, which ends with the program wherever it is."""
        starts = self.starts(reached)
        return bool(starts) and all(_is_daemon(call) for _, call in starts)

    @cached_property
    def on_threads(self) -> set[Scope]:
        """The functions that are seen on threads, and are none that a loop runs."""
        states = {*self.flow.roots, *(target for targets in self.flow.edges.values() for target in targets)}
        on_threads = {state.frame.scope for state in states if state.place.kind == "thread"}
        return on_threads - {state.frame.scope for state in states if state.place.kind == "loop"}

    @cached_property
    def _backwards(self) -> dict[State, set[State]]:
        return self.flow.backwards()


def _is_awaited(scope: Scope, call: Call) -> bool:
    """Whether what a call gives is kept under a name that is awaited."""
    names = {value.id for value in scope.awaits if isinstance(value, Name)}
    return any(call in scope.bindings.get(name, ()) for name in names)


def _is_daemon(call: Call) -> bool:
    return any(name == "daemon" and isinstance(v, Const) and v.value is True for name, v in call.keywords)


def gives_its_result(call: Call) -> bool:
    """Whether what a start gives back stands for what the function returns or raises: no thread object does."""
    name = spell(call.func).rpartition(".")[2]
    return not name[:1].isupper()
