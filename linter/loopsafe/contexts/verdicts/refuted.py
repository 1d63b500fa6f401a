"""Paths that control cannot take, by what the path itself brings along.

One does not get past an `isinstance` test. Another changes from an object to its sibling: a callback that an object was
given by its owner comes back to that owner, and the path began at another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loopsafe.contexts.places.flow import Reached
from loopsafe.contexts.places.place import Hop, State
from loopsafe.contexts.spread.exclusion import outwards
from loopsafe.contexts.verdicts.another import is_of_another
from loopsafe.contexts.verdicts.answered import contradicts_itself, is_answered
from loopsafe.contexts.verdicts.made import Makers, Spot, binder, given_for
from loopsafe.contexts.verdicts.recorded import is_kept_for_others
from loopsafe.facts.enclosing import call_at
from loopsafe.facts.schema import Attr, Call, Collection, Expr, Name, Scope
from loopsafe.program.index import last_name
from loopsafe.program.program import Program
from loopsafe.program.values import Frame, Instance, Value

# A value is followed back through so many names and calls.
_FURTHEST = 24


def is_refuted(reached: Reached, states: Sequence[State], hops: Sequence[Hop], program: Program) -> bool:
    """Whether control cannot take the path through `states`, first to last; `hops[n]` leads to `states[n]`.

    What a function makes of a value (`decode(message)`) counts as of its class.
    """
    left = [call_at(state.frame.scope, hop.packed_span) for state, hop in zip(states, hops[1:], strict=False)]
    places = [Spot(s, c) for s, c in zip(states, (*left, reached.call), strict=False) if c is not None]
    if len(places) != len(states):
        return False
    way = _Way(places, program)
    makers = Makers(places, hops[0], program)
    if is_answered(places) or contradicts_itself(places, makers.start):
        return True
    start = [makers.start] if makers.start is not None else []
    ways = [*start, *((place.state.frame, place.call) for place in places[:-1])]
    entered = zip(reversed(ways), reversed(states), strict=False)
    if any(is_kept_for_others(frame, call, state, makers, program) for (frame, call), state in entered):
        return True
    return way.is_closed() or way.changes_owner() or is_of_another(places, makers, reached, program)


class _Way:
    """One path, with what is known of the values that go along it."""

    def __init__(self, places: list[Spot], program: Program) -> None:
        self._places, self._program = places, program

    def is_closed(self) -> bool:
        """Whether a test on the way lets nothing through that comes this way."""
        return any(
            self._shuts_out(number, test)
            for number, place in enumerate(self._places)
            for test in _type_tests(place.state.frame.scope, place.call.guard)
        )

    def changes_owner(self) -> bool:
        """Whether a stored callback leads to another object than the one of the same base that the path came by."""
        met: dict[tuple[int, int], Value] = {}
        for number, place in enumerate(self._places):
            frame = place.state.frame
            if not isinstance(frame.receiver, Instance):
                continue
            owner = met.setdefault((frame.module.index, frame.scope.parent), frame.receiver)
            if owner is not frame.receiver and number and self._is_called_back(number):
                return True
        return False

    def _is_called_back(self, number: int) -> bool:
        """Whether the path comes to a place by calling a method that something holds, not one of an object at hand."""
        before, receiver = self._places[number - 1], self._places[number].state.frame.receiver
        if before.state.frame.receiver is receiver:
            return False  # `super().method()`
        func = before.call.func
        if not isinstance(func, Attr):
            return isinstance(func, Name)
        held = self._program.evaluate(before.state.frame, func.base)
        self._program.solver.run()
        return receiver not in held.values

    def _shuts_out(self, number: int, test: Call) -> bool:
        brought = self._trace(number, test.args[0], _FURTHEST)
        frame, wanted = self._places[number].state.frame, test.args[1]
        classes = wanted.items if isinstance(wanted, Collection) else (wanted,)
        return bool(brought) and not any(self._program.may_be(v, frame, classes) for v in brought or ())

    def _trace(self, number: int, expr: Expr, depth: int) -> set[Instance] | None:
        """What an expression holds when control comes this way; None where that is not known."""
        if isinstance(expr, Name) and depth:
            return self._trace_name(number, expr.id, depth - 1)
        made = self._made(self._places[number].state.frame, expr)
        if made or not isinstance(expr, Call) or not depth:
            return made or None
        given = [found for arg in expr.args if (found := self._trace(number, arg, depth - 1))]
        return set().union(*given) or None

    def _trace_name(self, number: int, name: str, depth: int) -> set[Instance] | None:
        at = binder(self._places, number, name)
        if at is None:
            return None
        scope = self._places[at].state.frame.scope
        sources = [self._trace(at, value, depth) for value in scope.bindings.get(name, ())]
        if any(p.name == name for p in scope.parameters):
            sources.append(self._trace_parameter(at, name, depth))
        known = [source for source in sources if source is not None]
        return set().union(*known) if known and len(known) == len(sources) else None

    def _trace_parameter(self, number: int, name: str, depth: int) -> set[Instance] | None:
        """What the call that the path takes into a function gives for a parameter."""
        given = given_for(self._places[number - 1].call, self._places[number].state.frame, name) if number else None
        return None if given is None else self._trace(number - 1, given, depth)

    def _made(self, frame: Frame, expr: Expr) -> set[Instance]:
        held = self._program.evaluate(frame, expr)
        self._program.solver.run()
        return {value for value in held.values if isinstance(value, Instance)}


def _type_tests(scope: Scope, guard: int) -> Iterator[Call]:
    for row in outwards(scope, guard):
        test = row.test if row.kind == "test" and row.holds else None
        if isinstance(test, Call) and len(test.args) == 2 and last_name(test.func) == "isinstance":
            yield test
