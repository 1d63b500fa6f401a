"""The outcome of propagation: states, the edges by which they were reached, and what they do to loops."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from loopsafe.contexts.places.place import Hop, Place, State
from loopsafe.facts.schema import Call, Expr, Scope
from loopsafe.knowledge.schema import OperationRow, RunsRow, WaitRow
from loopsafe.program.graph import Library
from loopsafe.program.values import Frame, Object, Value


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """What starts a context: the hop, and the call that does it where there is one.

    `crossings` are the functions that lead back to the loop from threads started so, and from no others.
    """

    place: Place
    hop: Hop
    frame: Frame | None
    call: Call | None
    crossings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """A loop-bound operation that is called in some state. `row` says what is known of it.

    With `started`, the operation itself was handed to whatever starts the context, by `call` in the state's frame;
    with `named`, it is given keyword arguments there.
    """

    state: State
    call: Call
    row: OperationRow
    name: str
    receiver: Value | None
    started: Hop | None = None
    named: bool = False


HANDED = "handed"
"""The role of a call that is not written: of an operation itself that something is given to call here."""


@dataclass(frozen=True, slots=True)
class Runner:
    """A library call that runs callables or coroutines: `row` says where, `target` what it is given."""

    call: Call
    row: RunsRow
    target: Library


@dataclass(frozen=True, slots=True, eq=False)
class Waited:
    """Something that is awaited on the object's own loop only, and the loop on which it is awaited here.

    `expr` stands in the function of `state`. `loop` is None where it is not known. `runner` is what runs it there, None
    where the function itself awaits.
    """

    state: State
    expr: Expr
    packed_span: int
    guard: int
    row: WaitRow
    name: str
    receiver: Value | None
    loop: Value | None
    runner: Runner | None


@dataclass(slots=True)
class Flow:
    """`roots` are where contexts start, with the hops that start them; `edges` go from state to state.

    `loops_run` says which loops a state runs and where. `thread_loops` are loops that a thread runs: the hops from the
    start of the thread to the call that runs the loop, where that needs no path (`Thread(target=loop.run_forever)`).
    `origins` are the calls behind the hops that start contexts. `awaited` are the objects whose coroutine methods are
    awaited on each loop. `crossings` are the ways back that work on the threads that a hop starts. `closed` are loops
    that one call makes, runs and gives to nobody: `asyncio.run(c())`. `of_application` are hops by which a framework
    starts threads beside its own loop. `run_by_main` are loops that are run where no thread is seen to.
    `applications` are the loops on which threads run an application of some framework, with the calls that do.
    """

    roots: dict[State, dict[Hop, None]] = field(default_factory=dict)
    edges: dict[State, dict[State, dict[Hop, None]]] = field(default_factory=dict)
    reached: list[Reached] = field(default_factory=list)
    waited: list[Waited] = field(default_factory=list)
    loops_run: dict[State, dict[Value, Hop]] = field(default_factory=dict)
    thread_loops: dict[Value, tuple[Hop, ...]] = field(default_factory=dict)
    awaited: dict[Value, dict[Value, None]] = field(default_factory=dict)
    origins: dict[Hop, dict[tuple[Frame, Call], None]] = field(default_factory=dict)
    crossings: dict[Hop, tuple[str, ...]] = field(default_factory=dict)
    closed: set[Value] = field(default_factory=set)
    of_application: set[Hop] = field(default_factory=set)
    run_by_main: dict[Value, None] = field(default_factory=dict)
    applications: dict[Value, dict[Call, None]] = field(default_factory=dict)
    _led: tuple[int, dict[State, set[State]]] | None = field(default=None, init=False)

    @property
    def runs_on_main(self) -> bool:
        """Whether a loop is run where no thread is seen to, other than by tests."""
        frames = (loop.frame for loop in self.run_by_main if isinstance(loop, Object))
        return any(frame is None or not (frame.module.is_test or frame.module.library) for frame in frames)

    def places_of(self, hop: Hop) -> tuple[tuple[Scope, int], ...]:
        """The functions in which a thread is started, and where: at the hop itself, else where its object is."""
        found = [
            (scope, hop.packed_span)
            for scope in hop.module.facts.scopes
            if any(call.packed_span == hop.packed_span for call in scope.calls)
        ]
        calls = self.origins.get(hop, ())
        return tuple(found) or tuple((frame.scope, call.packed_span) for frame, call in calls)

    def reaching(self, targets: set[State]) -> set[State]:
        """All states from which control gets to one of `targets`, themselves included."""
        return leading_to(targets, self.backwards())

    def backwards(self, surely: bool = False) -> dict[State, set[State]]:
        """For each state those that lead to it at once; `surely` leaves out what is a guess."""
        # Edges are only ever added: as many are the same.
        size = sum(map(len, self.edges.values()))
        if not surely and self._led and self._led[0] == size:
            return self._led[1]
        found: dict[State, set[State]] = defaultdict(set)
        for source, edges in self.edges.items():
            for target, hops in edges.items():
                if not surely or any(hop.certain for hop in hops):
                    found[target].add(source)
        if not surely:
            self._led = (size, found)
        return found


def leading_to(targets: set[State], backwards: dict[State, set[State]]) -> set[State]:
    """All states from which control gets to one of `targets`, themselves included."""
    seen, pending = set(targets), list(targets)
    while pending:
        fresh = backwards.get(pending.pop(), set()) - seen
        seen |= fresh
        pending += fresh
    return seen
