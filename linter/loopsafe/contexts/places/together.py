"""May two places be alive at once? Loops that run beside the program's first one, and what starts them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from loopsafe.contexts.places.flow import Flow, leading_to
from loopsafe.contexts.places.loops import OF_APPLICATION, Loop, Loops, LoopsOf
from loopsafe.contexts.places.paths import Paths
from loopsafe.contexts.places.place import Hop, State
from loopsafe.contexts.places.threads import LoopThread
from loopsafe.facts.schema import Scope
from loopsafe.program.graph import Entered, Target
from loopsafe.program.program import Program
from loopsafe.program.values import Frame, Value

_MOST_CALLED = 300
# A thread starts a thread that starts the loop's.
_MOST_STARTS = 2
_MOST_CALLERS = 10


class SecondLoop:
    """A loop that a thread runs, or a handler or caller that stands outside of the program's first loop.

    `hops` lead to the call that runs it, `runners` are the states that do.
    `starts` are the functions and the places where it is started.
    """

    def __init__(
        self,
        loops: Loops,
        kind: str,
        hops: tuple[Hop, ...],
        runners: frozenset[State],
        starts: tuple[tuple[Scope, int], ...],
    ) -> None:
        self.loops, self.kind, self.hops, self.runners, self.starts = loops, kind, hops, runners, starts


class SecondLoops:
    """Finds them in a flow, and tells what runs on each once the flow is solved."""

    def __init__(self, program: Program, flow: Flow, threads: dict[Value, LoopThread]) -> None:
        self._program, self._flow, self._threads = program, flow, threads
        self._scopes: dict[SecondLoop, frozenset[Scope]] = {}
        self._elsewhere: dict[SecondLoop, frozenset[State]] = {}
        self._calls: dict[Frame, set[Scope]] = {}

    def values(self) -> list[Value]:
        """The loops as values."""
        return [*self._threads, *(loop for loop, _ in self._short())]

    def solved(self, which: LoopsOf) -> None:
        """Now it is known which loop is which."""
        self.which = which
        self.all = tuple(self._found(which))

    def _found(self, which: LoopsOf) -> Iterator[SecondLoop]:
        seen: set[Loops] = set()
        for thread in self._threads.values():
            loops = which.of(thread.loop)
            if loops not in seen and None not in loops:
                seen.add(loops)
                yield SecondLoop(loops, "thread", thread.hops, thread.runners, self._flow.places_of(thread.hops[0]))
        for loop, state in self._short():
            loops = which.of(loop)
            if loops not in seen and None not in loops:
                seen.add(loops)
                hops = (*self._paths.to(state), self._flow.loops_run[state][loop])
                starts = self._flow.places_of(hops[0])
                yield SecondLoop(loops, state.place.kind, hops, frozenset({state}), starts)

    @cached_property
    def _paths(self) -> Paths:
        return Paths(self._flow, set(self._flow.roots))

    def _short(self) -> Iterator[tuple[Value, State]]:
        """Loops that run for the time of a call: in public functions, in signal handlers, in finalizers."""
        for state, loops in sorted(self._flow.loops_run.items(), key=lambda item: item[0].frame.order):
            short = state.place.kind in ("caller", "signal", "finalizer") and state in self._paths
            if short and not self._is_entry(self._paths.through(state)[0].frame.scope):
                yield from ((loop, state) for loop in loops)

    def _is_entry(self, scope: Scope) -> bool:
        """Whether a function is where a program begins: what it runs is the first loop of that program."""
        calls = self._program.index.callers(scope.name)
        return scope.name == "main" or (len(calls) == 1 and calls[0][1].kind == "module")

    def scopes(self, second: SecondLoop) -> frozenset[Scope]:
        """The functions that run on the loop, or on its thread before."""
        if second not in self._scopes:
            before = leading_to(set(second.runners), self._backwards)
            roots = {s for s in before if s in self._flow.roots and s.place.kind not in ("loop", "caller", "main")}
            thread = (s for s in self._forward(roots) if s.place.kind != "loop")
            found = {s.frame.scope for found in (thread, self.which.on(second.loops), second.runners) for s in found}
            self._scopes[second] = frozenset(found)
        return self._scopes[second]

    def elsewhere(self, second: SecondLoop) -> frozenset[State]:
        """The states on loops whose tasks start this one: those are others."""
        if second not in self._elsewhere:
            on = set(self.which.on(second.loops))
            scopes = self._starting(second)
            starting = {s for s in self.which.states if s.frame.scope in scopes and s not in on}
            self._elsewhere[second] = frozenset(self.beside(starting) - on)
        return self._elsewhere[second]

    def _starting(self, second: SecondLoop) -> set[Scope]:
        """The functions that start it, and where they run on threads those that start these."""
        scopes = {scope for scope, _ in second.starts}
        for _ in range(_MOST_STARTS):
            on_threads = {s for s in self._backwards if s.frame.scope in scopes and s.place.kind == "thread"}
            on_threads |= {s for s in self._flow.roots if s.frame.scope in scopes and s.place.kind == "thread"}
            roots = (s for s in leading_to(on_threads, self._backwards) if s in self._flow.roots)
            scopes |= {
                scope for root in roots for hop in self._flow.roots[root] for scope, _ in self._flow.places_of(hop)
            }
        return scopes

    def beside(self, starting: set[State]) -> set[State]:
        """All that runs on the loops which lead to these states."""
        before = {s for s in leading_to(starting, self._surely_backwards) if s.place.kind == "loop"}
        return self._forward(before, surely=True)

    def is_of_application(self, second: SecondLoop) -> bool:
        """Whether it is run on a thread by what a framework calls there."""
        return second.hops[0] in self._flow.of_application

    def run_together(self, second: SecondLoop, loops: Loops) -> bool:
        """Whether some loops are seen to run while this one does: what runs the one also starts the other."""
        if second.kind == "caller" or not second.starts:
            return True
        if None in loops:
            return False
        if OF_APPLICATION in loops and self.is_of_application(second):
            return True
        known = sorted((loop for loop in loops if loop is not None), key=lambda loop: loop.order)
        return all(self._starts(second, loop) for loop in known)

    def _starts(self, second: SecondLoop, loop: Loop) -> bool:
        """Whether the function that makes a loop starts the second too, or both are started by one class."""
        other = next((found for found in self.all if loop in found.loops), None)
        if other is not None and other.starts:
            pairs = [(one, two) for one, _ in other.starts for two, _ in second.starts]
            return any(one is two or (one.parent == two.parent and two.parent > 0) for one, two in pairs)
        return any(self.starts_with(scope, loop) for scope, _ in second.starts)

    def starts_with(self, scope: Scope, loop: Loop) -> bool:
        """Whether what makes a loop also calls this function, or whoever calls what makes it calls both."""
        if loop.site is None:
            return False
        maker = self.which.makers[loop.site]
        if scope in self._called_by(maker):
            return True
        callers = (self._called_by(frame) for frame in self._callers(maker))
        return any(scope in called and maker.scope in called for called in callers)

    def _callers(self, frame: Frame) -> Iterator[Frame]:
        """Functions that may call this one, by its name."""
        program = self._program
        sites = program.index.callers(frame.scope.name) if frame.scope.kind == "function" else ()
        for module, scope, _ in sites[:_MOST_CALLERS]:
            if not scope.is_async:
                yield program.classes.plain_frame(module, scope)

    def _called_by(self, frame: Frame) -> set[Scope]:
        """The functions that a function calls, itself or through others."""
        found = self._calls.get(frame)
        if found is None:
            found = self._calls[frame] = set()
            self._enter(frame, found)
            self._program.solver.run()
        return found

    def _enter(self, frame: Frame, found: set[Scope]) -> None:
        def entered(target: Target) -> None:
            if isinstance(target, Entered) and not target.function.scope.is_async:
                self._enter(target.frame, found)

        if frame.scope not in found and len(found) < _MOST_CALLED:
            found.add(frame.scope)
            for call in frame.scope.calls:
                self._program.targets(frame, call, entered)

    @cached_property
    def _backwards(self) -> dict[State, set[State]]:
        return self._flow.backwards()

    @cached_property
    def _surely_backwards(self) -> dict[State, set[State]]:
        return self._flow.backwards(surely=True)

    def _forward(self, states: set[State], surely: bool = False) -> set[State]:
        """Some states and all that control gets to from there on the same thread or loop."""
        found, pending = set(states), list(states)
        while pending:
            source = pending.pop()
            for target, hops in self._flow.edges.get(source, {}).items():
                leads = not surely or any(hop.certain for hop in hops)
                if leads and target.place == source.place and target not in found:
                    found.add(target)
                    pending.append(target)
        return found
