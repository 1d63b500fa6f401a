"""Whether a thread's end is waited for as coroutines wait: what it has handed over is done before they go on."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.contexts.owners.owner import Owners
from loopsafe.contexts.places.flow import Reached
from loopsafe.contexts.remedies.leads import Leads
from loopsafe.contexts.spread.exclusion import outwards
from loopsafe.facts.enclosing import loops_around
from loopsafe.facts.schema import Attr, Call, Name, Scope, unpack_span
from loopsafe.program.index import last_name
from loopsafe.program.modules import Module
from loopsafe.program.program import Program
from loopsafe.program.values import Frame, Object

# From the coroutine that waits for the thread to what runs that.
_FURTHEST = 4


class Awaited:
    """Reads it off the coroutine that starts the thread."""

    def __init__(self, program: Program, leads: Leads, owners: Owners) -> None:
        self._program, self._leads, self._owners = program, leads, owners
        knowledge = program.knowledge
        self._takers = knowledge.takers
        self._runners = {name.rpartition(".")[2] for name in knowledge.loop_makers} | knowledge.running
        rows = knowledge.runs.items()
        threads = {
            name for name, found in rows if any(row.where == "thread" for row in found) and self._ends_with(name)
        }
        # By such a name of the project's, anything may be called.
        self._threads = {name.rpartition(".")[2] for name in threads} - program.index.functions.keys()

    def _ends_with(self, name: str) -> bool:
        """Whether what starts a thread gives what it returns, to be awaited: others come back while it goes on."""
        row = self._program.knowledge.results.get(name)
        return row is not None and (row.gives == "result" or self._program.knowledge.is_made_on_loop(row.gives))

    def is_coroutine(self, scope: Scope, call: Call) -> bool:
        """Whether what a call gives is awaited, by itself or by what it is given to."""
        if call.role == "awaited":
            return True
        around = (other for other in scope.calls if other is not call and other.span.contains(call.span))
        return any(other.role == "awaited" or last_name(other.func) in self._takers for other in around)

    def takes_aside(self, scope: Scope, call: Call) -> bool:
        """Whether a coroutine waits for a thread that does what this call is given: `await to_thread(t.join)`."""
        return last_name(call.func) in self._threads and self.is_coroutine(scope, call)

    def is_settled(self, reached: Reached, scope: Scope, place: int) -> bool:
        """Whether a place in the coroutine that starts the thread comes before its start, or after its awaited end."""
        starts = self._leads.starts(reached)
        if not starts or len(starts) < len(self._leads.hops(reached)) or not scope.is_async or scope.is_generator:
            return False
        around = self._owners.loops.running(scope)
        if self._owners.loops.apart(self._owners.of(reached.receiver), around):
            return False
        return all(
            frame.scope is scope and (_is_before(reached, frame, call, place) or self._is_after(scope, call, place))
            for frame, call in starts
        )

    def _is_after(self, scope: Scope, start: Call, place: int) -> bool:
        span = unpack_span(place)
        # Where the coroutine is cancelled the thread goes on.
        if any(unpack_span(final).contains(span) for final in scope.final_spans):
            return False
        return any(end.packed_span < place and not end.span.contains(span) for end in self._ends(scope, start))

    def is_joined(self, reached: Reached) -> bool:
        """Whether each thread is started by a coroutine that awaits its end, and whose failure nobody catches."""
        starts = self._leads.starts(reached)
        found = bool(starts) and all(any(self._ends(frame.scope, call)) for frame, call in starts)
        return found and not any(self._is_caught(frame.module, frame.scope, _FURTHEST) for frame, _ in starts)

    def _is_caught(self, module: Module, scope: Scope, further: int) -> bool:
        """Whether the program may go on where a coroutine fails."""
        sites = self._program.index.callers(scope.name)
        if not sites or not further:
            return True
        return any(
            call.handler >= 0
            or _may_go_on(by, call)
            or not (call.role == "awaited" if by.is_async else self._is_run(by, call))
            or (by.kind != "module" and self._is_caught(at, by, further - 1))
            for at, by, call in sites
        )

    def _is_run(self, scope: Scope, call: Call) -> bool:
        """Whether a plain function, or a module, waits for a coroutine that it makes: `asyncio.run(main())`."""
        return any(last_name(other.func) in self._runners and other.span.contains(call.span) for other in scope.calls)

    def _ends(self, scope: Scope, start: Call) -> Iterator[Call]:
        """The calls in a coroutine, none of them skipped, that come back only when the thread is over."""
        if not scope.is_async:
            return
        for call in (start, *scope.calls):
            if call.role != "awaited" or call.handler >= 0 or _may_go_on(scope, call):
                continue
            if (call is start and last_name(call.func) in self._threads) or (
                call.packed_span > start.packed_span and self._joins(scope, start, call)
            ):
                yield call

    def _joins(self, scope: Scope, start: Call, call: Call) -> bool:
        """Whether it is `await to_thread(t.join)` for the thread of this start, under the same guard."""
        given = [arg for arg in call.args if isinstance(arg, Attr)]
        joined = next((arg.base for arg in given if arg.name == "join"), None)
        if not self.takes_aside(scope, call) or len(given) != 1 or not isinstance(joined, Name):
            return False
        made = scope.bindings.get(joined.id, ())
        around = loops_around(scope, start.span) or loops_around(scope, call.span)
        # What goes on after a handler may have left the call out.
        return made == (start,) and not around and not scope.handlers and _is_as_sure(scope, start, call)


def _is_as_sure(scope: Scope, start: Call, call: Call) -> bool:
    """Whether a call is reached wherever an earlier one was: under no test that the earlier one is not under."""
    known = set(map(id, outwards(scope, start.guard)))
    return all(row.kind == "after" or id(row) in known for row in outwards(scope, call.guard))


def _is_before(reached: Reached, frame: Frame, start: Call, place: int) -> bool:
    """Whether a place comes before the start of a thread, which gets an object that the same function has made."""
    receiver, scope = reached.receiver, frame.scope
    made_here = isinstance(receiver, Object) and receiver.frame is not None and receiver.frame.scope is scope
    again = any(loop.contains(unpack_span(place)) for loop in loops_around(scope, start.span))
    return made_here and place < start.packed_span and not again


def _may_go_on(scope: Scope, call: Call) -> bool:
    """Whether a block around may swallow a cancellation."""
    return any(not block.is_async and block.packed_span < call.packed_span for block in scope.blocks)
