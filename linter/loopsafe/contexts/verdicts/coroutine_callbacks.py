"""Coroutine functions and coroutines given where a plain function is called: nobody awaits them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from loopsafe.facts.schema import Attr, Call
from loopsafe.facts.spelling import is_exact, spell
from loopsafe.findings import FixPlan, Rewrite
from loopsafe.knowledge.schema import RunsRow
from loopsafe.program.graph import Library, Source, Target
from loopsafe.program.index import last_name
from loopsafe.program.program import Program
from loopsafe.program.solver import Node
from loopsafe.program.values import Coroutine, Frame, Function, Method, Partial, Value

_PLAIN_CALLERS = ("asyncio.", "threading.", "concurrent.", "signal.", "_thread.")


@dataclass(frozen=True, slots=True, eq=False)
class GivenCallback:
    """A call that takes a callable, and the node of what it is given."""

    frame: Frame
    call: Call
    given: Node

    @property
    def fix(self) -> FixPlan:
        """Hand it over as the coroutine that it is, where it is handed to a loop."""
        call, base = self.call, self.call.func.base if isinstance(self.call.func, Attr) else None
        if last_name(call.func) != "call_soon_threadsafe" or not is_exact(base) or call.keywords or not call.args:
            return FixPlan("declined", "which loop is to run the coroutine is not known")
        made = isinstance(call.args[0], Call)
        rewrite = Rewrite(call.span, "coroutine" if made else "cocall", spell(base))
        return FixPlan("unsafe", "the coroutine will run, as it does not now", (rewrite,), ("asyncio",))


class CoroutineCallbacks:
    """Collects what is given to functions of the standard library that call it and drop its result."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._given: dict[tuple[Frame, Call], GivenCallback] = {}

    def seed(self) -> None:
        """Ask about every such call whose argument may be a coroutine function of the project."""
        index = self._program.index
        names = (n for n, rows in self._program.knowledge.runs.items() if any(_is_plain(n, row) for row in rows))
        for word in sorted({name.rpartition(".")[2] for name in names}):
            for module, scope, call in index.callers(word):
                if index.names_coroutine(call):
                    self._ask(self._program.classes.plain_frame(module, scope), call)

    def found(self) -> Iterator[GivenCallback]:
        """The calls that are given nothing but coroutine functions or coroutines."""
        for given in self._given.values():
            values = given.given.values
            if values and all(self._is_coroutine(value) for value in values):
                yield given

    def _is_coroutine(self, value: Value) -> bool:
        if isinstance(value, Partial) and isinstance(value.function, Source):
            inner = self._program.node(value.function).values
            return bool(inner) and all(not isinstance(v, Partial) and self._is_coroutine(v) for v in inner)
        if isinstance(value, Method):
            value = value.function
        if isinstance(value, Function):
            return value.scope.is_async and not value.scope.is_generator
        return isinstance(value, Coroutine) and value.frame.scope.is_async and not value.frame.scope.is_generator

    def _ask(self, frame: Frame, call: Call) -> None:
        program = self._program

        def target(found: Target) -> None:
            if isinstance(found, Library):
                for row in program.knowledge.runs.get(found.name, ()):
                    if _is_plain(found.name, row):
                        for source in program.callable_sources(row, found.arguments):
                            self._given[frame, call] = GivenCallback(frame, call, program.node(source))

        program.targets(frame, call, target)


def _is_plain(name: str, row: RunsRow) -> bool:
    """Whether a function calls its argument as it is, without awaiting what that gives."""
    return name.startswith(_PLAIN_CALLERS) and not row.coroutine and not row.unless_async and row.where in _CALLING


_CALLING = ("thread", "loop", "signal")


def remedy_for(outer: str) -> str:
    """What to write instead, by the function that was given a coroutine."""
    return _REMEDIES.get(outer.rpartition(".")[2], "use `asyncio.create_task` on the loop")


_REMEDIES = {
    "call_soon_threadsafe": "use `asyncio.run_coroutine_threadsafe`",
    "to_thread": "await it here",
    "run_in_executor": "await it here",
    "Thread": "use `asyncio.run` there",
    "Timer": "use `asyncio.run` there",
    "submit": "use `asyncio.run` there",
}
