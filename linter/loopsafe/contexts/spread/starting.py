"""Whether what looks like the start of a thread is one."""

from __future__ import annotations

from loopsafe.contexts.places.flow import Flow
from loopsafe.contexts.places.place import STARTING, Hop
from loopsafe.contexts.spread.guards import Guards
from loopsafe.facts.schema import Attr, Call, Expr
from loopsafe.program.graph import Source
from loopsafe.program.program import Program
from loopsafe.program.values import External, Frame, Instance, Member, Object, Partial, Value


class Starting:
    """Asks the calls behind the hops that start contexts."""

    def __init__(self, flow: Flow, program: Program, guards: Guards) -> None:
        self._flow, self._program, self._guards = flow, program, guards

    def is_real(self, hop: Hop) -> bool:
        """Whether the origin behind a hop does start a context, and is no fallback for where loops cannot do it."""
        calls = self._flow.origins.get(hop)
        return not calls or any(self._starts(frame, call) for frame, call in calls)

    def _starts(self, frame: Frame, call: Call) -> bool:
        if self._may_stay_on_loop(frame, call) or self._guards.is_fallback(frame.scope, call.guard):
            return False
        if isinstance(call.func, Attr) and self._is_of_own_executor(frame, call.func.base):
            return False
        return not any(self._is_own_executor(frame, given) for given in call.args)

    def _is_own_executor(self, frame: Frame, given: Expr) -> bool:
        """Whether it is an executor of the project, which runs things in a way of its own."""
        # What is only declared does not count.
        held = [v for v in self._program.evaluate(frame, given).values if getattr(v, "frame", True) is not None]
        own = [v for v in held if isinstance(v, Instance) and "submit" in v.cls.scope.bindings]
        return bool(own) and len(own) == len(held)

    def _is_of_own_executor(self, frame: Frame, future: Expr) -> bool:
        """Whether an executor of the project has made a future: it also says where that is finished."""
        held = [
            v for v in self._program.evaluate(frame, future).values if isinstance(v, Object) and v.frame is not None
        ]
        return bool(held) and all(_is_made_by_executor(value) for value in held)

    def _may_stay_on_loop(self, frame: Frame, call: Call) -> bool:
        """Whether the receiver may also be of a class whose method of the same name runs its callback on the loop."""
        func, knowledge = call.func, self._program.knowledge
        if not isinstance(func, Attr):
            return False
        held = [v for v in self._program.evaluate(frame, func.base).values if isinstance(v, Object)]
        # What is declared counts; without a declaration, whatever comes along.
        types = [v.type for v in held if v.frame is None] or [v.type for v in held]
        names = [f"{owner}.{func.name}" for type_ in types for owner in knowledge.lineage(type_)]
        stays = any(row.where == "loop" for name in names for row in knowledge.runs.get(name, ()))
        return stays and not any(self._is_runner(v) for a in call.args for v in self._program.evaluate(frame, a).values)

    def _is_runner(self, value: Value) -> bool:
        """Whether what is handed over starts something itself, wherever it is called."""
        knowledge, names = self._program.knowledge, [""]
        if isinstance(value, Partial) and isinstance(value.function, Source):
            inner = self._program.node(value.function).values
            return any(not isinstance(each, Partial) and self._is_runner(each) for each in inner)
        if isinstance(value, External):
            names = [knowledge.canonical(value.name)]
        elif isinstance(value, Member) and isinstance(value.receiver, Object):
            names = [f"{owner}.{value.name}" for owner in knowledge.lineage(value.receiver.type)]
        return any(row.where in STARTING for name in names for row in knowledge.runs.get(name, ()))


def _is_made_by_executor(value: Object) -> bool:
    by = value.frame
    return by is not None and by.scope.name == "submit" and isinstance(by.receiver, Instance)
