"""Special methods run where an operator, an item or a loop calls them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from loopsafe.contexts.places.place import Hop, State
from loopsafe.facts.schema import Attr, Call, Scope
from loopsafe.program.graph import Arguments, Entered, Target
from loopsafe.program.operators import ITERATED, in_turn
from loopsafe.program.program import Program
from loopsafe.program.values import Coroutine, Frame, Instance, Value

OnEntered = Callable[[State, State, Hop], None]
"""Hears of the state that control comes from, the one that it goes to, and how."""


class Operators:
    """Finds the special methods behind what is done to objects of the project."""

    def __init__(self, program: Program, entered: OnEntered) -> None:
        self._program, self._entered = program, entered

    def calls(self, scope: Scope) -> tuple[Call, ...]:
        """The calls of special methods that stand in a function without being written."""
        return self._program.index.special.get(scope, ())

    def run(self, state: State, call: Call) -> None:
        """Enter the method that an operator calls."""
        if isinstance(call.func, Attr):
            operand = self._program.under(state.frame, call.func.base, call.guard)
            self._program.solver.listen(operand, self._operate, state, call, call.func.name)

    def _operate(self, state: State, call: Call, name: str, value: Value) -> None:
        program = self._program
        if isinstance(value, Instance):
            hop = Hop("calls", state.frame.module, call.packed_span)
            if call.role == ITERATED:
                self.iterate(state, value, hop, is_async=False)
                return
            for method in in_turn(name):
                if program.classes.binding(value.cls, method) is not None:
                    given = program.arguments(state.frame, call)
                    on_target = partial(self._enter, state, hop)
                    program.solver.listen(program.attribute(value, method), program.called_with, given, call, on_target)
                    return

    def iterate(self, state: State, value: Instance, hop: Hop, is_async: bool) -> None:
        """Enter the methods that going through an object calls."""
        first, then = ("__aiter__", "__anext__") if is_async else ("__iter__", "__next__")

        def step(iterator: Value) -> None:
            if isinstance(iterator, Instance):
                self._call(state, iterator, then, hop, None)
            elif isinstance(iterator, Coroutine) and iterator.frame.scope.is_generator:
                self._entered(state, State(iterator.frame, state.place), hop)

        def iterated(frame: Frame) -> None:
            if not frame.scope.is_generator:
                self._program.solver.listen(self._program.result(frame), step)

        if self._program.classes.binding(value.cls, first) is not None:
            self._call(state, value, first, hop, iterated)

    def _call(self, state: State, value: Instance, method: str, hop: Hop, then: Callable[[Frame], None] | None) -> None:
        program = self._program

        def entered(target: Target) -> None:
            self._enter(state, hop, target)
            if then is not None and isinstance(target, Entered):
                then(target.frame)

        program.solver.listen(program.attribute(value, method), program.called_with, Arguments(), None, entered)

    def _enter(self, state: State, hop: Hop, target: Target) -> None:
        if isinstance(target, Entered) and (state.place.kind == "loop" or not target.function.scope.is_async):
            self._entered(state, State(target.frame, state.place), hop)
