"""What the rules ask: violations, with witness, confidence and the plan of a fix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loopsafe.contexts.crossings import LOOP, Crossings
from loopsafe.contexts.declared import Declared
from loopsafe.contexts.flow import Reached
from loopsafe.contexts.guards import Guards
from loopsafe.contexts.lattice import WHERE, Hop
from loopsafe.contexts.loop_threads import LoopThreads
from loopsafe.contexts.misuse import Misuse
from loopsafe.contexts.ownership import Ownership, best_known, is_ambiguous
from loopsafe.contexts.origins import Origins
from loopsafe.contexts.propagate import Propagation
from loopsafe.contexts.remarks import Remarks
from loopsafe.contexts.witness import Paths
from loopsafe.facts.schema import Attr, Call, Scope
from loopsafe.facts.spelling import is_exact, spell
from loopsafe.findings import Confidence, FixPlan, Rewrite
from loopsafe.locations import Span
from loopsafe.program.modules import Module
from loopsafe.program.program import Program
from loopsafe.program.values import Object


@dataclass(frozen=True, slots=True)
class Violation:
    """A finding before it has a code: `operation`, `where` and `remedy` fill the rule's message template.

    `witness` is the hops in order; the last one is the offending call itself.
    """

    module: Module
    span: Span
    operation: str
    where: str
    remedy: str
    context: str
    confidence: Confidence
    witness: tuple[Hop, ...]
    fix: FixPlan | None

    def fields(self) -> dict[str, str]:
        """The fields of a message template."""
        return {"operation": self.operation, "where": self.where, "remedy": self.remedy}


class Analysis:
    """The solved program: contexts, ownership and crossings, asked by the rules."""

    def __init__(self, program: Program, annotations: Sequence[tuple[str, str]] = ()) -> None:
        self._program, self.modules = program, program.modules
        self.remarks = Remarks(program.modules, annotations)
        self._crossings = Crossings(program)
        self._misuse = Misuse(program)
        self._misuse.seed()
        propagation = Propagation(program, Guards(program.knowledge), self._crossings, self.remarks)
        self.propagation = propagation
        self.flow = propagation.flow
        Origins(propagation).seed()
        Declared(propagation).seed()
        program.solver.run()
        self._loop_threads = LoopThreads(propagation)
        self._loop_threads.seed()
        program.solver.run()
        self._ownership = Ownership(self.flow)
        self._foreign = Paths(self.flow, self._ownership.foreign_roots)
        self._callers = Paths(self.flow, self._ownership.caller_roots)
        self._operations = best_known(self.flow.reached)

    def off_loop(self, category: str) -> Iterator[Violation]:
        """Operations of one category that are reached where their loop does not run."""
        misused = {inner for (_, inner), found in self._misuse.found.items() if found.gives_nothing}
        for reached in self._operations:
            if reached.row.category == category and reached.call not in misused and self._is_foreign(reached):
                yield self._violation(reached)

    def _is_foreign(self, reached: Reached) -> bool:
        if reached.started is not None:
            return True
        if is_ambiguous(reached, self._program):
            return False
        kind = reached.state.context.kind
        if kind == "loop":
            return False
        if kind == "caller":
            return self._is_foreign_caller(reached)
        return reached.state in self._foreign and not self._ownership.made_there(reached, self._foreign)

    def _is_foreign_caller(self, reached: Reached) -> bool:
        thread = self._loop_threads.owner(reached)
        if thread is None or reached.state not in self._callers:
            return False
        return not self._loop_threads.starts_within(thread, self._callers.through(reached.state))

    def called_callbacks(self) -> Iterator[Violation]:
        """Calls that stand where a callback is expected, and give nothing."""
        for found in self._misuse.found.values():
            if found.gives_nothing:
                module = found.frame.module
                operation, outer = spell(found.inner.func), spell(found.outer.func)
                fix = FixPlan("safe", "", (Rewrite(found.outer.span, "uncall"),))
                hop = Hop("reaches", module, found.outer.packed_span)
                remedy = f"pass it to `{outer}` with its arguments"
                yield Violation(module, found.outer.span, operation, "", remedy, "loop", "certain", (hop,), fix)

    def _violation(self, reached: Reached) -> Violation:
        state, call = reached.state, reached.call
        module = state.frame.module
        hops = (*self._arrived(reached), Hop("reaches", module, call.packed_span))
        sure = state.context.kind != "caller" and all(hop.certain for hop in hops)
        confidence: Confidence = "certain" if sure else "likely"
        fix = self._fix(reached)
        operation = spell(call.func) if reached.started is None else reached.name.rpartition(".")[2]
        return Violation(
            module, call.span, operation, WHERE[state.context.kind], self._remedy(reached, fix), state.context.kind,
            confidence, hops, fix,
        )  # fmt: skip

    def _arrived(self, reached: Reached) -> tuple[Hop, ...]:
        """The hops from where the context starts to the function that does the operation."""
        if reached.started is not None:
            return (reached.started,)
        thread = self._loop_threads.owner(reached) if reached.state.context.kind == "caller" else None
        if thread is not None:
            return (*thread.hops, *self._callers.to(reached.state)[1:])
        return self._foreign.to(reached.state)

    def _loop(self, reached: Reached) -> str:
        """The text of the loop to cross to; empty where none is in scope."""
        receiver, func, wanted = reached.receiver, reached.call.func, reached.row.loop_class or LOOP
        if isinstance(receiver, Object) and wanted in self._program.knowledge.lineage(receiver.type):
            base = getattr(func, "base", None)
            return spell(base) if is_exact(base) else ""
        return self._crossings.loop_in_scope(reached.state.frame, wanted)

    def _remedy(self, reached: Reached, fix: FixPlan) -> str:
        row = reached.row
        if row.crossing:
            return f"use `{row.crossing}`"
        if row.fix == "rename":
            return f"use `{_renamed(reached)}`"
        if row.fix == "coroutine":
            return "use `asyncio.run_coroutine_threadsafe`"
        return f"use `{self._loop(reached) or 'loop'}.{row.crossing_method or 'call_soon_threadsafe'}`"

    def _fix(self, reached: Reached) -> FixPlan:
        row, call, loop = reached.row, reached.call, self._loop(reached)
        if reached.started is not None:
            return FixPlan("declined", "the operation is handed to the thread as a whole")
        if row.fix == "none":
            return FixPlan("declined", "the result is needed on this thread")
        if row.fix == "rename":
            return FixPlan("safe", "", (Rewrite(call.span, "rename", row.twin),))
        if not row.crossing and not loop:
            return FixPlan("declined", "no loop is in scope here")
        reason = self._unsafe(reached)
        applicability = "unsafe" if reason else "safe"
        if row.fix == "coroutine":
            return FixPlan(applicability, reason, (Rewrite(call.span, "coroutine", loop),), ("asyncio",))  # type: ignore[arg-type]
        crossing = row.crossing or f"{loop}.{row.crossing_method or 'call_soon_threadsafe'}"
        imports = (row.crossing.rpartition(".")[0],) if row.crossing else ()
        return FixPlan(applicability, reason, (Rewrite(call.span, "pass", crossing),), imports)  # type: ignore[arg-type]

    def _unsafe(self, reached: Reached) -> str:
        """Why handing the operation over may change what the program does; empty where it does not."""
        scope, call = reached.state.frame.scope, reached.call
        if call.role == "value" or (call.role == "returned" and scope.kind != "lambda"):
            return "the result of the call is used"
        expected = _expected(scope, call) & set(reached.row.expects)
        if expected:
            return f"a `try` around the call expects {', '.join(sorted(expected))}"
        return ""


def _renamed(reached: Reached) -> str:
    """The call's function with the twin in the place of its last name."""
    func = reached.call.func
    return f"{spell(func.base)}.{reached.row.twin}" if isinstance(func, Attr) else reached.row.twin


def _expected(scope: Scope, call: Call) -> set[str]:
    names: set[str] = set()
    handler = call.handler
    while handler >= 0:
        names |= {name.rpartition(".")[2] for name in scope.handlers[handler].exceptions}
        handler = scope.handlers[handler].parent
    return names
