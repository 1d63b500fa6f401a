"""What the rules ask: violations, with witness, confidence and the plan of a fix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loopsafe.contexts.places.place import WHERE, Hop, Kind
from loopsafe.contexts.remedies.foreign_uses import ForeignUses
from loopsafe.contexts.remedies.moves import settle
from loopsafe.contexts.remedies.references import Crossings
from loopsafe.contexts.remedies.remedies import Remedies
from loopsafe.contexts.solved import Solved
from loopsafe.contexts.spread.remarks import Remarks
from loopsafe.contexts.spread.type_tests import depends_on_type
from loopsafe.contexts.verdicts.blocking import BlockingWaits
from loopsafe.contexts.verdicts.coroutine_callbacks import CoroutineCallbacks
from loopsafe.contexts.verdicts.coroutine_hooks import CoroutineHooks
from loopsafe.contexts.verdicts.dead import DeadLoops
from loopsafe.contexts.verdicts.driven import DrivenLoops
from loopsafe.contexts.verdicts.explain import Explanation, Locate
from loopsafe.contexts.verdicts.loop_calls import LoopCall
from loopsafe.contexts.verdicts.misuse import Misuse
from loopsafe.contexts.verdicts.nested import NestedRuns
from loopsafe.contexts.verdicts.off_loop import OffLoop, OffLoopUse
from loopsafe.contexts.verdicts.wakeups import empty_wakeups
from loopsafe.facts.schema import unpack_span
from loopsafe.facts.spelling import spell
from loopsafe.findings import Confidence, FixPlan
from loopsafe.locations import Span
from loopsafe.program.modules import Module
from loopsafe.program.program import Program


@dataclass(frozen=True, slots=True)
class Violation:
    """A finding before it has a code: `operation`, `where` and `remedy` fill the rule's message template.

    `witness` is the hops in order; the last one is the offending call itself. `api` is the library's name of it.
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
    api: str = ""

    def fields(self) -> dict[str, str]:
        """The fields of a message template."""
        return {"operation": self.operation, "where": self.where, "remedy": self.remedy}


# Hops, the operation among them.
_FURTHEST = 7
_MUST_AWAIT = "the function must become a coroutine that awaits"


class Analysis:
    """The solved program: places, owners and ways across, asked by the rules."""

    def __init__(self, program: Program, annotations: Sequence[tuple[str, str]] = ()) -> None:
        self._program = program
        self.remarks = Remarks(program.modules, annotations)
        self._misuse = Misuse(program)
        self._misuse.seed()
        self._coroutines, self._blocking = CoroutineCallbacks(program), BlockingWaits(program)
        self._coroutines.seed()
        self._blocking.seed()
        self._nested = NestedRuns(program)
        self._nested.seed()
        solved = self._solved = Solved(program, self.remarks)
        self._crossings = Crossings(program)
        self._remedies = Remedies(program, solved.flow, self._crossings, solved.owners)
        self._off_loop = self._find_off_loop()
        self._foreign_uses = ForeignUses(program, solved.flow, solved.guards, solved.seconds, solved.owners)

    @property
    def is_partial(self) -> bool:
        """Whether the project was too entangled to be followed to the end."""
        return "" in self._program.solver.spent

    @property
    def has_operations(self) -> bool:
        """Whether the program imports anything of which something belongs to a loop."""
        tops = {name.partition(".")[0] for name in self._program.knowledge.operations}
        return not tops.isdisjoint(self._program.modules.imported)

    def explanation(self, locate: Locate) -> Explanation:
        """The same program, asked where functions run. It finds no more violations after that."""
        return Explanation(self._solved.propagation, self._solved.threads, locate)

    def off_loop(self, category: str) -> Iterator[Violation]:
        """Operations of one category that are reached where their loop does not run."""
        yield from self._off_loop.get(category, ())
        if category == "loop-call":
            yield from self._driven_loops()

    def _driven_loops(self) -> Iterator[Violation]:
        """Loops that a thread runs though they run already."""
        solved = self._solved
        driven = DrivenLoops(self._program, solved.flow, solved.threads, solved.owners, self._nested.onto.is_guarded)
        for run in driven.found():
            reason = "the thread must wait for the coroutine, not run it"
            yield _declined(run, "thread", "use `asyncio.run_coroutine_threadsafe`", reason)

    def _find_off_loop(self) -> dict[str, list[Violation]]:
        """All of them, each at its boundary, by category."""
        misused = {inner for (_, inner), found in self._misuse.found.items() if found.gives_nothing}
        solved = self._solved
        verdicts = OffLoop(self._program, solved.flow, solved.threads, solved.owners, solved.seconds)
        placed = self._placed_operations = list(verdicts.found(misused))
        operations = [use.boundary.reached for use in placed]
        self._remedies.prepare(operations)
        plans = self._remedies.with_partners(settle(operations, self._remedies.plan))
        found: dict[str, list[Violation]] = {}
        for use in placed:
            reached = use.boundary.reached
            violation = self._violation(use, plans[reached])
            if not _is_far_fetched(violation):
                found.setdefault(reached.row.category, []).append(violation)
        return found

    def called_callbacks(self) -> Iterator[Violation]:
        """Calls that stand where a callback is expected, and give nothing."""
        for found in self._misuse.found.values():
            if found.gives_nothing:
                module = found.frame.module
                operation, outer = spell(found.inner.func), spell(found.outer.func)
                hop = Hop("reaches", module, found.outer.packed_span)
                remedy = f"pass it to `{outer}` with its arguments"
                fix = found.fix(self._remedies.is_on_threads(found.frame.scope))
                yield Violation(module, found.outer.span, operation, "", remedy, "loop", "certain", (hop,), fix)

    def _violation(self, use: OffLoopUse, fix: FixPlan) -> Violation:
        reached = use.boundary.reached
        state, call = reached.state, reached.call
        module, kind = state.frame.module, state.place.kind
        last = Hop("reaches", module, call.packed_span, not depends_on_type(state.frame.scope, call))
        hops = (*use.boundary.hops, last)
        sure = use.sure and all(hop.certain for hop in hops)
        operation = spell(call.func) if reached.started is None else reached.name.rpartition(".")[2]
        return Violation(
            module,
            call.span,
            operation,
            WHERE[kind],
            self._remedies.text(reached),
            kind,
            "certain" if sure else "likely",
            hops,
            fix,
            self._program.knowledge.canonical(reached.name),
        )

    def coroutine_callbacks(self) -> Iterator[Violation]:
        """Coroutine functions and coroutines given where a plain function is called."""
        for given in self._coroutines.found():
            module, place = given.frame.module, given.place
            hop = Hop("reaches", module, place.packed_span)
            remedy, span = given.remedy, unpack_span(place.packed_span)
            yield Violation(module, span, given.text, "", remedy, "loop", "certain", (hop,), given.fix)
        fix = FixPlan("declined", "which loop is to run the coroutine is not known")
        for hook in CoroutineHooks(self._program).found():
            hop, span = Hop("reaches", hook.module, hook.packed_span), unpack_span(hook.packed_span)
            confidence: Confidence = "certain" if hook.certain else "likely"
            remedy = "make it a plain function that hands the coroutine over"
            yield Violation(hook.module, span, hook.name, "", remedy, "loop", confidence, (hop,), fix)

    def blocking_waits(self) -> Iterator[Violation]:
        """Waits for a loop on that loop's own thread."""
        solved = self._solved
        alone = not solved.seconds.all
        for wait, hops, sure in self._blocking.found(solved.owners.loops, solved.flow, alone):
            found = LoopCall(wait.frame.module, wait.call, hops, sure)
            yield _declined(found, "loop", "await it instead", _MUST_AWAIT)

    def nested_runs(self) -> Iterator[Violation]:
        """Loops that are run below a running one."""
        for run in self._nested.found():
            yield _declined(run, "loop", "await the coroutine", _MUST_AWAIT)

    def dead_hand_overs(self) -> Iterator[Violation]:
        """Work for loops that nobody runs."""
        for handed in DeadLoops(self._program).found():
            yield _declined(handed, "loop", "run it in a thread", "who is to run the loop is not known")

    def foreign_uses(self) -> Iterator[Violation]:
        """What is done on a loop to the objects of another."""
        for found in self._foreign_uses.reported(self._remedies, self._crossings):
            at = found.hops[-1]
            place = (at.module, unpack_span(at.packed_span), found.operation)
            confidence: Confidence = "certain" if found.sure else "likely"
            violation = Violation(*place, WHERE["loop"], found.remedy, "loop", confidence, found.hops, found.fix)
            if not _is_far_fetched(violation):
                yield violation

    def empty_wakeups(self) -> Iterator[Violation]:
        """Empty callbacks that wake a loop after the work was done off its thread."""
        arrived = {use.boundary.reached: use.boundary.hops for use in self._placed_operations}
        for reached, call in empty_wakeups(arrived):
            hops = (*arrived[reached], Hop("reaches", reached.state.frame.module, call.packed_span))
            remedy = f"hand over `{spell(reached.call.func)}` itself"
            fix = FixPlan("declined", "goes with the fix of the operation before it")
            place = (reached.state.frame.module, call.span, spell(call.func))
            kind = reached.state.place.kind
            yield Violation(*place, WHERE[kind], remedy, kind, "certain", hops, fix)


def _is_far_fetched(violation: Violation) -> bool:
    """Whether it is a guess over a long way: what its first links bring along mostly rules out one of the last."""
    return violation.confidence == "likely" and len(violation.witness) > _FURTHEST


def _declined(found: LoopCall, kind: Kind, remedy: str, reason: str) -> Violation:
    """A violation that is the call itself, with no fix, for this reason."""
    place = (found.module, found.call.span, spell(found.call.func))
    confidence: Confidence = "certain" if found.sure else "likely"
    fix = FixPlan("declined", reason)
    return Violation(*place, WHERE[kind], remedy, kind, confidence, found.hops, fix)
