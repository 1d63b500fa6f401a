"""The graph of where functions run: nodes, the lanes that they are in, and the paths of findings through it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from loopsafe.contexts.places.place import Hop, State
from loopsafe.contexts.verdicts.explain import Explanation, Key, calling, key_of
from loopsafe.findings import Finding, Step
from loopsafe.locations import Span
from loopsafe.program.modules import Module
from loopsafe.program.values import Object
from loopsafe.traces import CONTEXTS, OFF_LOOP, ContextGraph, Edge, Lane, Node, Stay, Visit, Ways

# Threads that share a function get a lane of their own, until there are more of them than anybody would read.
_MOST_STARTS = 3
_SEVERAL: frozenset[Hop] = frozenset()
_NAMES = {"thread": "worker thread", "signal": "signal handler", "finalizer": "finalizer", "exit": "interpreter exit"}
_NOWHERE = Lane("", "whoever calls, not traced")
_MAIN = Lane("main", "main thread")
_LANE_ORDER = ("main", "loop", "", "caller", *OFF_LOOP)


class Picture:
    """Draws the functions of an explained program. `by_shown` are its modules by the paths that steps have."""

    def __init__(self, explanation: Explanation, by_shown: Mapping[str, Module]) -> None:
        self._explanation, self._by_shown = explanation, by_shown
        self._starts = _starts(explanation)
        self._callers = calling(explanation.flow)
        self._lanes: dict[tuple[str, object], Lane] = {}

    def graph(self, wanted: set[Module], findings: Iterable[Finding]) -> ContextGraph:
        """The functions of some modules that a context reaches, those that start them, and the paths of findings."""
        ways = {finding: self._way(finding) for finding in findings}
        marked: dict[Key, list[Finding]] = defaultdict(list)
        for finding in ways:
            marked[self._key(finding.witness[-1])].append(finding)
        on_ways = {key for way in ways.values() for key, _ in way}

        def inside(key: Key) -> bool:
            return self._explanation.module(key) in wanted

        edges: dict[tuple[Key, Key, str], dict[tuple[Lane, Lane], Step]] = defaultdict(dict)
        for source, target, kind, between, step in self._edges():
            if inside(source) or inside(target):
                places = edges[source, target, kind]
                places[between] = min(places.get(between, step), step)
        shown = {key for key in (*self._explanation.states, *marked) if inside(key)} | on_ways
        keys = sorted(shown.union(*((source, target) for source, target, kind in edges if kind != "calls")))
        stays = {key: self._stays(key) for key in keys}
        lanes = sorted({lane for found in stays.values() for lane in found}, key=_lane_order)
        at, number = {key: n for n, key in enumerate(keys)}, {lane: n for n, lane in enumerate(lanes)}
        drawn = {
            Edge(at[source], at[target], kind, number.get(leaves, -1), number.get(enters, -1), step)
            for (source, target, kind), places in edges.items()
            for (leaves, enters), step in places.items()
            if source in at and target in at
        }
        visits = {
            finding: tuple(Visit(at[key], self._lane_on(key, step, finding, stays, number)) for key, step in way)
            for finding, way in ways.items()
        }
        nodes = tuple(self._node(key, marked.get(key, ()), stays[key], number) for key in keys)
        return ContextGraph(nodes, tuple(sorted(drawn | _missing(drawn, visits))), tuple(lanes), visits)

    def _way(self, finding: Finding) -> list[tuple[Key, str]]:
        """The functions on the path of a finding, each with the kind of the hop that leads out of it.

        What starts a thread is left out where it is no call: the class of a thread names its lane.
        """
        steps = [(self._key(step), step) for step in finding.witness]
        first, start = steps[0]
        if len(steps) > 1 and start.kind == "starts" and start.location.span not in self._calls(first):
            steps = steps[1:]
        return [(key, step.kind) for key, step in steps]

    def _calls(self, key: Key) -> set[Span]:
        return {call.span for call in self._explanation.module(key).facts.scopes[key[1]].calls}

    def _key(self, step: Step) -> Key:
        """The innermost function around a hop."""
        module, span = self._by_shown[step.location.path], step.location.span
        around = [s for s in module.facts.scopes if s.kind != "class" and (s.parent < 0 or s.span.contains(span))]
        return module.index, around[-1].index

    def _lane_on(
        self,
        key: Key,
        kind: str,
        finding: Finding,
        stays: Mapping[Key, Mapping[Lane, Stay]],
        number: Mapping[Lane, int],
    ) -> int:
        """In which lane a function is on the path of a finding: that of the thread, but for who starts it."""
        found = list(stays[key])
        starter = kind == "starts" and finding.witness[0].kind == "starts"
        wanted = ("loop", "main") if starter else (finding.context,)
        likely = [lane for lane in found if lane.context in wanted]
        exact = [lane for lane in likely if lane.starts == finding.witness[:1]]
        return number[(exact or likely or found)[0]]

    def _node(self, key: Key, marks: Sequence[Finding], stays: Mapping[Lane, Stay], number: Mapping[Lane, int]) -> Node:
        module = self._explanation.module(key)
        scope = module.facts.scopes[key[1]]
        kinds = {state.place.kind for state, _ in self._explanation.states.get(key, ())}
        place = self._explanation.locate(Hop("calls", module, scope.packed_span))
        return Node(
            module.name,
            scope.qualname or "<module>",
            place.location,
            tuple(k for k in CONTEXTS if k in kinds),
            tuple(marks),
            place.source if scope.parent >= 0 else "",
            tuple(Stay(number[lane], stay.certain, stay.path) for lane, stay in stays.items()),
        )

    def _stays(self, key: Key) -> dict[Lane, Stay]:
        """The lanes of a function, in order, each with the shortest path to it there."""
        best: dict[Lane, Stay] = {}
        for state, paths in self._explanation.states.get(key, ()):
            reason = self._explanation.reason(state, paths)
            stay, lane = Stay(0, reason.certain, reason.path), self._lane(state)
            best[lane] = min(best.get(lane, stay), stay, key=lambda s: (len(s.path), s.path))
        if not best:
            best[self._untraced(key)] = Stay(0, True, ())
        return {lane: best[lane] for lane in sorted(best, key=_lane_order)}

    def _untraced(self, key: Key) -> Lane:
        # A module's own code runs where it is imported, which is the main thread but for odd cases.
        return _MAIN if self._explanation.module(key).facts.scopes[key[1]].parent < 0 else _NOWHERE

    def _lane(self, state: State) -> Lane:
        """Where a state is drawn."""
        kind, loop = state.place
        told: object = self._starts.get(state, _SEVERAL) if kind in OFF_LOOP else loop
        if (kind, told) not in self._lanes:
            self._lanes[kind, told] = self._named(state)
        return self._lanes[kind, told]

    def _named(self, state: State) -> Lane:
        (kind, loop), locate = state.place, self._explanation.locate
        if kind in OFF_LOOP:
            starts = tuple(sorted(map(locate, self._starts.get(state, _SEVERAL))))
            return Lane(kind, _NAMES[kind] if starts else f"{_NAMES[kind]}, one of many", starts)
        if kind != "loop":
            return Lane("caller", "thread of whoever calls") if kind == "caller" else _MAIN
        if isinstance(loop, Object) and loop.frame is not None and loop.site is not None:
            return Lane(kind, "event loop", (locate(Hop("loop", loop.frame.module, loop.site.packed_span)),))
        return Lane(kind, "an event loop")

    def _edges(self) -> Iterator[tuple[Key, Key, str, tuple[Lane, Lane], Step]]:
        """How control goes from one function to another: in which lane it leaves, in which it comes, and by what."""
        explanation = self._explanation
        for source, targets in explanation.flow.edges.items():
            for target, hops in targets.items():
                lanes = self._lane(source), self._lane(target)
                yield from ((key_of(source), key_of(target), hop.kind, lanes, explanation.locate(hop)) for hop in hops)
        for root, found in explanation.flow.roots.items():
            for hop in found:
                starter = self._callers.get((hop.module.index, hop.packed_span))
                if starter is not None:
                    key = (hop.module.index, starter)
                    own = {self._lane(state) for state, _ in explanation.states.get(key, ())}
                    for leaves in own or {self._untraced(key)}:
                        yield key, key_of(root), hop.kind, (leaves, self._lane(root)), explanation.locate(hop)


def _missing(drawn: set[Edge], ways: Ways) -> set[Edge]:
    """The hops on the paths of findings that are no edges yet.

    After a loop is run, a path may go on with how another place comes to it: that is no hop.
    """
    known, found = {(edge.source, edge.target) for edge in drawn}, set()
    for finding, way in ways.items():
        for (one, other), step in zip(pairwise(way), finding.witness[-len(way) :], strict=False):
            if step.kind != "loop" and one.node != other.node and (one.node, other.node) not in known:
                found.add(Edge(one.node, other.node, step.kind, one.lane, other.lane, step))
    return found


def _lane_order(lane: Lane) -> tuple[int, bool, tuple[Step, ...], str]:
    return _LANE_ORDER.index(lane.context), not lane.starts, lane.starts, lane.name


def _starts(explanation: Explanation) -> dict[State, frozenset[Hop]]:
    """By which hops the threads were started that run each state; `_SEVERAL` where there are too many to name."""
    flow = explanation.flow
    found: dict[State, frozenset[Hop]] = {}
    pending = []
    for root, hops in flow.roots.items():
        if root.place.kind in OFF_LOOP:
            found[root] = _few(frozenset(hops))
            pending.append(root)
    while pending:
        state = pending.pop()
        for target in flow.edges.get(state, ()):
            if target.place.kind in OFF_LOOP:
                known = found.get(target)
                union = (
                    found[state]
                    if known is None
                    else _few(known | found[state])
                    if known and found[state]
                    else _SEVERAL
                )
                if union != known:
                    found[target] = union
                    pending.append(target)
    return found


def _few(hops: frozenset[Hop]) -> frozenset[Hop]:
    return hops if len(hops) <= _MOST_STARTS else _SEVERAL
