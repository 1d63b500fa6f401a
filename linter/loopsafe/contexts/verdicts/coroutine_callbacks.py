"""Coroutine functions and coroutines given where a plain function is called: nobody awaits them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from loopsafe.contexts.origins.starts import holds
from loopsafe.facts.schema import Attr, Await, Call, Name, Scope, Store
from loopsafe.facts.spelling import is_exact, spell
from loopsafe.findings import FixPlan, Rewrite
from loopsafe.knowledge.schema import RunsRow
from loopsafe.program.graph import Library, Source, Target
from loopsafe.program.index import last_name
from loopsafe.program.program import Program
from loopsafe.program.solver import Node
from loopsafe.program.values import Coroutine, Frame, Function, Method, Object, Partial, Value


@dataclass(frozen=True, slots=True, eq=False)
class GivenCallback:
    """A call that takes a callable, or an attribute that holds one, and the node of what it is given."""

    frame: Frame
    place: Call | Store
    given: Node
    on_thread: bool = False

    @property
    def text(self) -> str:
        """What is given a coroutine function."""
        place = self.place
        return spell(place.func if isinstance(place, Call) else Attr(place.base, place.name or ""))

    @property
    def remedy(self) -> str:
        """What to write instead."""
        usual = "use `asyncio.run_coroutine_threadsafe`" if self.on_thread else "use `asyncio.create_task` on the loop"
        return _REMEDIES.get(self.text.rpartition(".")[2], usual)

    @property
    def fix(self) -> FixPlan:
        """Hand it over as the coroutine that it is, where it is handed to a loop."""
        call = self.place
        base = call.func.base if isinstance(call, Call) and isinstance(call.func, Attr) else None
        handed = isinstance(call, Call) and last_name(call.func) == "call_soon_threadsafe" and is_exact(base)
        if not isinstance(call, Call) or not handed or call.keywords or not call.args:
            return FixPlan("declined", "which loop is to run the coroutine is not known")
        made = isinstance(call.args[0], Call)
        rewrite = Rewrite(call.span, "coroutine" if made else "cocall", spell(base))
        return FixPlan("unsafe", "the coroutine will run, as it does not now", (rewrite,), ("asyncio",))


class CoroutineCallbacks:
    """Collects what is given to functions of the standard library that call it and drop its result."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._given: dict[tuple[Frame, Call | Store], GivenCallback] = {}
        self._results: dict[Value, Node] = {}

    def seed(self) -> None:
        """Ask about every such call whose argument may be a coroutine function of the project."""
        index = self._program.index
        names = (n for n, rows in self._program.knowledge.runs.items() if any(_is_plain(n, row) for row in rows))
        for word in sorted({name.rpartition(".")[2] for name in names}):
            for module, scope, call in index.own_callers(word):
                if index.names_coroutine(module, scope, call):
                    self._ask(self._program.classes.plain_frame(module, scope), call)
        for name, row in self._program.knowledge.assigns.items():
            if row.where == "thread" and not row.unless_async:
                owner, _, attribute = name.rpartition(".")
                for module, scope, store in index.stores.get(attribute, ()):
                    self._ask_store(self._program.classes.plain_frame(module, scope), store, owner)

    def found(self) -> Iterator[GivenCallback]:
        """The calls that are given nothing but coroutine functions or coroutines."""
        awaited: dict[Scope, bool] = {}
        for given in self._given.values():
            values, scope = given.given.values, given.frame.scope
            if values and all(self._is_coroutine(value) for value in values):
                if scope not in awaited:
                    awaited[scope] = any(map(_awaits_results, self._program.index.within(scope)))
                if not awaited[scope]:
                    yield given

    def _is_coroutine(self, value: Value) -> bool:
        if isinstance(value, Partial) and isinstance(value.function, Source):
            inner = self._program.node(value.function).values
            return bool(inner) and all(not isinstance(v, Partial) and self._is_coroutine(v) for v in inner)
        if isinstance(value, Method):
            value = value.function
        if isinstance(value, Function) and value.scope.kind == "lambda":
            made = self._results[value].values if value in self._results else ()
            return bool(made) and all(isinstance(v, Coroutine) and _is_async(v.frame.scope) for v in made)
        if isinstance(value, Function):
            return _is_async(value.scope) and not self._may_be_plain(value.scope)
        return isinstance(value, Coroutine) and _is_async(value.frame.scope)

    def _may_be_plain(self, scope: Scope) -> bool:
        """Whether a decorator of a library may have made a plain function of it, as those for windows do."""
        names = (last_name(decorator) for decorator in scope.decorators)
        return any(name not in _KEEPING and name not in self._program.index.definitions for name in names)

    def _ask(self, frame: Frame, call: Call) -> None:
        program = self._program

        def target(found: Target) -> None:
            if isinstance(found, Library):
                for row in program.knowledge.runs.get(found.name, ()):
                    if _is_plain(found.name, row) and holds(row, found.arguments):
                        for source in program.callable_sources(row, found.arguments):
                            node, on_thread = program.node(source), row.where == "thread"
                            self._given[frame, call] = GivenCallback(frame, call, node, on_thread)
                            program.solver.listen(node, self._made_by)

        program.targets(frame, call, target)

    def _ask_store(self, frame: Frame, store: Store, owner: str) -> None:
        program = self._program

        def on(holder: Value) -> None:
            if isinstance(holder, Object) and owner in program.knowledge.lineage(holder.type):
                self._given[frame, store] = GivenCallback(frame, store, program.evaluate(frame, store.value), True)

        program.solver.listen(program.evaluate(frame, store.base), on)

    def _made_by(self, value: Value) -> None:
        """Ask what a lambda gives: it may be a coroutine."""
        if isinstance(value, Function) and value.scope.kind == "lambda":
            frame = self._program.values.frame(value.module, value.scope, value.frame)
            self._results[value] = self._program.result(frame)


def _is_async(scope: Scope) -> bool:
    return scope.is_async and not scope.is_generator


def _awaits_results(scope: Scope) -> bool:
    """Whether the function awaits what a job has given back: a coroutine."""
    asked = (*scope.awaits, *(argument for call in scope.calls for argument in call.args))
    if any(isinstance(part, Call) and last_name(part.func) == "result" for part in asked):
        return True
    given = {name for name, values in scope.bindings.items() if any(isinstance(value, Await) for value in values)}
    return any(isinstance(part, Await) or (isinstance(part, Name) and part.id in given) for part in scope.awaits)


def _is_plain(name: str, row: RunsRow) -> bool:
    """Whether a function calls its argument as it is, without awaiting what that gives."""
    calls = row.drops or row.where in (_CALLING if name.startswith(_STANDARD) else _ELSEWHERE)
    return calls and not row.coroutine and not row.unless_async and not row.awaits


_STANDARD = ("asyncio.", "threading.", "concurrent.", "signal.", "_thread.", "atexit.", "weakref.")
_KEEPING = ("staticmethod", "classmethod", "wraps", "coroutine")
_ELSEWHERE = ("thread", "process")
_CALLING = (*_ELSEWHERE, "loop", "signal", "exit", "finalizer")


_REMEDIES = {
    "signal": "use `loop.add_signal_handler`",
    "register": "use `asyncio.run` there",
    "finalize": "hand it a plain function",
    "ref": "hand it a plain function",
    "call_soon_threadsafe": "use `asyncio.run_coroutine_threadsafe`",
    "to_thread": "await it here",
    "run_in_executor": "await it here",
    **dict.fromkeys(("Thread", "Timer", "Process", "submit", "do", "addCleanup"), "use `asyncio.run` there"),
}
