"""Which part of a graph is drawn: the paths of findings, what is around a function, or all of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from loopsafe.findings import Finding
from loopsafe.locations import Location
from loopsafe.traces import CONTEXTS, ContextGraph, Edge, Node, NoSuchFunction, Visit, nearest

Key = tuple[Location, str]
"""A function, in whichever graph: where it stands and its name."""


def findings_only(graph: ContextGraph) -> ContextGraph:
    """The paths of findings, and of their functions only the lanes that they are in on those."""
    visited = {(visit.node, visit.lane) for way in graph.ways.values() for visit in way}
    nodes = {node for node, _ in visited}
    return _only(graph, nodes, visited)


def around(graph: ContextGraph, name: str, depth: int) -> ContextGraph:
    """What is at most `depth` hops from the functions of a name, of which the end is enough.

    Raises:
        NoSuchFunction: there is none in the graph.
    """
    names = [f"{node.module}.{node.name}" for node in graph.nodes]
    near = {at for at, known in enumerate(names) if f".{known}".endswith(f".{name}")}
    if not near:
        likely = nearest(name, names) or nearest(name, [node.name for node in graph.nodes])
        hint = f"; is `{likely}` meant?" if likely else ""
        raise NoSuchFunction(f"no function `{name}` is known to run on a thread or on a loop{hint}")
    beside: dict[int, set[int]] = defaultdict(set)
    for edge in graph.edges:
        beside[edge.source].add(edge.target)
        beside[edge.target].add(edge.source)
    front = near
    for _ in range(depth):
        front = set().union(*(beside[node] for node in front)) - near
        near = near | front
    return _only(graph, near)


def joined(graphs: Iterable[ContextGraph]) -> ContextGraph:
    """One graph of several; a function that is in more than one is one node."""
    graphs = tuple(graphs)
    # By first sight, which keeps the order that each graph has.
    number = {lane: at for at, lane in enumerate(dict.fromkeys(lane for graph in graphs for lane in graph.lanes))}
    nodes: dict[Key, Node] = {}
    for graph in graphs:
        lanes = [number[lane] for lane in graph.lanes]
        for node in graph.nodes:
            moved = replace(node, stays=tuple(replace(stay, lane=lanes[stay.lane]) for stay in node.stays))
            nodes[_key(node)] = _same(nodes.get(_key(node), moved), moved)
    at = {key: position for position, key in enumerate(sorted(nodes))}
    edges, ways = set[Edge](), dict[Finding, tuple[Visit, ...]]()
    for graph in graphs:
        to, lanes = [at[_key(node)] for node in graph.nodes], [*(number[lane] for lane in graph.lanes), -1]
        edges |= {_moved(edge, to, lanes) for edge in graph.edges}
        ways |= {f: tuple(Visit(to[v.node], lanes[v.lane]) for v in way) for f, way in graph.ways.items()}
    return ContextGraph(tuple(nodes[key] for key in at), tuple(sorted(edges)), tuple(number), ways)


def _key(node: Node) -> Key:
    return node.location, node.name


def _moved(edge: Edge, to: Sequence[int], lanes: Sequence[int]) -> Edge:
    return Edge(to[edge.source], to[edge.target], edge.kind, lanes[edge.leaves], lanes[edge.enters], edge.step)


def _same(one: Node, other: Node) -> Node:
    contexts = tuple(kind for kind in CONTEXTS if kind in {*one.contexts, *other.contexts})
    findings = tuple(dict.fromkeys((*one.findings, *other.findings)))
    stays = {stay.lane: stay for stay in (*other.stays, *one.stays)}
    return replace(one, contexts=contexts, findings=findings, stays=tuple(stays[lane] for lane in sorted(stays)))


def _only(
    graph: ContextGraph, nodes: Collection[int], boxes: Collection[tuple[int, int]] | None = None
) -> ContextGraph:
    """Some nodes of a graph, with the edges between them; with `boxes`, only in these lanes, too."""

    def kept(node: int, lane: int) -> bool:
        return node in nodes and (boxes is None or lane < 0 or (node, lane) in boxes)

    to = dict(zip(sorted(nodes), range(len(nodes)), strict=True))
    left = [
        (node, [stay for stay in graph.nodes[node].stays if kept(node, stay.lane)] or graph.nodes[node].stays)
        for node in to
    ]
    lanes = {lane: n for n, lane in enumerate(sorted({stay.lane for _, stays in left for stay in stays}))} | {-1: -1}
    edges = (e for e in graph.edges if kept(e.source, e.leaves) and kept(e.target, e.enters))
    ways = (item for item in graph.ways.items() if all(visit.node in nodes for visit in item[1]))
    return ContextGraph(
        tuple(
            replace(graph.nodes[node], stays=tuple(replace(stay, lane=lanes[stay.lane]) for stay in stays))
            for node, stays in left
        ),
        tuple(Edge(to[e.source], to[e.target], e.kind, lanes[e.leaves], lanes[e.enters], e.step) for e in edges),
        tuple(graph.lanes[lane] for lane in lanes if lane >= 0),
        {finding: tuple(Visit(to[v.node], lanes[v.lane]) for v in way) for finding, way in ways},
    )
