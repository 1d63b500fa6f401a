"""Operations that are reached where their loop does not run: on threads, in handlers, by whoever calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loopsafe.contexts.owners.asked import Asked
from loopsafe.contexts.owners.boundaries import Boundaries, Boundary
from loopsafe.contexts.owners.owner import Owners, best_known
from loopsafe.contexts.owners.private import is_just_made, keeper_is_made, made_by_the_first, made_there
from loopsafe.contexts.places.flow import Flow, Reached
from loopsafe.contexts.places.loops import OF_APPLICATION, Loops
from loopsafe.contexts.places.paths import Paths
from loopsafe.contexts.places.place import Hop, State
from loopsafe.contexts.places.spans import Spans, runs_the_loop
from loopsafe.contexts.places.threads import Threads
from loopsafe.contexts.places.together import SecondLoops
from loopsafe.contexts.spread.helpers import Helpers
from loopsafe.contexts.spread.type_tests import depends_on_type
from loopsafe.contexts.verdicts import exempt
from loopsafe.contexts.verdicts.refuted import is_refuted
from loopsafe.facts.schema import Call, Const, Expr, Name, Scope
from loopsafe.program.index import last_name
from loopsafe.program.modules import Module
from loopsafe.program.program import Program
from loopsafe.program.values import Object

# With more links than this that are not certain, a path is more guess than finding.
_MOST_GUESSES = 1


@dataclass(frozen=True, slots=True)
class OffLoopUse:
    """An operation off its loop, at its boundary; `sure` leaves the hops aside."""

    boundary: Boundary
    sure: bool


class OffLoop:
    """Compares where an operation is reached with whose loop its object is on."""

    def __init__(self, program: Program, flow: Flow, threads: Threads, owners: Owners, seconds: SecondLoops) -> None:
        self._program, self._flow, self._threads = program, flow, threads
        self._owners, self._seconds = owners, seconds
        self._boundaries, self._spans = Boundaries(program.classes), Spans(flow, program)
        self._loops_of_root: dict[State, Loops] = {}
        self._sets: dict[tuple[State, bool], bool] = {}
        self._is_of_a_loop: dict[State, bool] = {}
        self._helpers, self._asked = Helpers(program.modules, program.index), Asked(program)

    def found(self, misused: set[Call]) -> Iterator[OffLoopUse]:
        """Each of them once; `misused` are calls that are wrong in another way."""
        for reached in best_known(self._flow.reached):
            if reached.call in misused:
                continue
            sure = self._is_foreign(reached)
            if sure is not None:
                yield OffLoopUse(self._placed(reached), sure)

    def _is_foreign(self, reached: Reached) -> bool | None:
        """Whether that is certain; None where it is not foreign at all."""
        kind, program = reached.state.place.kind, self._program
        if (kind == "loop" and reached.started is None) or exempt.is_harmless(reached, program):
            return None
        if exempt.is_run_next(reached, program) or exempt.is_over(reached):
            return None
        if exempt.is_provided_for(reached, program.knowledge):
            return None
        if kind == "thread" and exempt.is_never_interrupted(reached):
            return None
        if self._asked.is_surely(reached):
            return None
        if kind == "exit" and not self._outlasts(reached):
            return None
        if reached.started is not None:
            return True
        if any(is_exempt(reached, program) for is_exempt in (exempt.is_ambiguous, is_just_made)):
            return None
        if kind in ("main", "caller"):
            return self._is_foreign_caller(reached)
        if kind == "signal" and self._only_delays(reached):
            return None
        if reached.state in self._threads.plain:
            return self._is_foreign_on(self._threads.plain, reached)
        return self._is_foreign_on(self._threads.busy, reached) if reached.state in self._threads.busy else None

    def _only_delays(self, reached: Reached) -> bool:
        """Whether a signal's handler, which stands between two steps of the loop's own thread, does no harm at all."""
        paths = self._paths_to(reached.state)
        if reached.state in paths and exempt.ends_the_process(
            reached, paths.through(reached.state), paths.to(reached.state), self._program
        ):
            return True
        woken = exempt.is_woken(reached, self._program) or exempt.wakes_itself(self._program)
        quiet = woken or self._is_for_windows(reached.state) or self._asked.is_by_name(reached)
        return quiet and self._owners.thread_of(reached) is None

    def _paths_to(self, state: State) -> Paths:
        """The paths of threads that lead to a state, where any do: rather of those that run no loop."""
        return self._threads.plain if state in self._threads.plain else self._threads.busy

    def _is_for_windows(self, state: State) -> bool:
        paths = self._paths_to(state)
        return state in paths and exempt.is_for_windows(paths.to(state)[0], self._program)

    def _is_foreign_on(self, paths: Paths, reached: Reached) -> bool | None:
        """On a thread, off every loop."""
        states, hops = paths.through(reached.state), paths.to(reached.state)
        # On a thread that comes to run a loop, what needs one may well ask for it first.
        # What runs in the methods of a loop that the project itself is, is on that loop.
        if any(map(self._is_a_loop, states)):
            return None
        root = states[0]
        looks_up = reached.row.category == "lookup"
        sure = root not in self._threads.running_roots or self._needs_no_owner(reached)
        if looks_up and self._may_do_without(reached, states, hops):
            return None
        if self._needs_no_owner(reached) and self._has_set_a_loop(root, looks_up):
            return None
        if root in self._threads.running_roots and self._waits_for_a_loop(reached, states, hops):
            return None
        of_a_loop = root not in self._threads.running_roots and self._owners.is_loops(reached.receiver, paths)
        if not of_a_loop and made_there(reached, paths):
            if not made_by_the_first(reached.receiver, self._program):
                return None
            sure = False
        if keeper_is_made(reached.receiver, paths.lead_into, self._program):
            return None
        if root in self._threads.running_roots and not self._needs_no_owner(reached):
            near = self._is_foreign_beside(root, reached)
            if near is None:
                return None
            sure = near
        if sum(not hop.certain for hop in hops) + (not sure) > _MOST_GUESSES:
            return None
        if is_refuted(reached, states, hops, self._program):
            return self._is_foreign_otherwise(paths, reached, root)
        # At exit the loop may be gone; between two steps of its own thread a wake-up comes late, not never.
        guess = reached.state.place.kind in ("exit", "signal") and self._owners.thread_of(reached) is None
        return sure and not guess

    def _is_foreign_otherwise(self, paths: Paths, reached: Reached, root: State) -> bool | None:
        """The same by a path from another root: that one is told then."""
        others = paths.without(root)
        if others is None or reached.state not in others:
            return None
        sure = self._is_foreign_on(others, reached)
        if sure is not None:
            paths.take(reached.state, others)
        return sure

    def _waits_for_a_loop(self, reached: Reached, states: Sequence[State], hops: Sequence[Hop]) -> bool:
        return exempt.needs_a_running_loop(reached, states, hops, self._helpers, self._program.knowledge)

    def _is_a_loop(self, state: State) -> bool:
        if state not in self._is_of_a_loop:
            self._is_of_a_loop[state] = exempt.is_a_loop(state.frame, self._program)
        return self._is_of_a_loop[state]

    def _may_do_without(self, reached: Reached, states: Sequence[State], hops: Sequence[Hop]) -> bool:
        """Whether a look-up is for something else than what the path brings, or need not find a running loop."""
        if depends_on_type(reached.state.frame.scope, reached.call):
            return True
        if exempt.is_given(reached, states, hops):
            return True
        return exempt.is_expected_to_fail(reached, states, hops) or exempt.has_a_policy(reached, self._program)

    def _needs_no_owner(self, reached: Reached) -> bool:
        return reached.row.category == "lookup" or reached.row.needs_running_loop

    def _is_foreign_beside(self, root: State, reached: Reached) -> bool | None:
        """On a thread that runs loops as well: the owner must be known, or all that the thread runs be closed."""
        threads, loops, thing = self._threads, self._owners.loops, reached.receiver
        if root not in self._loops_of_root:
            self._loops_of_root[root] = threads.runs(root, loops)
        runs, owners = self._loops_of_root[root], self._owners.of(thing)
        here = {s.frame.scope for s in threads.beneath(root)} | {s.frame.scope for s in loops.on(runs)}
        # What the framework hands to a function that it calls on a thread is its own, whatever that runs besides.
        if isinstance(thing, Object) and thing.frame is None and self._is_of_application(root):
            return False
        if not isinstance(thing, Object) or thing.frame is None or thing.frame.scope in here:
            return None
        if loops.apart(owners, runs) and self._is_linked(root, owners):
            return True
        closed = bool(owners) and None in owners and threads.is_closed(root)
        return False if closed and not self._owners.waiters(thing) & here else None

    def _is_of_application(self, root: State) -> bool:
        return any(hop in self._flow.of_application for hop in self._flow.roots[root])

    def _is_linked(self, root: State, owners: Loops) -> bool:
        """Whether what runs the owner's loop also starts the thread."""
        if OF_APPLICATION in owners and self._is_of_application(root):
            return True
        hops = self._flow.roots[root]
        scopes = {scope for hop in hops for scope, _ in self._flow.places_of(hop)}
        loops = self._owners.loops
        starting = {s for s in loops.states if s.frame.scope in scopes}
        beside = self._seconds.beside(starting)
        if any(loops.meet(owners, loops.of(state.place.loop)) for state in beside):
            return True
        known = sorted((loop for loop in owners if loop is not None), key=lambda loop: loop.order)
        return all(any(self._seconds.starts_with(scope, loop) for scope in _ordered(scopes)) for loop in known)

    def _has_set_a_loop(self, root: State, looks_up: bool) -> bool:
        """Whether the thread makes or sets a loop for itself; who looks for one may also mean an object's own."""
        key = (root, looks_up)
        if key not in self._sets:
            scopes = {state.frame.scope for state in self._threads.beneath(root)} | set(self._initializers(root))
            self._sets[key] = any(_sets_a_loop(scope, looks_up) for scope in scopes)
        return self._sets[key]

    def _initializers(self, root: State) -> Iterator[Scope]:
        """The functions that pools of the file run first on each of their threads."""
        index = self._program.index
        for module in {hop.module for hop in self._flow.roots[root]}:
            for scope in module.facts.scopes:
                for call in scope.calls:
                    for keyword, given in call.keywords:
                        if keyword == "initializer":
                            for name in _called_in(given, scope):
                                yield from (found for _, found in index.functions.get(name, ()))

    def _is_foreign_caller(self, reached: Reached) -> bool | None:
        thread, paths = self._owners.thread_of(reached), self._threads.callers
        if thread is None or reached.state not in paths or reached.state.frame.receiver is thread.loop:
            return None  # a loop's own methods are part of it
        way = paths.through(reached.state)
        # What tests run in a thread, programs run elsewhere.
        if thread.hops[0].module.is_test and not way[0].frame.module.is_test:
            return None
        # Whoever knows nothing of the thread is as likely called on its loop.
        known = self._program.modules.known_to(way[0].frame.module)
        starting = thread.hops[0].module
        if way[0].place.kind == "caller" and all(starting is not m for m in (*known, *(s.frame.module for s in way))):
            return None
        # What an object that runs its loop does to itself may be the loop's own doing.
        if any(state.frame.receiver is reached.receiver for state in way if reached.receiver is not None):
            return None
        hops = paths.to(reached.state)
        if not all(hop.certain for hop in hops):
            return None
        left = [*(hop.packed_span for hop in hops[1:]), reached.call.packed_span]
        started = self._spans.has_started(thread, way, left)
        if started is False or runs_the_loop(self._flow, thread.loop, way):
            return None
        if way[0].place.kind == "main":
            owners = self._owners.of(reached.receiver)
            return (bool(owners) and None not in owners) if started else None
        return False

    def _outlasts(self, reached: Reached) -> bool:
        """Whether the loop of an operation may still run when the program ends: in a daemon thread.

        Of a loop that is not known, whether the program has such a thread; what its tests do says nothing.
        """
        owner = self._owners.thread_of(reached)
        threads = [owner] if owner else [t for t in self._owners.threads.values() if not t.hops[0].module.is_test]
        return any(_mentions_daemons(thread.hops[0].module) for thread in threads)

    def _placed(self, reached: Reached) -> Boundary:
        """Where an operation is to be reported: at the boundary of the class that does it, else at itself."""
        hops, paths = self._arrived(reached)
        if paths is None or reached.state.place.kind in ("main", "caller"):
            return Boundary(reached, hops)
        states = paths.through(reached.state)
        return self._boundaries.of(reached, states, hops) or Boundary(reached, hops)

    def _arrived(self, reached: Reached) -> tuple[tuple[Hop, ...], Paths | None]:
        """The hops from where the place starts to the function that does the operation."""
        if reached.started is not None:
            return (reached.started,), None
        if reached.state.place.kind in ("main", "caller"):
            thread, paths = self._owners.thread_of(reached), self._threads.callers
            assert thread is not None
            return (*thread.hops, *paths.to(reached.state)[1:]), paths
        paths = self._paths_to(reached.state)
        return paths.to(reached.state), paths


_SETTERS = ("set_event_loop", "new_event_loop")


def _called_in(given: Expr, scope: Scope) -> Iterator[str]:
    """The last names of the functions that an argument may mean, through a variable and `functools.partial`."""
    held = (given, *(scope.bindings.get(given.id, ()) if isinstance(given, Name) else ()))
    yield from (last_name(v.args[0] if isinstance(v, Call) and v.args else v) for v in held)


def _sets_a_loop(scope: Scope, any_loop: bool) -> bool:
    """Whether a function makes or sets a loop, if not `any_loop` other than one that a constructor keeps."""
    kept = {store.value for store in scope.stores} if scope.name == "__init__" and not any_loop else set[Expr]()
    return any(last_name(call.func) in _SETTERS and call not in kept for call in scope.calls)


def _ordered(scopes: set[Scope]) -> list[Scope]:
    return sorted(scopes, key=lambda scope: scope.packed_span)


def _mentions_daemons(module: Module) -> bool:
    """Whether a file makes threads that do not keep the program alive."""
    for scope in module.facts.scopes:
        given = [value for call in scope.calls for keyword, value in call.keywords if keyword == "daemon"]
        given += [store.value for store in scope.stores if store.name == "daemon"]
        if any(not isinstance(value, Const) or value.value for value in given):
            return True
        if any(last_name(call.func) == "setDaemon" for call in scope.calls):
            return True
    return False
