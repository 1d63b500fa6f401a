"""What is awaited, and on which loop: `await queue.put(x)` in a coroutine, `asyncio.run(queue.put(x))` on a thread."""

from __future__ import annotations

from typing import NamedTuple

from loopsafe.contexts.places.flow import Flow, Runner, Waited
from loopsafe.contexts.places.place import State
from loopsafe.facts.schema import Call, Expr, Name
from loopsafe.knowledge.schema import RunsRow, WaitRow
from loopsafe.program.graph import Arguments, Library, Source, Target
from loopsafe.program.program import Program
from loopsafe.program.values import Frame, Object, Value

_USED = WaitRow(names=(), source="used on one loop", mutual=True)


class Waits:
    """Notes in the flow what functions wait for."""

    def __init__(self, program: Program, flow: Flow) -> None:
        self._program, self._flow = program, flow
        self._given: set[tuple[State, Frame, Call, Value | None]] = set()
        self._seen: set[tuple[State, int, str, Value | None, Value | None]] = set()

    def visit(self, state: State) -> None:
        """What a function that runs on a loop awaits without calling it: `async with lock`, `await self._future`."""
        scope = state.frame.scope
        for block in scope.blocks:
            if block.is_async:
                self._on(state, block.value, "__aenter__", block.packed_span, block.guard)
                self.given(state, Source(state.frame, block.value), state.place.loop, None)
        for implicit in scope.implicit:
            if implicit.kind == "aiter":
                self._on(state, implicit.value, "__anext__", implicit.packed_span, implicit.guard)
        for read in scope.reads:
            if any(read.attr is awaited for awaited in scope.awaits):
                self._on(state, read.attr, "__await__", read.packed_span, read.guard)

    def called(self, state: State, call: Call, target: Library) -> None:
        """`await queue.put(x)`."""
        if call.role == "awaited":
            self._note(state, _place(call), target, state.place.loop, None)

    def given(self, state: State, source: Source, loop: Value | None, runner: Runner | None) -> None:
        """A coroutine that `runner` runs on `loop`, made in the place where it is given, or by a local name."""
        frame, expr = source.frame, source.expr
        if frame is None:
            return
        made = frame.scope.bindings.get(expr.id, ()) if isinstance(expr, Name) else (expr,)
        for call in made:
            # `task = ensure_future(task)` is made of itself.
            if isinstance(call, Call) and (state, frame, call, loop) not in self._given:
                self._given.add((state, frame, call, loop))
                self._made(state, frame, call, loop, runner)

    def handed(self, state: State, target: Target, loop: Value | None, runner: Runner) -> None:
        """A library's coroutine function that `runner` calls, and awaits on `loop`."""
        if isinstance(target, Library):
            self._note(state, _place(runner.call), target, loop, runner)

    def _made(self, state: State, frame: Frame, call: Call, loop: Value | None, runner: Runner | None) -> None:
        program = self._program
        arguments = program.arguments(frame, call)

        def target(found: Target) -> None:
            if isinstance(found, Library):
                self._note(state, _place(call), found, loop, runner)
                for row in program.knowledge.runs.get(found.name, ()):
                    # `asyncio.wait_for(queue.get(), 5)` awaits where it is awaited itself.
                    if _awaits_here(row):
                        for inner in program.callable_sources(row, found.arguments):
                            self.given(state, inner, loop, runner)

        callees = program.evaluate(frame, call.func)
        program.solver.listen(callees, lambda callee: program.call(callee, arguments, call, target))

    def _on(self, state: State, expr: Expr, method: str, packed_span: int, guard: int) -> None:
        """`expr` is awaited, entered or gone through, which calls this method."""
        program = self._program

        def target(found: Target) -> None:
            if isinstance(found, Library):
                self._note(state, _Spot(expr, packed_span, guard), found, state.place.loop, None)

        def held(value: Value) -> None:
            called = program.attribute(value, method)
            program.solver.listen(called, lambda callee: program.call(callee, Arguments(), None, target))

        program.solver.listen(program.evaluate(state.frame, expr), held)

    def _note(self, state: State, place: _Spot, target: Library, loop: Value | None, runner: Runner | None) -> None:
        row = self._program.knowledge.waits.get(target.name) or self._used(target)
        key = (state, place.packed_span, target.name, target.receiver, loop)
        if row is not None and key not in self._seen:
            self._seen.add(key)
            self._flow.waited.append(Waited(state, *place, row, target.name, target.receiver, loop, runner))

    def _used(self, target: Library) -> WaitRow | None:
        """Whatever is awaited of a client, it is used where that happens."""
        receiver = target.receiver
        used = isinstance(receiver, Object) and self._program.knowledge.is_used_on_loop(receiver.type)
        return _USED if used else None


class _Spot(NamedTuple):
    expr: Expr
    packed_span: int
    guard: int


def _place(call: Call) -> _Spot:
    return _Spot(call, call.packed_span, call.guard)


def _awaits_here(row: RunsRow) -> bool:
    return row.where == "loop" and row.coroutine and row.loop_argument is None
