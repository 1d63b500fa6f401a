"""Waiting on a loop's own thread for what only that loop can do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from loopsafe.contexts.places.flow import Flow
from loopsafe.contexts.places.loops import LoopsOf
from loopsafe.contexts.places.place import Hop
from loopsafe.contexts.verdicts.onto_loops import OntoLoops
from loopsafe.facts.schema import Attr, Call, Expr, Name, Scope
from loopsafe.program.index import last_name
from loopsafe.program.program import Program
from loopsafe.program.solver import Node
from loopsafe.program.values import Frame, Object

_HANDOVER = "run_coroutine_threadsafe"
_WAITS = ("result", "exception")
# Over more calls than this, another flag often says that a thread does it.
_FURTHEST = 2
_RUNNING = ("get_running_loop", "get_event_loop")


@dataclass(frozen=True, slots=True, eq=False)
class BlockingWait:
    """`run_coroutine_threadsafe(...).result()` in a function, and the loop it waits for."""

    frame: Frame
    call: Call
    loop: Node


class BlockingWaits:
    """Looks at waits in coroutines and in the plain functions that a loop's thread gets into."""

    def __init__(self, program: Program) -> None:
        self._program, self._onto = program, OntoLoops(program)
        self._waits: list[BlockingWait] = []

    def seed(self) -> None:
        """Ask which loop each wait is for, and who calls the function that waits."""
        for module, scope, call in self._program.index.own_callers(_HANDOVER):
            waits = [wait for wait in scope.calls if _waits_for(wait, call, scope.bindings, scope.calls)]
            loop = call.args[1] if len(call.args) > 1 else dict(call.keywords).get("loop")
            # A generator waits where it is iterated, whoever makes it.
            if waits and loop is not None and not scope.is_generator:
                frame = self._program.classes.plain_frame(module, scope)
                held = self._program.evaluate(frame, loop)
                self._waits += [BlockingWait(frame, wait, held) for wait in waits]
        self._onto.seed(dict.fromkeys((wait.frame.module, wait.frame.scope) for wait in self._waits))

    def found(self, loops: LoopsOf, flow: Flow, alone: bool) -> Iterator[tuple[BlockingWait, tuple[Hop, ...], bool]]:
        """The waits for the very loop that runs there, and whether that is certain.

        With `alone`, no second loop is seen to run in the program.
        """
        for wait in self._waits:
            for frame, hops in self._on_loops(wait):
                sure = self._is_same(wait, frame, loops, flow, alone)
                if sure is not None:
                    yield wait, hops, sure
                    break

    def _on_loops(self, wait: BlockingWait) -> Iterator[tuple[Frame, tuple[Hop, ...]]]:
        """The coroutines in which, or by whose doing, the loop's thread waits."""
        module, scope = wait.frame.module, wait.frame.scope
        if not scope.is_async and self._onto.is_guarded(scope, wait.call):
            return
        hop = Hop("reaches", module, wait.call.packed_span)
        for way in self._onto.ways((module, scope, wait.call)):
            first_module, first, _ = way.handed or way.steps[0]
            if first.is_async and len(way.hops) <= _FURTHEST:
                yield self._program.classes.plain_frame(first_module, first), (*way.hops, hop)

    def _is_same(self, wait: BlockingWait, frame: Frame, loops: LoopsOf, flow: Flow, alone: bool) -> bool | None:
        """Whether the loop that is waited for is the one on which a coroutine runs; None where that is not shown."""
        held = [v for v in wait.loop.values if isinstance(v, Object) and v.site is not None]
        waited = frozenset(loop for value in held for loop in loops.of(value))
        here = loops.running(frame.scope)
        if not held or loops.apart(waited, here):
            return None
        sure = wait.frame is frame
        if loops.within(waited, here) and loops.within(here, waited):
            return sure
        if not all(v.site is not None and last_name(v.site.func) in _RUNNING for v in held):
            return None
        lookers = {v.frame.scope for v in held if v.frame is not None}
        if alone or lookers <= {frame.scope, wait.frame.scope} or _lead(flow, lookers, frame.scope):
            return sure
        return None


def _waits_for(wait: Call, handover: Call, bindings: dict[str, tuple[Expr, ...]], calls: tuple[Call, ...]) -> bool:
    """Whether `wait` is `.result()` of this hand-over, directly or through a local name."""
    func = wait.func
    if not isinstance(func, Attr) or func.name not in _WAITS:
        return False
    base = func.base
    if isinstance(base, Name) and _is_looked_after(base.id, calls):
        return False
    return base is handover or (isinstance(base, Name) and any(b is handover for b in bindings.get(base.id, ())))


def _is_looked_after(name: str, calls: tuple[Call, ...]) -> bool:
    """Whether the function asks the future if it is done, or awaits it in another way, before it takes the result."""
    for call in calls:
        func = call.func
        if isinstance(func, Attr) and func.name == "done" and isinstance(func.base, Name) and func.base.id == name:
            return True
        if last_name(func) in ("wrap_future", "wait") and any(isinstance(a, Name) and a.id == name for a in call.args):
            return True
    return False


def _lead(flow: Flow, lookers: set[Scope], scope: Scope) -> bool:
    """Whether the functions that look a loop up lead to a coroutine on that same loop."""
    before = flow.reaching(
        {target for targets in flow.edges.values() for target in targets if target.frame.scope is scope}
    )
    return lookers <= {state.frame.scope for state in before if state.place.kind == "loop"}
