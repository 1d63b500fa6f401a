"""How an off-loop operation is put right: the loop to cross to, the plan of the fix, and how safe it is."""

from __future__ import annotations

from collections.abc import Callable

from loopsafe.contexts.crossings import LOOP, Crossings
from loopsafe.contexts.flow import Reached
from loopsafe.facts.schema import Attr, Scope
from loopsafe.facts.spelling import is_exact, spell
from loopsafe.findings import Applicability, FixPlan, Rewrite
from loopsafe.program.program import Program
from loopsafe.program.values import Coroutine, Object, Value

Avoid = Callable[[Value], bool]


class Remedies:
    """Decides the remedy of an operation; `fixes` only carries it out."""

    def __init__(self, program: Program, crossings: Crossings) -> None:
        self._program, self._crossings = program, crossings

    def prepare(self, reached: Reached) -> None:
        """Ask for what the decision will need, so that it is known in the end."""
        self._crossings.prepare(reached.state.frame)
        for argument in reached.call.args[:1]:
            self._program.evaluate(reached.state.frame, argument)

    def text(self, reached: Reached, avoid: Avoid | None = None) -> str:
        """The remedy in words, for the message. The loop to cross to must not be one to `avoid`."""
        row = reached.row
        if row.crossing:
            return f"use `{row.crossing}`"
        if row.fix == "rename":
            return f"use `{_renamed(reached)}`"
        if row.fix == "coroutine":
            return "use `asyncio.run_coroutine_threadsafe`"
        if row.category == "lookup":
            return "bring the loop along"
        return f"use `{self._loop(reached, avoid) or 'loop'}.{row.crossing_method or 'call_soon_threadsafe'}`"

    def plan(self, reached: Reached, avoid: Avoid | None = None) -> FixPlan:
        """What to rewrite, or why nothing is. The loop to cross to must not be one to `avoid`."""
        row, call = reached.row, reached.call
        if reached.started is not None:
            return FixPlan("declined", "the operation is handed to the thread as a whole")
        if row.fix == "none":
            return FixPlan("declined", _NO_FIX.get(row.category, "the result is needed on this thread"))
        if row.fix == "rename":
            return FixPlan("safe", "", (Rewrite(call.span, "rename", row.twin),))
        loop = self._loop(reached, avoid)
        if not row.crossing and not loop:
            return FixPlan("declined", "no loop is in scope here")
        reason = _unsafe(reached)
        applicability: Applicability = "unsafe" if reason else "safe"
        if row.fix == "coroutine":
            return self._coroutine_plan(reached, loop, applicability, reason)
        crossing = row.crossing or f"{loop}.{row.crossing_method or 'call_soon_threadsafe'}"
        imports = (row.crossing.rpartition(".")[0],) if row.crossing else ()
        return FixPlan(applicability, reason, (Rewrite(call.span, "pass", crossing),), imports)

    def _coroutine_plan(self, reached: Reached, loop: str, applicability: Applicability, reason: str) -> FixPlan:
        call = reached.call
        if any(name not in ("coro", "loop") for name, _ in call.keywords):
            return FixPlan("declined", "the task's name or context would be lost")
        given = self._program.evaluate(reached.state.frame, call.args[0]).values if call.args else {}
        if len(call.args) != 1 or not given or not all(isinstance(value, Coroutine) for value in given):
            return FixPlan("declined", "it is not certain that a coroutine is given")
        return FixPlan(applicability, reason, (Rewrite(call.span, "coroutine", loop),), ("asyncio",))

    def _loop(self, reached: Reached, avoid: Avoid | None) -> str:
        """The text of the loop to cross to; empty where none is in scope."""
        receiver, func, wanted = reached.receiver, reached.call.func, reached.row.loop_class or LOOP
        if isinstance(receiver, Object) and wanted in self._program.knowledge.lineage(receiver.type):
            base = getattr(func, "base", None)
            return spell(base) if is_exact(base) else ""
        return self._crossings.loop_in_scope(reached.state.frame, wanted, avoid)


_NO_FIX = {"lookup": "the loop must be taken elsewhere", "task-creation": "no single coroutine is given"}


def _unsafe(reached: Reached) -> str:
    """Why handing the operation over may change what the program does; empty where it does not."""
    scope, call = reached.state.frame.scope, reached.call
    if call.role == "value" or (call.role == "returned" and scope.kind != "lambda"):
        return "the result of the call is used"
    expected = expected_exceptions(scope, call.handler) & set(reached.row.expects)
    if expected:
        return f"a `try` around the call expects {', '.join(sorted(expected))}"
    return ""


def expected_exceptions(scope: Scope, handler: int) -> set[str]:
    """The exception types, without their modules, that the `try` statements around a place handle."""
    names: set[str] = set()
    while handler >= 0:
        names |= {name.rpartition(".")[2] for name in scope.handlers[handler].exceptions}
        handler = scope.handlers[handler].parent
    return names


def _renamed(reached: Reached) -> str:
    """The call's function with the twin in the place of its last name."""
    func = reached.call.func
    return f"{spell(func.base)}.{reached.row.twin}" if isinstance(func, Attr) else reached.row.twin
