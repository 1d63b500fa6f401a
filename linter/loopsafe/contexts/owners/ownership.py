"""Whose loop an object is on: threads that run a loop of their own own what they make."""

from __future__ import annotations

from loopsafe.contexts.places.flow import Flow, Reached
from loopsafe.contexts.places.paths import Paths
from loopsafe.contexts.places.place import LOOP, Hop
from loopsafe.contexts.spread.guards import Guards
from loopsafe.contexts.spread.handlers import expected_exceptions
from loopsafe.contexts.spread.propagate import STARTING
from loopsafe.facts.schema import Attr, Call, Expr, Name, Scope
from loopsafe.program.index import last_name
from loopsafe.program.program import Program
from loopsafe.program.values import Frame, Instance, Object


class Ownership:
    """Splits the roots into those whose thread runs a loop and those whose thread is plainly foreign."""

    def __init__(self, flow: Flow, program: Program, guards: Guards) -> None:
        self._flow, self._program, self._guards = flow, program, guards
        self._runs_loop = flow.reaching({s for s in flow.loops_run if s.context.kind in ("thread", "exit")})
        started = {
            root
            for root, hops in flow.roots.items()
            if root.context.kind in STARTING and any(self._is_real(hop) for hop in hops)
        }
        self.own_loop_roots = {root for root in started if root in self._runs_loop}
        self.foreign_roots = started - self.own_loop_roots
        self.caller_roots = {root for root in flow.roots if root.context.kind == "caller"}

    def _is_real(self, hop: Hop) -> bool:
        """Whether the origin behind a hop does start a context, and is no fallback for where loops cannot do it."""
        calls = self._flow.origins.get(hop)
        return not calls or any(self._starts(frame, call) for frame, call in calls)

    def _starts(self, frame: Frame, call: Call) -> bool:
        return not self._may_stay_on_loop(frame, call) and not self._guards.is_fallback(frame.scope, call.guard)

    def _may_stay_on_loop(self, frame: Frame, call: Call) -> bool:
        """Whether the receiver may also be of a class whose method of the same name runs its callback on the loop."""
        func, knowledge = call.func, self._program.knowledge
        if not isinstance(func, Attr):
            return False
        held = [v for v in self._program.evaluate(frame, func.base).values if isinstance(v, Object)]
        # What is declared counts; without a declaration, whatever comes along.
        types = [v.type for v in held if v.frame is None] or [v.type for v in held]
        names = [f"{owner}.{func.name}" for type_ in types for owner in knowledge.lineage(type_)]
        return any(row.where == "loop" for name in names for row in knowledge.runs.get(name, ()))

    def made_there(self, reached: Reached, paths: Paths) -> bool:
        """Whether the object is made by the very code that runs on the thread: nobody else need know it.

        Not so where its maker is what starts the thread: then it was there before.
        """
        receiver = reached.receiver
        if not isinstance(receiver, Object) or receiver.frame is None or _scope_key(receiver) not in paths.scopes:
            return False
        start = paths.to(reached.state)[0]
        return not any(call.packed_span == start.packed_span for call in receiver.frame.scope.calls)


def best_known(reached: list[Reached]) -> list[Reached]:
    """Without those whose receiver is known by its declared type only, where it is also known by its making."""
    made = {
        (r.state, r.call, r.row) for r in reached if isinstance(r.receiver, Object) and r.receiver.frame is not None
    }
    return [
        r
        for r in reached
        if (r.state, r.call, r.row) not in made or not isinstance(r.receiver, Object) or r.receiver.frame is not None
    ]


def is_ambiguous(reached: Reached, program: Program) -> bool:
    """Whether the receiver may as well be of a library class known not to belong to a loop."""
    func = reached.call.func
    if reached.started is not None or not isinstance(func, Attr):
        return False
    held = program.under(reached.state.frame, func.base, reached.call.guard).values
    return any(isinstance(v, Object) and not program.knowledge.is_loop_bound(v.type) for v in held)


def is_harmless(reached: Reached, program: Program) -> bool:
    """Whether the operation only hands its argument back, or looks up a loop that nobody asks for on this thread."""
    wanted, call = reached.row.harmless_with, reached.call
    if reached.started is not None:
        return reached.row.category == "lookup"
    given = program.evaluate(reached.state.frame, call.args[0]).values if wanted and call.args else {}
    return any(isinstance(v, Object) and wanted in program.knowledge.lineage(v.type) for v in given)


def is_a_loop(reached: Reached, program: Program) -> bool:
    """Whether the code is part of an event loop: a class that extends asyncio's."""
    at: Frame | None = reached.state.frame
    while at is not None and not isinstance(at.receiver, Instance):
        at = at.parent
    if at is None or not isinstance(at.receiver, Instance):
        return False
    bases = program.classes.library_bases(at.receiver.cls)
    return any(LOOP in program.knowledge.lineage(base) for base in bases)


def is_prepared_for(reached: Reached, paths: Paths) -> bool:
    """Whether the code that looks for a loop does not look for one to cross to, or knows that there may be none."""
    if reached.state.context.kind == "signal":  # handlers run on the main thread, where the loop usually is
        return True
    scope = reached.state.frame.scope
    if not _is_crossed_to(scope, reached.call) or expected_exceptions(scope, reached.call.handler) & _NO_LOOP:
        return True
    way = paths.through(reached.state) if reached.state in paths else (reached.state,)
    return any(last_name(c.func) in ("set_event_loop", "new_event_loop") for s in way for c in s.frame.scope.calls)


def _is_crossed_to(scope: Scope, lookup: Call) -> bool:
    """Whether something is handed to the loop that this call finds, here or through a name."""
    names = {name for name, values in scope.bindings.items() if any(value is lookup for value in values)}

    def is_found(expr: Expr) -> bool:
        return expr is lookup or (isinstance(expr, Name) and expr.id in names)

    for call in scope.calls:
        if last_name(call.func) in _CROSSED_WITH:
            given = (getattr(call.func, "base", None), *call.args, *(value for _, value in call.keywords))
            if any(is_found(expr) for expr in given):
                return True
    return False


_CROSSED_WITH = {
    "call_soon_threadsafe", "run_coroutine_threadsafe", "call_soon", "call_later", "call_at", "create_task",
    "ensure_future",
}  # fmt: skip
_NO_LOOP = {"RuntimeError", "Exception", "BaseException"}


def _scope_key(made: Object) -> tuple[int, int]:
    assert made.frame is not None
    return (made.frame.module.index, made.frame.scope.index)
