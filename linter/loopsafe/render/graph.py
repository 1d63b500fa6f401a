"""The thread-context graph as DOT (Graphviz) and as Mermaid."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from loopsafe.harmless import printable
from loopsafe.traces import ContextGraph, Node

_FILLS = {
    "thread": "#f4b6b0",
    "signal": "#f7d49b",
    "finalizer": "#d9c3ec",
    "exit": "#c5cdf0",
    "caller": "#fff0a8",
    "loop": "#bfe3c0",
    "several": "#f0a3c8",
    "none": "#eeeeee",
}
"""By context; `several` is for functions that run in more than one, `none` for those that only start others."""

_MARK_WIDTH = 60
# Percent signs, since Mermaid looks for `%%{init: ...}%%` in labels, too.
_ENTITIES = {"%": "#37;", "#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;", "\\": "#92;"}


def render_dot(graph: ContextGraph) -> Iterator[str]:
    """Graphviz: a cluster a module; offending functions have a thick red border."""
    yield "digraph loopsafe {"
    yield "  rankdir=LR;"
    yield '  node [shape=box, style="filled,rounded", fontname="sans-serif"];'
    yield '  edge [fontname="sans-serif", fontsize=10];'
    for number, (module, nodes) in enumerate(_by_module(graph)):
        yield f"  subgraph cluster_{number} {{"
        yield f"    label={_dot_text(module)};"
        for position, node in nodes:
            border = ', color="#c00000", penwidth=2' if node.findings else ""
            label = "\\n".join(_dot_escaped(line) for line in _lines(node))
            yield f'    n{position} [label="{label}", fillcolor="{_FILLS[_kind(node)]}"{border}];'
        yield "  }"
    for source, target, kind in _edges(graph):
        style = ", style=dashed" if kind == "loop" else ", style=bold" if kind == "starts" else ""
        yield f"  n{source} -> n{target} [label={_dot_text(kind)}{style}];"
    yield "}"


def render_mermaid(graph: ContextGraph) -> Iterator[str]:
    """Mermaid: a subgraph a module; offending functions have a thick red border."""
    yield "flowchart LR"
    for number, (module, nodes) in enumerate(_by_module(graph)):
        yield f'  subgraph m{number}["{_mermaid_escaped(module)}"]'
        for position, node in nodes:
            label = "<br>".join(_mermaid_escaped(line) for line in _lines(node))
            yield f'    n{position}["{label}"]:::{_kind(node)}'
        yield "  end"
    arrows = {"starts": "==>", "loop": "-.->"}
    for source, target, kind in _edges(graph):
        yield f"  n{source} {arrows.get(kind, '-->')}|{kind}| n{target}"
    for kind in sorted({_kind(node) for node in graph.nodes}):
        yield f"  classDef {kind} fill:{_FILLS[kind]},color:#000"
    for position, node in enumerate(graph.nodes):
        if node.findings:
            yield f"  style n{position} stroke:#c00000,stroke-width:3px"


def _by_module(graph: ContextGraph) -> Iterator[tuple[str, list[tuple[int, Node]]]]:
    """Modules in order, each with its nodes and their positions."""
    for (module, _), nodes in groupby(enumerate(graph.nodes), lambda item: (item[1].module, item[1].location.path)):
        yield module, list(nodes)


def _kind(node: Node) -> str:
    if len(node.contexts) > 1:
        return "several"
    return node.contexts[0] if node.contexts else "none"


def _lines(node: Node) -> list[str]:
    """The text of a node: name and row, contexts, offending operations."""
    name = f"{node.name}:{node.location.span.row}" if "<lambda>" in node.name else node.name
    marks = (f"{f.code} {f.location.span.row}: {f.witness[-1].source}" for f in node.findings)
    return [printable(line) for line in (name, ", ".join(node.contexts), *map(_shortened, marks)) if line]


def _edges(graph: ContextGraph) -> Iterator[tuple[int, int, str]]:
    """Each edge once, whatever lanes it is between."""
    yield from dict.fromkeys((edge.source, edge.target, edge.kind) for edge in graph.edges)


def _shortened(mark: str) -> str:
    return mark if len(mark) <= _MARK_WIDTH else f"{mark[: _MARK_WIDTH - 4]} ..."


def _dot_escaped(text: str) -> str:
    # Graphviz takes `&#8238;` for the character.
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")


def _dot_text(text: str) -> str:
    return f'"{_dot_escaped(printable(text))}"'


def _mermaid_escaped(text: str) -> str:
    return "".join(_ENTITIES.get(char, char) for char in printable(text))
