"""Which loop a value stands for, and what runs on each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from loopsafe.contexts.places.flow import Flow
from loopsafe.contexts.places.place import HOME, LOOK_UPS, State
from loopsafe.facts.schema import Call, Scope
from loopsafe.program.classes import Classes
from loopsafe.program.index import last_name
from loopsafe.program.values import Class, Frame, Instance, Object, Value


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop: the call that makes it, and the class of the `self` in whose method that is, if any.

    Two subclasses of what makes the loop do not share it. The one without a call is the loop of the application.
    """

    site: Call | None
    maker: Class | None

    @property
    def order(self) -> int:
        """A key that sorts loops the same way on every run."""
        return self.site.packed_span if self.site is not None else 0


Loops = frozenset[Loop | None]
"""None stands for a loop of which nothing is known: it equals nothing and differs from nothing."""

UNKNOWN: Loops = frozenset({None})
OF_APPLICATION = Loop(None, None)


class LoopsOf:
    """Answers for a solved flow. A look-up is no loop: it gives the loops of the function that looks.

    `run` are loops that something is seen to run, `threads` those that threads run. `makers` are the functions that
    make loops, by the calls.
    """

    def __init__(self, flow: Flow, classes: Classes, run: Iterable[Value], threads: Iterable[Value]) -> None:
        self._classes = classes
        # What is running already is run by somebody else, though it may stand where a loop of ours does.
        own = (loop.site for loop in run if isinstance(loop, Object) and loop.site is not None)
        self._run = {site for site in own if last_name(site.func) != "get_running_loop"}
        self._of_threads = {loop.site for loop in threads if isinstance(loop, Object)} - {None}
        edges = (target for targets in flow.edges.values() for target in targets)
        self.states = list(dict.fromkeys(s for found in (edges, flow.roots) for s in found if s.place.kind == "loop"))
        self._on: dict[Scope, dict[Value | None, None]] = defaultdict(dict)
        for state in self.states:
            self._on[state.frame.scope][state.place.loop] = None
        self._run_by = dict.fromkeys(state.place.loop for state in self.states)
        self._states_on: dict[Loops, list[State]] = {}
        self._made: dict[Object, Loops] = {}
        self._looked_up: dict[Call, Loops] = {}
        self.makers: dict[Call, Frame] = {}

    def of(self, loop: Value | None) -> Loops:
        """The loops that this value may stand for."""
        if isinstance(loop, Object) and loop.type == HOME:
            return frozenset({OF_APPLICATION})
        if not isinstance(loop, Object) or loop.site is None or loop.frame is None:
            return UNKNOWN
        site = loop.site
        self.makers.setdefault(site, loop.frame)
        if site in self._run:
            if loop not in self._made:
                self._made[loop] = frozenset({Loop(site, class_around(loop.frame))})
            return self._made[loop]
        if last_name(site.func) not in LOOK_UPS:
            return UNKNOWN  # nobody is seen to run it
        if site not in self._looked_up:
            self._looked_up[site] = UNKNOWN  # whoever asks for the loop it is itself on learns nothing
            self._looked_up[site] = self.running(loop.frame.scope)
        return self._looked_up[site]

    def running(self, scope: Scope) -> Loops:
        """The loops on which this function is seen to run."""
        loops = frozenset(key for loop in self._on.get(scope, ()) for key in self.of(loop))
        return loops or UNKNOWN

    def on(self, loops: Loops) -> list[State]:
        """The states that may run on one of these loops."""
        found = self._states_on.get(loops)
        if found is None:
            run = {loop for loop in self._run_by if self.meet(loops, self.of(loop))}
            found = self._states_on[loops] = [state for state in self.states if state.place.loop in run]
        return found

    def meet(self, one: Loops, other: Loops) -> bool:
        """Whether a loop of the one may be a loop of the other, of those that are known."""
        return any(self._may_be(a, b) for a in one for b in other)

    def within(self, inner: Loops, outer: Loops) -> bool:
        """Whether all the loops are known, and each may be one of `outer`."""
        return None not in inner and all(self.meet(frozenset({loop}), outer) for loop in inner)

    def apart(self, one: Loops, other: Loops) -> bool:
        """Whether all are known and none may be the same."""
        return bool(one and other) and None not in one | other and not self.meet(one, other)

    def _may_be(self, one: Loop | None, other: Loop | None) -> bool:
        if one is None or other is None:
            return False
        if OF_APPLICATION in (one, other):
            # What main runs may be what runs the application.
            return not {one.site, other.site} & self._of_threads
        if one.site is not other.site:
            return False
        a, b = one.maker, other.maker
        # Known by the base class only, it may be any heir's.
        return a is b or a is None or b is None or a in self._classes.mro(b) or b in self._classes.mro(a)


def class_around(frame: Frame) -> Class | None:
    """The class of the object whose method a frame is of, or is a closure of."""
    at: Frame | None = frame
    while at is not None:
        if isinstance(at.receiver, Instance):
            return at.receiver.cls
        at = at.parent
    return None
