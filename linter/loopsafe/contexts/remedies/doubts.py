"""Why handing an operation over may change what the program does: asked from the other side, that of the loop.

The operation is done later then, and its failure is nobody's. So nobody may look whether it is done, nothing that is
done at once may rely on it, and no handler may wait for what it raises.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Set
from functools import cached_property

from loopsafe.contexts.owners.owner import Owners
from loopsafe.contexts.places.flow import Flow, Reached
from loopsafe.contexts.remedies.afterwards import Afterwards
from loopsafe.contexts.remedies.askers import Askers
from loopsafe.contexts.remedies.awaited import Awaited
from loopsafe.contexts.remedies.failures import Failures
from loopsafe.contexts.remedies.held_up import HeldUp, waits_back
from loopsafe.contexts.remedies.leads import Leads
from loopsafe.contexts.remedies.other_calls import OtherCalls
from loopsafe.contexts.remedies.rivals import Rivals
from loopsafe.facts.schema import Scope, unpack_span
from loopsafe.program.index import last_name
from loopsafe.program.program import Program
from loopsafe.program.values import Class, External, Instance, Method, Object

_LOCK = "threading.Lock"
# By hand, and by `contextlib.ExitStack`.
_TAKES = ("acquire", "enter_context")
_SUBMITS = ("submit", "map", "run_in_executor")
_OFF_THREADS = ("main", "caller")
# In one function.
_MOST_CALLS = 500


class Doubts:
    """Collects what there is to ask about an operation, and answers once everything is known."""

    def __init__(self, program: Program, flow: Flow, owners: Owners) -> None:
        self._program = program
        self.leads = Leads(flow)
        self.calls = OtherCalls(program, flow)
        awaited = Awaited(program, self.leads, owners)
        self._failures, self._askers = Failures(program, self.leads), Askers(program, awaited)
        self._rivals = Rivals(program, self.leads, self._askers, awaited)
        self._afterwards = Afterwards(program, self.leads, awaited, self._rivals)
        self._held_up = HeldUp(self.leads, awaited)

    def prepare(self, reached: Reached) -> None:
        """Ask for what the answer will need, so that it is known in the end."""
        if reached.started is None:
            functions = [(state.frame.module, state.frame.scope) for state in self.leads.states(reached)]
            self.calls.ask(functions, lambda: next(self.of_place(reached), None) is not None)
        self._failures.prepare(reached)
        self._askers.prepare(reached)
        self._rivals.prepare(reached)

    def of(self, reached: Reached) -> Iterator[str]:
        """Why handing it over may change what the program does."""
        if reached.row.doubt:
            yield reached.row.doubt
        if any(len(scope.calls) > _MOST_CALLS for scope in self.leads.scopes(reached)):
            yield "a function on its way is too long to look at all of it"
            return
        yield from self._failures.doubts(reached)
        yield from self._askers.doubts(reached)
        # What is handed over itself runs in no function of the project.
        if reached.started is None:
            yield from self.of_place(reached)
        yield from self.of_answers(reached)
        yield from self._of_starts(reached)
        yield from list(self._held_up.doubts(reached)) or self._rivals.doubts(reached)
        yield from self._of_own_methods(reached)
        yield from self._of_projects(reached)
        yield from self._afterwards.doubts(reached)

    def of_answers(self, reached: Reached) -> Iterator[str]:
        """A framework sends what its handler gives back only after it has returned."""
        wakes = reached.row.category in ("queue", "sync-primitive", "future", "channel")
        if wakes and any(hop in self.leads.flow.of_application for hop in self.leads.hops(reached)):
            yield "what waits for it may end the loop before the handler's answer is sent"

    def _of_starts(self, reached: Reached) -> Iterator[str]:
        """What looks like the start of a thread may run its function at once, on the loop."""
        for _, call in self.leads.starts(reached):
            # Whoever only waits for the object gets it in either way.
            if last_name(call.func) == "add_done_callback" and self._rivals.has_any(reached):
                yield f"what line {call.span.row} registers runs at once where it is done already"
            elif last_name(call.func) in _SUBMITS and self._has_own_executor:
                yield "an executor of the project may run it on the loop"

    @cached_property
    def _has_own_executor(self) -> bool:
        heirs = self._program.index.classes_by_base.get("Executor", ())
        return any("submit" in scope.bindings for _, scope in heirs)

    def _of_own_methods(self, reached: Reached) -> Iterator[str]:
        """A class of the project may do anything where it has a library's inner method of its own."""
        if not isinstance(reached.receiver, Instance) or reached.row.category not in ("queue", "sync-primitive"):
            return
        own = (base for base in self._program.classes.mro(reached.receiver.cls) if isinstance(base, Class))
        names = (name for base in own for name in base.scope.bindings)
        own_name = last_name(reached.call.func)
        for inner in (n for n in names if n == own_name or (n.startswith("_") and not n.startswith("__"))):
            yield f"`{inner}` of its class may depend on where and when it runs"
            return

    def _of_projects(self, reached: Reached) -> Iterator[str]:
        """A method of the project is moved as a whole: what else it does may wait, fail or depend on the thread."""
        if reached.row.category != "project":
            return
        called = self._program.evaluate(reached.state.frame, reached.call.func).values
        scopes = [value.function.scope for value in called if isinstance(value, Method)]
        if not scopes or any(len(s.calls) > 1 or s.stores or s.bindings or s.blocks or s.is_generator for s in scopes):
            yield f"`{last_name(reached.call.func)}` may do more than that, and would do all of it on the loop"

    def of_place(self, reached: Reached) -> Iterator[str]:
        """Where else the functions on its way run."""
        scopes = self.leads.scopes(reached)
        if reached.state.place.kind in _OFF_THREADS and reached.row.category == "loop-call":
            # That main does it is what the finding is about, and no object of the loop is used beside it.
            scopes = scopes | {module.facts.scopes[0] for module in self._program.modules.all}
        yield from self.calls.doubts(scopes)
        yield from self._of_callers_back(reached, scopes)

    def _of_callers_back(self, reached: Reached, own: Set[Scope]) -> Iterator[str]:
        """What a library's method calls back runs wherever that is called: `parser.feed(text)`, `signal.send()`."""
        given = [arg for _, call in self.leads.starts(reached) for arg in (*call.args, *dict(call.keywords).values())]
        names = {last_name(call.func) for _, call in self.leads.ways(reached)[1:]} | set(map(last_name, given))
        for name in sorted({like for known in names for like in self._calling_back.get(known, ())}):
            for at, by, call in self._program.index.callers(name):
                # `asyncio.run` is no method of the object.
                frame = self._program.classes.plain_frame(at, by)
                if by not in own and not isinstance(self._program.classes.resolve(frame, call.func), External):
                    yield f"`{name}` in line {call.span.row} may call it as well"
                    break

    @cached_property
    def _calling_back(self) -> dict[str, set[str]]:
        """The library methods that call what their object was given before, or its own methods; with their likes."""
        by_owner: dict[str, set[str]] = defaultdict(set)
        for name, rows in self._program.knowledge.runs.items():
            owner, _, method = name.rpartition(".")
            if any(row.where == "here" and (c.held or c.given_to) for row in rows for c in row.callables):
                by_owner[owner].add(method)
        found: dict[str, set[str]] = defaultdict(set)
        for methods in by_owner.values():
            for method in methods:
                found[method] |= methods
        return found

    def of_waiting(self, reached: Reached) -> Iterator[str]:
        """Why waiting for the loop may end in waiting for ever."""
        yield from waits_back(reached, self.leads)
        for state, call in self.leads.ways(reached):
            for block in state.frame.scope.blocks:
                held = self._program.evaluate(state.frame, block.value).values
                known = all(isinstance(value, Object) and value.type != _LOCK for value in held)
                if block.packed_span < call.packed_span and not block.is_async and not (held and known):
                    row = unpack_span(block.packed_span).row
                    yield f"the lock of line {row} may be held, and a task of the loop may wait for it"
            taken = (other for other in state.frame.scope.calls if last_name(other.func) in _TAKES)
            for other in taken:
                if other.packed_span < call.packed_span:
                    yield f"the lock of line {other.span.row} may be held, and a task of the loop may wait for it"
