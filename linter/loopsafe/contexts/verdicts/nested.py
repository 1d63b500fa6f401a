"""Loops that are run below a running one of the same thread: that always raises."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from loopsafe.contexts.places.place import Hop
from loopsafe.contexts.spread.handlers import expected_exceptions
from loopsafe.contexts.verdicts.loop_calls import LoopCall
from loopsafe.facts.schema import Attr, Call, Choice, Compare, Expr, Name, Not, Scope
from loopsafe.program.graph import Entered, Library, Target
from loopsafe.program.index import last_name
from loopsafe.program.modules import Module
from loopsafe.program.program import Program
from loopsafe.program.values import Frame

_FURTHEST = 4
_MOST_CALLERS = 30
_MOST_FUNCTIONS = 200
# So many hops a wrong turn is unlikely in.
_NEAR = 2
# Where these are about, the project lets loops run below others.
_PATCHES = ("nest_asyncio", "nest_asyncio2")

Where = tuple[Module, Scope, Call]


@dataclass(frozen=True, slots=True)
class _Way:
    """How control gets to a call that runs a loop: the calls, that one last, and what is told of those before it."""

    hops: tuple[Hop, ...]
    calls: tuple[Where, ...]


class NestedRuns:
    """Goes back from every call that runs a loop to coroutines, and to callbacks that a loop calls."""

    def __init__(self, program: Program) -> None:
        self._program, knowledge = program, program.knowledge
        self._tells = {name.rpartition(".")[2] for name in knowledge.tests}
        self._runs: dict[Where, None] = {}
        self._callers: dict[Scope, dict[Where, None]] = defaultdict(dict)
        self._callbacks: dict[Scope, dict[tuple[Module, Call], None]] = defaultdict(dict)

    def seed(self) -> None:
        """Ask what each call means; the answers are there once the solver has run."""
        if any(name in self._program.modules.imported for name in _PATCHES):
            return
        names = self._program.knowledge.loop_makers
        seen: dict[Scope, Module] = {}
        for word in sorted({name.rpartition(".")[2] for name in names}):
            for module, scope, call in self._program.index.callers(word):
                if scope.kind in ("function", "lambda"):
                    self._ask_run(module, scope, call, names)
                    seen[scope] = module
        self._ask_callers(seen)
        self._ask_callbacks({scope.name for scope in seen if scope.kind == "function"})

    def found(self) -> Iterator[LoopCall]:
        """Each call once, with the shortest way from a coroutine or callback above it; certain if that is near."""
        for module, scope, call in self._runs:
            if self.is_guarded(scope, call) or "RuntimeError" in expected_exceptions(scope, call.handler):
                continue
            way = next(filter(self._is_open, self._ways((module, scope, call))), None)
            if way is not None:
                hops = (*way.hops, Hop("reaches", module, call.packed_span))
                yield LoopCall(module, call, hops, len(hops) <= _NEAR)

    def _ask_run(self, module: Module, scope: Scope, call: Call, names: frozenset[str]) -> None:
        def target(found: Target) -> None:
            if isinstance(found, Library) and found.name in names:
                self._runs[module, scope, call] = None

        self._program.targets(self._program.classes.plain_frame(module, scope), call, target)

    def _ask_callers(self, seen: dict[Scope, Module]) -> None:
        front = [scope for scope in seen if not scope.is_async and scope.kind == "function"]
        for _ in range(_FURTHEST):
            fresh: list[Scope] = []
            for scope in front:
                sites = self._program.index.callers(scope.name)
                for module, caller, call in sites if len(sites) <= _MOST_CALLERS else ():
                    self._ask_call(scope, module, caller, call)
                    if caller not in seen and len(seen) < _MOST_FUNCTIONS and caller.kind == "function":
                        seen[caller] = module
                        fresh += [caller] if not caller.is_async else []
            front = fresh

    def _ask_call(self, scope: Scope, module: Module, caller: Scope, call: Call) -> None:
        def target(found: Target) -> None:
            if isinstance(found, Entered) and found.function.scope is scope:
                self._callers[scope][module, caller, call] = None

        self._program.targets(self._program.classes.plain_frame(module, caller), call, target)

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
                self._callbacks[found.function.scope][module, call] = None

        def target(found: Target) -> None:
            if isinstance(found, Library):
                for row in self._program.knowledge.runs.get(found.name, ()):
                    if row.where == "loop" and not row.coroutine and not row.awaits:
                        self._program.hand_over(row, found, call, entered)

        self._program.targets(self._program.classes.plain_frame(module, scope), call, target)

    def _ways(self, run: Where) -> Iterator[_Way]:
        """From coroutines, and from what is given to a loop, to a call that runs a loop; the shortest first."""
        if run[1].is_async:
            yield from () if self._is_left_alone(*run[:2]) else (_Way((), (run,)),)
            return
        front, seen = [_Way((), (run,))], {run[1]}
        while front:
            way = front.pop(0)
            at = way.calls[0][1]
            for handed_in, call in self._callbacks.get(at, ()):
                yield _Way((Hop("loop", handed_in, call.packed_span), *way.hops), way.calls)
            for where in self._callers.get(at, ()):
                module, caller, call = where
                if caller in seen or self.is_guarded(caller, call):
                    continue
                longer = _Way((Hop("calls", module, call.packed_span), *way.hops), (where, *way.calls))
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

    def _is_open(self, way: _Way) -> bool:
        """Whether the constants that are given on the way let control take it."""
        module, scope, call = way.calls[0]
        first = self._program.classes.plain_frame(module, scope)
        frames = [] if self._program.rules_out(first, call.guard) else [first]
        for (_, _, call), (_, entered, onwards) in pairwise(way.calls):
            found: list[Frame] = []
            for frame in frames:
                self._program.targets(frame, call, partial(_take, entered, found))
            self._program.solver.run()
            frames = [frame for frame in found if not self._program.rules_out(frame, onwards.guard)]
        return bool(frames)

    def is_guarded(self, scope: Scope, call: Call) -> bool:
        """Whether some test around the call, or before it, asks which thread or loop this is."""
        guard = call.guard
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
    """Keep the frame in which a call enters this function."""
    if isinstance(target, Entered) and target.function.scope is scope:
        found.append(target.frame)
