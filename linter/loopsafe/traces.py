"""What the analysis says of functions rather than of bugs: where each may run, and the graph of that. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from loopsafe.findings import Finding, Step
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
class Lane:
    """A place as the graph has it: one thread, one loop, the main thread.

    `context` is its kind, empty where that is not known; `starts` are the hops with which it begins, as far as they
    can be told: one, or a few threads that run the same functions.
    """

    context: str
    name: str
    starts: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Stay:
    """That a function runs in a lane, given by its position, and the shortest path by which it gets there."""

    lane: int
    certain: bool
    path: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A function of the graph. `contexts` is empty for one that only starts others; `findings` are those in it.

    `source` is its first row; empty for a module's own code.
    """

    module: str
    name: str
    location: Location
    contexts: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    source: str = ""
    stays: tuple[Stay, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """How control goes from one node to another, both by position. `kind` is starts, calls or loop (a crossing).

    It `leaves` one lane and `enters` another, or the same; `step` is where.
    """

    source: int
    target: int
    kind: str
    leaves: int = -1
    enters: int = -1
    step: Step | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Visit:
    """A node on the path of a finding, and the lane that it is in there, both by position."""

    node: int
    lane: int


Ways = Mapping[Finding, tuple[Visit, ...]]


@dataclass(frozen=True, slots=True)
class ContextGraph:
    """Nodes in order of file and row, edges in order of nodes, and the path of each finding."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    lanes: tuple[Lane, ...] = ()
    ways: Ways = field(default_factory=dict)


class NoSuchFunction(Exception):
    """Nothing can be said of what was asked for; the message says why and names what may be meant."""


def nearest(word: str, known: list[str], likeness: float = 0.6) -> str:
    """The known word most like this one; empty where none is."""
    return next(iter(get_close_matches(word, known, 1, likeness)), "")
