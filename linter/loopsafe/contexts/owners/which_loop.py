"""Which loop a value stands for, and which loops are run beside the program's first one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property

from loopsafe.contexts.owners.loop_threads import LoopThreads
from loopsafe.contexts.places.flow import Flow, leading_to
from loopsafe.contexts.places.paths import Paths
from loopsafe.contexts.places.place import Hop, State
from loopsafe.contexts.spread.propagate import LOOK_UPS, Propagation
from loopsafe.facts.schema import Call, Scope
from loopsafe.program.graph import Entered, Target
from loopsafe.program.index import last_name
from loopsafe.program.values import Frame, Object, Value

Loops = frozenset[Call | None]
"""Loops by the calls that make them. None stands for one of which nothing is known."""

UNKNOWN: Loops = frozenset({None})
_MOST_CALLED = 300
_MOST_CALLERS = 10


class WhichLoop:
    """Answers for a solved flow. `run` are loops that something is seen to run.

    `makers` are the functions that make loops, by the calls.
    """

    def __init__(self, flow: Flow, run: Iterable[Value]) -> None:
        self._run = {loop.site for loop in run if isinstance(loop, Object)} - {None}
        edges = (target for targets in flow.edges.values() for target in targets)
        self.states = list(dict.fromkeys(s for found in (edges, flow.roots) for s in found if s.context.kind == "loop"))
        self._on: dict[Scope, dict[Value | None, None]] = defaultdict(dict)
        for state in self.states:
            self._on[state.frame.scope][state.context.loop] = None
        self._known: dict[Call, Loops] = {}
        self.makers: dict[Call, Frame] = {}

    def of(self, loop: Value | None) -> Loops:
        """The loops that this value may stand for."""
        if not isinstance(loop, Object) or loop.site is None or loop.frame is None:
            return UNKNOWN
        site = loop.site
        self.makers.setdefault(site, loop.frame)
        if site in self._run or last_name(site.func) not in LOOK_UPS:
            return frozenset({site})
        if site not in self._known:
            self._known[site] = UNKNOWN  # whoever asks for the loop it is itself on learns nothing
            self._known[site] = self.running(loop.frame.scope)
        return self._known[site]

    def running(self, scope: Scope) -> Loops:
        """The loops on which this function is seen to run."""
        loops = frozenset(key for loop in self._on.get(scope, ()) for key in self.of(loop))
        return loops or UNKNOWN

    def on(self, loops: Loops) -> list[State]:
        """The states that may run on one of these loops."""
        return [state for state in self.states if loops & self.of(state.context.loop)]


class SecondLoop:
    """A loop that a thread runs, or a handler or caller that stands outside of the program's first loop.

    `hops` lead to the call that runs it, `runners` are the states that do.
    """

    def __init__(self, loops: Loops, kind: str, hops: tuple[Hop, ...], runners: frozenset[State]) -> None:
        self.loops, self.kind, self.hops, self.runners = loops, kind, hops, runners

    @cached_property
    def starts(self) -> tuple[Scope, int] | None:
        """The function and the place where it is started."""
        hop = self.hops[0]
        for scope in hop.module.facts.scopes:
            if any(call.packed_span == hop.packed_span for call in scope.calls):
                return scope, hop.packed_span
        return None


class SecondLoops:
    """Finds them in a flow, and tells what runs on each once the flow is solved."""

    def __init__(self, propagation: Propagation, threads: LoopThreads) -> None:
        self._propagation, self._flow, self._threads = propagation, propagation.flow, threads
        self._scopes: dict[SecondLoop, frozenset[Scope]] = {}
        self._elsewhere: dict[SecondLoop, frozenset[State]] = {}
        self._calls: dict[Frame, set[Scope]] = {}

    def values(self) -> list[Value]:
        """The loops as values."""
        return [*self._threads.found, *(loop for loop, _ in self._short())]

    def solved(self, which: WhichLoop) -> None:
        """Now it is known which loop is which."""
        self._which = which
        self.all = tuple(self._found(which))

    def _found(self, which: WhichLoop) -> Iterator[SecondLoop]:
        seen: set[Loops] = set()
        for thread in self._threads.found.values():
            loops = which.of(thread.loop)
            if loops not in seen and None not in loops:
                seen.add(loops)
                yield SecondLoop(loops, "thread", thread.hops, thread.runners)
        for loop, state in self._short():
            loops = which.of(loop)
            if loops not in seen and None not in loops:
                seen.add(loops)
                hops = (*self._paths.to(state), self._flow.loops_run[state][loop])
                yield SecondLoop(loops, state.context.kind, hops, frozenset({state}))

    @cached_property
    def _paths(self) -> Paths:
        return Paths(self._flow, set(self._flow.roots))

    def _short(self) -> Iterator[tuple[Value, State]]:
        """Loops that run for the time of a call: in public functions, in signal handlers, in finalizers."""
        for state, loops in sorted(self._flow.loops_run.items(), key=lambda item: item[0].frame.order):
            if state.context.kind in ("caller", "signal", "finalizer") and state in self._paths:
                yield from ((loop, state) for loop in loops)

    def scopes(self, second: SecondLoop) -> frozenset[Scope]:
        """The functions that run on the loop, or on its thread before."""
        if second not in self._scopes:
            before = leading_to(set(second.runners), self._backwards)
            roots = {s for s in before if s in self._flow.roots and s.context.kind not in ("loop", "caller")}
            thread = (s for s in self._forward(roots) if s.context.kind != "loop")
            found = {s.frame.scope for found in (thread, self._which.on(second.loops), second.runners) for s in found}
            self._scopes[second] = frozenset(found)
        return self._scopes[second]

    def elsewhere(self, second: SecondLoop) -> frozenset[State]:
        """The states on loops whose tasks start this one: those are others."""
        if second not in self._elsewhere:
            on = set(self._which.on(second.loops))
            starts = second.starts
            starting = {s for s in self._which.states if starts and s.frame.scope is starts[0] and s not in on}
            before = {s for s in leading_to(starting, self._backwards) if s.context.kind == "loop"}
            self._elsewhere[second] = frozenset(self._forward(before) - on)
        return self._elsewhere[second]

    def run_together(self, second: SecondLoop, loops: Loops) -> bool:
        """Whether some loops are seen to run while this one does: what runs the one also starts the other."""
        if second.kind == "caller" or second.starts is None:
            return True
        if None in loops:
            return False
        sites = sorted((site for site in loops if site is not None), key=lambda site: site.packed_span)
        return all(self._starts(second, site) for site in sites)

    def _starts(self, second: SecondLoop, site: Call) -> bool:
        """Whether the function that makes a loop starts the second too, or both are started by one class."""
        assert second.starts is not None
        scope = second.starts[0]
        other = next((found for found in self.all if site in found.loops), None)
        if other is not None and other.starts is not None:
            return other.starts[0] is scope or (other.starts[0].parent == scope.parent and scope.parent > 0)
        maker = self._which.makers[site]
        if scope in self._called_by(maker):
            return True
        callers = (self._called_by(frame) for frame in self._callers(maker))
        return any(scope in called and maker.scope in called for called in callers)

    def _callers(self, frame: Frame) -> Iterator[Frame]:
        """Functions that may call this one, by its name."""
        program = self._propagation.program
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
            self._propagation.program.solver.run()
        return found

    def _enter(self, frame: Frame, found: set[Scope]) -> None:
        def entered(target: Target) -> None:
            if isinstance(target, Entered) and not target.function.scope.is_async:
                self._enter(target.frame, found)

        if frame.scope not in found and len(found) < _MOST_CALLED:
            found.add(frame.scope)
            for call in frame.scope.calls:
                self._propagation.program.targets(frame, call, entered)

    @cached_property
    def _backwards(self) -> dict[State, set[State]]:
        return self._flow.backwards()

    def _forward(self, states: set[State]) -> set[State]:
        """Some states and all that control gets to from there on the same thread or loop."""
        found, pending = set(states), list(states)
        while pending:
            source = pending.pop()
            for target in self._flow.edges.get(source, ()):
                if target.context == source.context and target not in found:
                    found.add(target)
                    pending.append(target)
        return found
