"""What the rules ask: violations, with witness, confidence and the plan of a fix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loopsafe.contexts.origins.calls import Origins
from loopsafe.contexts.origins.declared import Declared
from loopsafe.contexts.owners.boundaries import Boundaries, Boundary
from loopsafe.contexts.owners.loop_threads import LoopThreads
from loopsafe.contexts.owners.moments import is_just_made, is_woken, runs_the_loop
from loopsafe.contexts.owners.ownership import (
    Ownership,
    best_known,
    is_a_loop,
    is_ambiguous,
    is_harmless,
    is_prepared_for,
)
from loopsafe.contexts.places.flow import Reached
from loopsafe.contexts.places.paths import Paths
from loopsafe.contexts.places.place import WHERE, Hop
from loopsafe.contexts.remedies.captures import Captures
from loopsafe.contexts.remedies.foreign_uses import ForeignUses
from loopsafe.contexts.remedies.moves import settle
from loopsafe.contexts.remedies.references import Crossings
from loopsafe.contexts.remedies.remedies import Remedies
from loopsafe.contexts.spread.guards import Guards
from loopsafe.contexts.spread.propagate import Propagation
from loopsafe.contexts.spread.remarks import Remarks
from loopsafe.contexts.spread.type_tests import depends_on_type
from loopsafe.contexts.verdicts.blocking import BlockingWaits
from loopsafe.contexts.verdicts.coroutine_callbacks import CoroutineCallbacks, remedy_for
from loopsafe.contexts.verdicts.misuse import Misuse
from loopsafe.contexts.verdicts.refuted import is_refuted
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


# With more links than this that are not certain, a path is more guess than finding.
_MOST_GUESSES = 1


class Analysis:
    """The solved program: contexts, ownership and crossings, asked by the rules."""

    def __init__(self, program: Program, annotations: Sequence[tuple[str, str]] = ()) -> None:
        self._program = program
        self.remarks = Remarks(program.modules, annotations)
        self._crossings = Crossings(program)
        self._misuse = Misuse(program)
        self._misuse.seed()
        self._coroutines, self._blocking = CoroutineCallbacks(program), BlockingWaits(program)
        self._coroutines.seed()
        self._blocking.seed()
        guards = Guards(program)
        propagation = Propagation(program, guards, self.remarks)
        self.propagation = propagation
        self.flow = propagation.flow
        Origins(propagation).seed()
        Declared(propagation).seed()
        program.solver.run()
        self._loop_threads = LoopThreads(propagation)
        self._loop_threads.seed()
        program.solver.run()
        self._ownership = Ownership(self.flow, program, guards)
        self._foreign = Paths(self.flow, self._ownership.foreign_roots)
        self._callers = Paths(self.flow, self._ownership.caller_roots)
        self._boundaries = Boundaries(program.classes)
        captures = Captures(program, self.flow, self._crossings)
        self._remedies = Remedies(program, self._crossings, captures, self._loop_threads)
        self._off_loop = self._find_off_loop()
        self._foreign_uses = ForeignUses(propagation, self._boundaries, guards, self._loop_threads)

    def off_loop(self, category: str) -> Iterator[Violation]:
        """Operations of one category that are reached where their loop does not run."""
        return iter(self._off_loop.get(category, ()))

    def _find_off_loop(self) -> dict[str, list[Violation]]:
        """All of them, each at its boundary, by category."""
        misused = {inner for (_, inner), found in self._misuse.found.items() if found.gives_nothing}
        known = [r for r in best_known(self.flow.reached) if r.call not in misused and self._is_foreign(r)]
        placed = [self._placed(reached) for reached in known]
        self._placed_operations = placed
        for boundary in placed:
            self._remedies.prepare(boundary.reached)
        self._program.solver.run()
        plans = settle({boundary.reached: self._remedies.plan(boundary.reached) for boundary in placed})
        found: dict[str, list[Violation]] = {}
        for boundary in placed:
            violation = self._violation(boundary.reached, boundary.hops, plans[boundary.reached])
            found.setdefault(boundary.reached.row.category, []).append(violation)
        return found

    def _placed(self, reached: Reached) -> Boundary:
        """Where an operation is to be reported: at the boundary of the class that does it, else at itself."""
        hops = self._arrived(reached)
        if reached.started is not None or reached.state.context.kind == "caller":
            return Boundary(reached, hops)
        states = tuple(reversed(self._foreign.through(reached.state)))
        return self._boundaries.of(reached, states, hops) or Boundary(reached, hops)

    def _is_foreign(self, reached: Reached) -> bool:
        kind = reached.state.context.kind
        if (kind == "loop" and reached.started is None) or is_harmless(reached, self._program):
            return False
        if kind == "exit" and not self._loop_threads.outlast(reached):
            return False
        if reached.started is not None:
            return True
        if is_ambiguous(reached, self._program) or is_just_made(reached, self._program):
            return False
        if is_a_loop(reached, self._program):
            return False
        if kind == "caller":
            return self._is_foreign_caller(reached)
        if kind == "signal" and is_woken(reached, self._program) and self._loop_threads.owner(reached) is None:
            return False
        if reached.row.category == "lookup" and is_prepared_for(reached, self._foreign):
            return False
        if reached.state not in self._foreign or self._ownership.made_there(reached, self._foreign):
            return False
        states, hops = tuple(reversed(self._foreign.through(reached.state))), self._foreign.to(reached.state)
        if sum(not hop.certain for hop in hops) > _MOST_GUESSES:
            return False
        return not is_refuted(reached, states, hops, self._program)

    def _is_foreign_caller(self, reached: Reached) -> bool:
        thread = self._loop_threads.owner(reached)
        if thread is None or reached.state not in self._callers or reached.state.frame.receiver is thread.loop:
            return False  # a loop's own methods are part of it
        way = self._callers.through(reached.state)
        # What an object that runs its loop does to itself may be the loop's own doing.
        if any(state.frame.receiver is reached.receiver for state in way if reached.receiver is not None):
            return False
        return not self._loop_threads.starts_within(thread, way) and not runs_the_loop(self.flow, thread.loop, way)

    def called_callbacks(self) -> Iterator[Violation]:
        """Calls that stand where a callback is expected, and give nothing."""
        for found in self._misuse.found.values():
            if found.gives_nothing:
                module = found.frame.module
                operation, outer = spell(found.inner.func), spell(found.outer.func)
                hop = Hop("reaches", module, found.outer.packed_span)
                remedy = f"pass it to `{outer}` with its arguments"
                yield Violation(module, found.outer.span, operation, "", remedy, "loop", "certain", (hop,), found.fix)

    def _violation(self, reached: Reached, arrived: tuple[Hop, ...], fix: FixPlan) -> Violation:
        state, call = reached.state, reached.call
        module, kind = state.frame.module, state.context.kind
        hops = (*arrived, Hop("reaches", module, call.packed_span, not depends_on_type(state.frame.scope, call)))
        guessed = kind == "caller" or (kind == "exit" and self._loop_threads.owner(reached) is None)
        sure = not guessed and all(hop.certain for hop in hops)
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
            module, call = given.frame.module, given.call
            hop = Hop("reaches", module, call.packed_span)
            remedy = remedy_for(spell(call.func))
            yield Violation(module, call.span, spell(call.func), "", remedy, "loop", "certain", (hop,), given.fix)

    def blocking_waits(self) -> Iterator[Violation]:
        """Waits for a loop on that loop's own thread."""
        elsewhere = {getattr(loop, "site", None) for loop in self._loop_threads.found} - {None}
        in_threads = self._loop_threads.scopes_on_loops()
        for wait, hops in self._blocking.found(elsewhere):
            if wait.frame.scope in in_threads:
                continue
            fix = FixPlan("declined", "the function must become a coroutine that awaits")
            place = (wait.frame.module, wait.call.span, spell(wait.call.func))
            confidence: Confidence = "certain" if len(hops) == 1 else "likely"
            yield Violation(*place, WHERE["loop"], "await it instead", "loop", confidence, hops, fix)

    def foreign_uses(self) -> Iterator[Violation]:
        """What is done on a loop to the objects of another."""
        for found in self._foreign_uses.reported(self._remedies, self._crossings):
            at = found.hops[-1]
            place = (at.module, unpack_span(at.packed_span), found.operation)
            confidence: Confidence = "certain" if found.sure else "likely"
            yield Violation(*place, WHERE["loop"], found.remedy, "loop", confidence, found.hops, found.fix)

    def empty_wakeups(self) -> Iterator[Violation]:
        """Empty callbacks that wake a loop after the work was done off its thread."""
        arrived = {boundary.reached: boundary.hops for boundary in self._placed_operations}
        for reached, call in empty_wakeups(arrived):
            hops = (*arrived[reached], Hop("reaches", reached.state.frame.module, call.packed_span))
            remedy = f"hand over `{spell(reached.call.func)}` itself"
            fix = FixPlan("declined", "goes with the fix of the operation before it")
            place = (reached.state.frame.module, call.span, spell(call.func))
            kind = reached.state.context.kind
            yield Violation(*place, WHERE[kind], remedy, kind, "certain", hops, fix)

    def _arrived(self, reached: Reached) -> tuple[Hop, ...]:
        """The hops from where the context starts to the function that does the operation."""
        if reached.started is not None:
            return (reached.started,)
        thread = self._loop_threads.owner(reached) if reached.state.context.kind == "caller" else None
        if thread is not None:
            return (*thread.hops, *self._callers.to(reached.state)[1:])
        return self._foreign.to(reached.state)
