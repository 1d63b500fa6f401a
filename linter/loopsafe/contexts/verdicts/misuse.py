"""Callbacks that are called where they should be passed."""

from __future__ import annotations

from dataclasses import dataclass, field

from loopsafe.facts.schema import Call
from loopsafe.facts.spelling import spell
from loopsafe.findings import FixPlan, Rewrite
from loopsafe.program.graph import Entered, Library, Target
from loopsafe.program.index import last_name
from loopsafe.program.program import Program
from loopsafe.program.solver import Node
from loopsafe.program.values import Frame


@dataclass(slots=True, eq=False)
class CalledCallback:
    """`outer(inner(x))` where `outer` expects a function.

    `entered` has the nodes of what `inner` gives. With `passes`, `outer` takes the function's arguments too, else it
    gives it its own, if any.
    """

    frame: Frame
    outer: Call
    inner: Call
    passes: bool
    operation: bool = False
    entered: dict[Frame, Node] = field(default_factory=dict)
    unclear: bool = False

    @property
    def gives_nothing(self) -> bool:
        """Whether what is passed is known to be None, or a task or handle: nothing that can be called."""
        if self.unclear:
            return False
        return self.operation or (bool(self.entered) and all(_gives_nothing(frame) for frame in self.entered))

    def fix(self, on_thread: bool) -> FixPlan:
        """Pass the function, with its arguments where there is a place for them; `on_thread` if that is where it is."""
        outer, rewrites = spell(self.outer.func), (Rewrite(self.outer.span, "uncall"),)
        crosses = last_name(self.outer.func) == "call_soon_threadsafe"
        if self.passes and not self.entered and on_thread and crosses:
            return FixPlan("safe", "", rewrites)
        if self.passes:
            # It may wait, fail, or be relied on right after.
            return FixPlan("unsafe", f"`{spell(self.inner.func)}` has run here and at once until now", rewrites)
        if self.inner.args or self.inner.keywords:
            return FixPlan("declined", f"`{outer}` has no place for the function's arguments")
        return FixPlan("unsafe", f"`{outer}` may call it with arguments", rewrites)


class Misuse:
    """Looks at every call that takes a callable and is given a call."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.found: dict[tuple[Call, Call], CalledCallback] = {}

    def seed(self) -> None:
        """Ask about every such call of the program; answers are there once the solver has run."""
        knowledge, index = self._program.knowledge, self._program.index
        names = (n for n, rows in knowledge.runs.items() if any(not r.coroutine for r in rows))
        for word in sorted({name.rpartition(".")[2] for name in names}):
            for module, scope, call in index.own_callers(word):
                given = [*call.args, *(value for _, value in call.keywords)]
                if any(isinstance(g, Call) for g in given):
                    frame = self._program.classes.plain_frame(module, scope)
                    self._outer(frame, call)

    def _outer(self, frame: Frame, call: Call) -> None:
        program = self._program

        def target(found: Target) -> None:
            if isinstance(found, Library):
                for row in program.knowledge.runs.get(found.name, ()):
                    for wanted in row.callables:
                        source = found.arguments.get(wanted.position, wanted.keyword)
                        if not row.coroutine and source is not None and isinstance(source.expr, Call):
                            passes = row.passes.rest_from is not None or row.passes.args is not None
                            self._inner(CalledCallback(frame, call, source.expr, passes))

        program.targets(frame, call, target)

    def _inner(self, entry: CalledCallback) -> None:
        frame, inner, program = entry.frame, entry.inner, self._program
        if (entry.outer, inner) in self.found:
            return
        self.found[entry.outer, inner] = entry

        def target(found: Target) -> None:
            if isinstance(found, Entered):
                entry.entered[found.frame] = program.result(found.frame)
            elif found.name in program.knowledge.operations and self._is_no_function(found.name):
                entry.operation = True
            else:
                entry.unclear = True

        program.targets(frame, inner, target)

    def _is_no_function(self, operation: str) -> bool:
        """Whether what an operation gives, nothing or a task or handle, cannot be called."""
        knowledge = self._program.knowledge
        row = knowledge.results.get(operation)
        return row is None or knowledge.is_loop_bound(row.gives)


def _gives_nothing(frame: Frame) -> bool:
    scope = frame.scope
    if scope.is_async or scope.is_generator or scope.name == "__init__" or scope.kind == "lambda":
        return False
    return not scope.returns and bool(scope.calls or scope.stores or scope.bindings) and not _is_stub(scope.decorators)


def _is_stub(decorators: tuple[object, ...]) -> bool:
    return bool(decorators)
