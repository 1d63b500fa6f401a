"""What the analysis says of functions rather than of bugs: where each may run, and the graph of that. Plain data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches

from loopsafe.findings import Step
from loopsafe.locations import Location, Span

OFF_LOOP = ("thread", "signal", "finalizer", "exit")
CONTEXTS = (*OFF_LOOP, "main", "caller", "loop")
"""The kinds of context, in the order in which they are named."""


@dataclass(frozen=True, slots=True)
class Place:
    """What to trace: a file and a row in it, or else a dotted name."""

    path: str = ""
    row: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """One context a function may run in: `where` in words, and the path by which it gets there, never empty."""

    context: str
    where: str
    certain: bool
    path: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """A function by dotted name, and every context it is known to run in."""

    function: str
    location: Location
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A hop by which control comes into a function in some context.

    `source` is the position of the function that it comes from, -1 where that is none of those that are told of.
    """

    source: int
    context: str
    step: Step


@dataclass(frozen=True, slots=True)
class Running:
    """A function, the rows of all of it, every context it is known to run in, and how control comes there."""

    trace: Trace
    span: Span
    arrivals: tuple[Arrival, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A function of the graph. `contexts` is empty for one that only starts others; `marks` are its offending rows."""

    module: str
    name: str
    location: Location
    contexts: tuple[str, ...]
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """How control goes from one node to another, both by position. `kind` is starts, calls or loop (a crossing)."""

    source: int
    target: int
    kind: str


@dataclass(frozen=True, slots=True)
class ContextGraph:
    """Nodes in order of file and row, edges in order of nodes."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def joined(graphs: Iterable[ContextGraph]) -> ContextGraph:
    """One graph of several; a function that is in more than one is one node."""
    nodes: dict[tuple[Location, str], Node] = {}
    edges: set[tuple[tuple[Location, str], tuple[Location, str], str]] = set()
    for graph in graphs:
        keys = [(node.location, node.name) for node in graph.nodes]
        for key, node in zip(keys, graph.nodes, strict=True):
            nodes[key] = _same(nodes.get(key, node), node)
        edges |= {(keys[edge.source], keys[edge.target], edge.kind) for edge in graph.edges}
    at = {key: position for position, key in enumerate(sorted(nodes))}
    drawn = sorted(Edge(at[source], at[target], kind) for source, target, kind in edges)
    return ContextGraph(tuple(nodes[key] for key in at), tuple(drawn))


def _same(one: Node, other: Node) -> Node:
    contexts = tuple(kind for kind in CONTEXTS if kind in {*one.contexts, *other.contexts})
    return replace(one, contexts=contexts, marks=tuple(dict.fromkeys((*one.marks, *other.marks))))


class NoSuchFunction(Exception):
    """Nothing can be said of what was asked for; the message says why and names what may be meant."""


def nearest(word: str, known: list[str], likeness: float = 0.6) -> str:
    """The known word most like this one; empty where none is."""
    return next(iter(get_close_matches(word, known, 1, likeness)), "")
