"""How the thread of a loop gets into a function: from coroutines, and from what a loop is given to call, downwards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from loopsafe.contexts.places.place import Hop
from loopsafe.contexts.verdicts.answered import shuts_out
from loopsafe.facts.schema import Attr, Call, Choice, Compare, Expr, Name, Not, Read, Scope
from loopsafe.program.graph import Entered, Library, OnTarget, Target
from loopsafe.program.implicit import ImplicitCalls
from loopsafe.program.index import last_name
from loopsafe.program.modules import Module
from loopsafe.program.program import Program
from loopsafe.program.values import Frame

_FURTHEST = 4
_MOST_CALLERS = 30
_MOST_FUNCTIONS = 200
_PROPERTIES = ("property", "cached_property")

Step = Call | Read
Where = tuple[Module, Scope, Step]
"""A call, or the read of a property, and the function in which it stands."""


@dataclass(frozen=True, slots=True)
class Way:
    """The steps to a call in a function, that call the last, and what is told of those before it.

    The first function is a coroutine; or it is given to a loop by `handed`, a call and where that stands.
    """

    hops: tuple[Hop, ...]
    steps: tuple[Where, ...]
    handed: Where | None = None


class OntoLoops:
    """Goes back from functions to the coroutines that call them, and to the calls that give them to a loop."""

    def __init__(self, program: Program) -> None:
        self._program, knowledge = program, program.knowledge
        self._implicit = ImplicitCalls(program, program.classes)
        self._tells = {name.rpartition(".")[2] for name in knowledge.tests}
        self._callers: dict[Scope, dict[Where, None]] = defaultdict(dict)
        self._callbacks: dict[Scope, dict[tuple[Module, Scope, Call], None]] = defaultdict(dict)

    def seed(self, functions: Iterable[tuple[Module, Scope]]) -> None:
        """Ask who gets into these functions; the answers are there once the solver has run."""
        seen = {scope: module for module, scope in functions}
        self._ask_callers(seen)
        self._ask_callbacks({scope.name for scope in seen if scope.kind == "function"})

    def ways(self, last: Where) -> Iterator[Way]:
        """The ways to a call that control may take, the shortest first."""
        return filter(self._is_open, self._ways(last))

    def _ask_callers(self, seen: dict[Scope, Module]) -> None:
        front = [scope for scope in seen if not scope.is_async and scope.kind == "function"]
        for _ in range(_FURTHEST):
            fresh: list[Scope] = []
            for scope in front:
                for module, caller, step in self._sites(scope):
                    self._ask_step(scope, module, caller, step)
                    if caller not in seen and len(seen) < _MOST_FUNCTIONS and caller.kind == "function":
                        seen[caller] = module
                        fresh += [caller] if not caller.is_async else []
            front = fresh

    def _sites(self, scope: Scope) -> list[Where]:
        """The calls, or reads, that may mean a function."""
        found: list[Where] = [*self._program.index.callers(scope.name)]
        if any(last_name(decorator) in _PROPERTIES for decorator in scope.decorators):
            found = [*self._program.index.reads.get(scope.name, ())]
        return found if len(found) <= _MOST_CALLERS else []

    def _ask_step(self, scope: Scope, module: Module, caller: Scope, step: Step) -> None:
        def target(found: Target) -> None:
            if isinstance(found, Entered) and found.function.scope is scope:
                self._callers[scope][module, caller, step] = None

        self._enter(self._program.classes.plain_frame(module, caller), step, target)

    def _enter(self, frame: Frame, step: Step, on_target: OnTarget) -> None:
        if isinstance(step, Call):
            self._program.targets(frame, step, on_target)
        else:
            self._implicit.read(frame, step, on_target)

    def _ask_callbacks(self, names: set[str]) -> None:
        """What a loop is given to call: `loop.call_later(1, self.save)`."""
        rows = self._program.knowledge.runs
        loops = {name for name, found in rows.items() if any(r.where == "loop" and not r.coroutine for r in found)}
        for word in sorted({name.rpartition(".")[2] for name in loops}):
            for module, scope, call in self._program.index.callers(word):
                if any(isinstance(a, (Name, Attr)) and last_name(a) in names for a in call.args):
                    self._ask_callback(module, scope, call)

    def _ask_callback(self, module: Module, scope: Scope, call: Call) -> None:
        def entered(found: Target) -> None:
            if isinstance(found, Entered):
                self._callbacks[found.function.scope][module, scope, call] = None

        def target(found: Target) -> None:
            if isinstance(found, Library):
                for row in self._program.knowledge.runs.get(found.name, ()):
                    if row.where == "loop" and not row.coroutine and not row.awaits:
                        self._program.hand_over(row, found, call, entered)

        self._program.targets(self._program.classes.plain_frame(module, scope), call, target)

    def _ways(self, last: Where) -> Iterator[Way]:
        if last[1].is_async:
            yield from () if self._is_left_alone(*last[:2]) else (Way((), (last,)),)
            return
        front, seen = [Way((), (last,))], {last[1]}
        while front:
            way = front.pop(0)
            at = way.steps[0][1]
            for module, scope, call in self._callbacks.get(at, ()):
                yield Way((Hop("loop", module, call.packed_span), *way.hops), way.steps, (module, scope, call))
            for where in self._callers.get(at, ()):
                module, caller, step = where
                if caller in seen or self.is_guarded(caller, step):
                    continue
                longer = Way((Hop("calls", module, step.packed_span), *way.hops), (where, *way.steps))
                if caller.is_async:
                    yield from () if self._is_left_alone(module, caller) else (longer,)
                    continue
                seen.add(caller)
                front.append(longer)

    def _is_left_alone(self, module: Module, scope: Scope) -> bool:
        """Whether it is a test that nobody awaits: of a class with bases, none of which says that it awaits tests."""
        around = module.facts.scopes[scope.parent]
        if around.kind != "class" or not around.bases or not scope.name.startswith("test"):
            return False
        classes = self._program.classes
        bases = classes.library_bases(classes.defined_by(module, around))
        return not any("async" in base.lower() for base in bases)

    def _is_open(self, way: Way) -> bool:
        """Whether the constants that are given on the way let control take it."""
        module, scope, step = way.steps[0]
        first = self._program.classes.plain_frame(module, scope)
        frames = [first] if self._lets_in(way.handed[2] if way.handed else None, first, step.guard) else []
        for (_, _, at), (_, entered, onwards) in pairwise(way.steps):
            found: list[Frame] = []
            for frame in frames:
                self._enter(frame, at, partial(_take, entered, found))
            self._program.solver.run()
            frames = [frame for frame in found if self._lets_in(at, frame, onwards.guard)]
        return bool(frames)

    def _lets_in(self, step: Step | None, frame: Frame, guard: int) -> bool:
        """Whether a function that is entered by a step, or by nothing that is known, gets past a guard."""
        if self._program.rules_out(frame, guard):
            return False
        return not (isinstance(step, Call) and shuts_out(step, frame, guard))

    def is_guarded(self, scope: Scope, step: Step) -> bool:
        """Whether some test around the call, or before it, asks which thread or loop this is."""
        guard = step.guard
        while guard >= 0:
            row = scope.guards[guard]
            if row.kind in ("except", "try", "some") or self._asks(scope, row.test, 0):
                return True
            guard = row.parent
        return False

    def _asks(self, scope: Scope, expr: Expr, depth: int) -> bool:
        if depth > _FURTHEST:
            return False
        if isinstance(expr, Name):
            return any(self._asks(scope, value, depth + 1) for value in scope.bindings.get(expr.id, ()))
        if isinstance(expr, Call):
            return last_name(expr.func) in self._tells or bool(self._program.index.functions.get(last_name(expr.func)))
        if isinstance(expr, Compare):
            return self._asks(scope, expr.left, depth + 1) or self._asks(scope, expr.right, depth + 1)
        if isinstance(expr, Choice):
            return any(self._asks(scope, option, depth + 1) for option in expr.options)
        return isinstance(expr, Not) and self._asks(scope, expr.value, depth + 1)


def _take(scope: Scope, found: list[Frame], target: Target) -> None:
    """Keep the frame in which a step enters this function."""
    if isinstance(target, Entered) and target.function.scope is scope:
        found.append(target.frame)
