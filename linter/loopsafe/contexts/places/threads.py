"""Threads by what they run: those on which some loop runs, those that are plainly off every loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from loopsafe.contexts.places.flow import Flow
from loopsafe.contexts.places.loops import Loops, LoopsOf
from loopsafe.contexts.places.paths import Paths
from loopsafe.contexts.places.place import STARTING, Hop, State
from loopsafe.program.values import Value


@dataclass(frozen=True, slots=True, eq=False)
class LoopThread:
    """A loop that a thread runs, with the hops from the start of the thread to the call that runs it."""

    loop: Value
    hops: tuple[Hop, ...]
    runners: frozenset[State]


def loop_threads(flow: Flow) -> dict[Value, LoopThread]:
    """The loops that threads run."""
    found: dict[Value, LoopThread] = {}
    paths = Paths(flow, set(flow.roots))
    for state, loops in sorted(flow.loops_run.items(), key=lambda item: item[0].frame.order):
        if state.place.kind == "thread" and state in paths:
            for loop, hop in loops.items():
                if loop not in found:
                    hops = (*paths.to(state), Hop("loop", hop.module, hop.packed_span))
                    found[loop] = LoopThread(loop, hops, frozenset({state}))
    for loop, hops in flow.thread_loops.items():
        found.setdefault(loop, LoopThread(loop, hops, frozenset()))
    return found


class Threads:
    """Splits the roots: `plain` are those of threads that run no loop, `busy` those of threads that run some.

    A thread that runs a loop is off it before, after and in between. `is_real` says of a hop whether it does start a
    thread.
    """

    def __init__(self, flow: Flow, is_real: Callable[[Hop], bool]) -> None:
        self._flow = flow
        self._beneath: dict[State, set[State]] = {}
        started = {
            root
            for root, hops in flow.roots.items()
            if root.place.kind in STARTING and any(is_real(hop) for hop in hops)
        }
        runs = flow.reaching({s for s in flow.loops_run if s.place.kind in ("thread", "exit")})
        running = {root for root in started if root in runs}
        self.plain_roots, self.running_roots = started - running, running
        self.caller_roots = {root for root in flow.roots if root.place.kind in ("main", "caller")}

    @cached_property
    def plain(self) -> Paths:
        """Paths on threads that run no loop."""
        return Paths(self._flow, self.plain_roots)

    @cached_property
    def busy(self) -> Paths:
        """Paths on threads that run some loop as well."""
        return Paths(self._flow, {root for root in self.running_roots if root.place.kind == "thread"})

    @cached_property
    def callers(self) -> Paths:
        """Paths from whoever else calls: the main thread, users of public functions."""
        return Paths(self._flow, self.caller_roots)

    def beneath(self, root: State) -> set[State]:
        """All that one thread does off its loops."""
        found = self._beneath.get(root)
        if found is None:
            found, pending = {root}, [root]
            while pending:
                fresh = {s for s in self._flow.edges.get(pending.pop(), ()) if s.place == root.place} - found
                found |= fresh
                pending += fresh
            self._beneath[root] = found
        return found

    def runs(self, root: State, loops: LoopsOf) -> Loops:
        """The loops that one thread runs."""
        run = (loop for state in self.beneath(root) for loop in self._flow.loops_run.get(state, ()))
        return frozenset(key for loop in run for key in loops.of(loop))

    def is_closed(self, root: State) -> bool:
        """Whether a thread runs only loops that it makes for one call and gives to nobody: `asyncio.run(c())`."""
        return all(
            loop in self._flow.closed for state in self.beneath(root) for loop in self._flow.loops_run.get(state, ())
        )
