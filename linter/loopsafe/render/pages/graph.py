"""The graph as a page: lanes for places, functions in them, and for each of them where it runs and why."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from loopsafe.findings import Finding, Step
from loopsafe.harmless import printable
from loopsafe.locations import Location
from loopsafe.render.pages.page import page
from loopsafe.traces import ContextGraph, Lane, Node

T = TypeVar("T", bound=Hashable)

# What a call says beyond this is not read in a picture, and thousands of them are in a page.
_SOURCE_WIDTH = 200
_BODY = """\
<header class="bar">
<h1>Where this runs</h1>
<span id="kinds" class="bar" style="border: 0; padding: 0"></span>
<label><input type="checkbox" id="only"> only paths of findings</label>
<span class="grow"></span>
<input type="search" id="search" placeholder="Search functions and files" aria-label="Search functions and files">
</header>
<main>
<div id="stage" role="img" aria-label="Functions in lanes, one lane a thread or loop; the list beside has the same">
<div id="bands"></div><div id="graph"></div><div id="titles"></div>
<p id="note" class="faint"></p>
<div id="zoom">
<button type="button" id="out" aria-label="Smaller">&minus;</button>
<button type="button" id="in" aria-label="Larger">+</button>
<button type="button" id="fit">Fit</button>
</div>
</div>
<aside>
<div id="panel" aria-live="polite"></div>
<h2>How to read it</h2>
<div id="legend">
<i class="box"></i><span>a function with a finding</span>
<i class="way"></i><span>the path to a finding</span>
<i class="starts"></i><span>starts a thread or sets a handler</span>
<i class="loop"></i><span>is handed to a loop</span>
<i></i><span>calls</span>
</div>
<p class="faint">A lane is a place: one thread, one event loop. Click a function for its source line, its path and why.
Keys: <code>/</code> searches, <code>Esc</code> shows all again.</p>
</aside>
</main>
<noscript><p>This picture is drawn by a script in this file.</p></noscript>"""


class _Numbers(Generic[T]):
    """Gives each value a number when it is first asked for: what is told often is written once."""

    def __init__(self) -> None:
        self.known: dict[T, int] = {}

    def __call__(self, value: T) -> int:
        return self.known.setdefault(value, len(self.known))


def render_html(graph: ContextGraph) -> Iterator[str]:
    """One file that draws the graph in a browser."""
    return page(
        "loopsafe graph", ("page.css", "graph.css"), _BODY.split("\n"), ("cytoscape.min.js", "graph.js"), _data(graph)
    )


class _Told:
    """What is told of steps and findings, and where they are."""

    def __init__(self) -> None:
        self.files, self.steps, self.findings = _Numbers[str](), _Numbers[Step](), _Numbers[Finding]()
        self.paths = _Numbers[tuple[int, int]]()

    def place(self, where: Location) -> dict[str, Any]:
        return {"file": self.files(where.path), "at": where.told}

    def path(self, steps: Sequence[Step]) -> int:
        """A path by its last hop, each hop with the one before: most paths are others and a hop more."""
        last = -1
        for step in steps:
            last = self.paths((last, self.steps(step)))
        return last


def _data(graph: ContextGraph) -> dict[str, Any]:
    told = _Told()
    nodes = [_node(node, told) for node in graph.nodes]
    findings = [_finding(finding, graph, told) for finding in told.findings.known]
    edges = [
        [e.source, e.leaves, e.target, e.enters, e.kind, told.steps(e.step) if e.step else -1] for e in graph.edges
    ]
    steps = [[s.kind, told.files(s.location.path), s.location.told, _shortened(s.source)] for s in told.steps.known]
    return {
        "nodes": nodes,
        "lanes": [_lane(lane) for lane in graph.lanes],
        "edges": edges,
        "findings": findings,
        "steps": steps,
        "paths": list(told.paths.known),
        "files": list(map(printable, told.files.known)),
    }


def _node(node: Node, told: _Told) -> dict[str, Any]:
    return {
        "name": printable(node.name),
        "module": printable(node.module),
        **told.place(node.location),
        "source": _shortened(node.source),
        "findings": [told.findings(finding) for finding in node.findings],
        "stays": [[stay.lane, int(stay.certain), told.path(stay.path)] for stay in node.stays],
    }


def _lane(lane: Lane) -> dict[str, str]:
    """`title` stands in the picture, where folders have no room; `name` says all of it."""
    whole = [f"{start.location.path}:{start.location.told.rpartition(':')[0]}" for start in lane.starts]
    short = [place.rpartition("/")[2] for place in whole]
    source = f": {lane.starts[0].source}" if len(lane.starts) == 1 and lane.context != "loop" else ""
    return {
        "kind": lane.context,
        "title": _shortened(f"{lane.name}{' of ' * bool(short)}{', '.join(short)}{source}", 120),
        "name": _shortened(f"{lane.name}{' of ' * bool(whole)}{', '.join(whole)}"),
    }


def _finding(finding: Finding, graph: ContextGraph, told: _Told) -> dict[str, Any]:
    fix = finding.fix
    return {
        "code": finding.code,
        "name": finding.name,
        "message": printable(finding.message),
        "confidence": finding.confidence,
        "context": finding.context,
        **told.place(finding.location),
        "source": _shortened(finding.witness[-1].source),
        "fix": printable(f"{fix.applicability}{f': {fix.reason}' if fix.reason else ''}") if fix else "",
        "path": told.path(finding.witness),
        "way": [[visit.node, visit.lane] for visit in graph.ways.get(finding, ())],
    }


def _shortened(text: str, width: int = _SOURCE_WIDTH) -> str:
    text = printable(text)
    return text if len(text) <= width else f"{text[: width - 4]} ..."
