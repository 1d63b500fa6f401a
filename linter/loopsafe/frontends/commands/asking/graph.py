"""`loopsafe graph`: the paths of findings, what is around a function, or all of it, as text and pages."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from loopsafe.frontends.commands.asking.choosing import around, findings_only, joined
from loopsafe.frontends.delivery import deliver
from loopsafe.frontends.options import Selection
from loopsafe.frontends.progress import progress
from loopsafe.frontends.terminal import CannotWork, complain
from loopsafe.frontends.work import nothing_at, work_on_paths
from loopsafe.project.config import ConfigError
from loopsafe.questions import graph
from loopsafe.render.graph import render_dot, render_mermaid
from loopsafe.render.pages.graph import render_html
from loopsafe.traces import ContextGraph, NoSuchFunction

# What Mermaid refuses to draw unless it is told otherwise.
_MOST_EDGES, _MOST_TEXT = 500, 50_000
_MOST_SECONDS = 120


@dataclass(frozen=True, slots=True)
class GraphRequest:
    """The arguments of `graph`: what is drawn is `everything`, what is `near` a function, or the paths of findings."""

    paths: Sequence[str]
    selection: Selection
    graph_format: str = "dot"
    output: str = ""
    near: str = ""
    depth: int = 2
    everything: bool = False
    quiet: bool = False


def show_graph(request: GraphRequest) -> int:
    """Print the graph, or write it to a file, and return the exit code.

    Raises:
        CannotWork: a path or function does not exist, the configuration cannot be used, Graphviz is wanted and not
            there, or the file cannot be written.
    """
    # What cannot be drawn is told before the work is done.
    draw = _renderer(request.graph_format)
    work = work_on_paths(request.paths, request.selection)
    for problem in nothing_at(work.paths, {}):
        raise CannotWork(str(problem))
    try:
        with progress(request.quiet) as show:
            whole = joined(graph(project, progress=show) for project in work.projects())
        drawn = _chosen(whole, request)
    except (ConfigError, NoSuchFunction) as error:
        raise CannotWork(str(error)) from error
    lines = list(draw(drawn))
    if not request.quiet:
        complain(*_warnings(whole, drawn, request.graph_format, lines))
    deliver(lines, request.output, work.roots)
    return 0


def _chosen(whole: ContextGraph, request: GraphRequest) -> ContextGraph:
    if request.near:
        return around(whole, request.near, request.depth)
    return whole if request.everything else findings_only(whole)


def _warnings(whole: ContextGraph, drawn: ContextGraph, graph_format: str, lines: Sequence[str]) -> Iterator[str]:
    if not whole.nodes:
        yield "warning: no function here is known to run on a thread or on a loop"
    elif not drawn.nodes:
        some = f"--all draws {len(whole.nodes)} functions, --around NAME some of them"
        yield f"warning: there are no findings to draw; {some}"
    if graph_format == "mermaid":
        edges, size = (
            sum("|" in line and line.startswith("  n") for line in lines),
            sum(len(line) + 1 for line in lines),
        )
        if edges > _MOST_EDGES:
            yield f"warning: {edges} edges, and Mermaid draws at most {_MOST_EDGES}; --format html draws them all"
        if size > _MOST_TEXT:
            yield f"warning: {size} characters, and Mermaid reads at most {_MOST_TEXT}; --format html draws them all"


def _renderer(graph_format: str) -> Callable[[ContextGraph], Iterator[str]]:
    if graph_format != "svg":
        return {"dot": render_dot, "mermaid": render_mermaid, "html": render_html}[graph_format]
    program = shutil.which("dot")
    # A relative one was found in the working directory, which is the project's.
    if program is None or not os.path.isabs(program):
        raise CannotWork(
            "--format svg needs Graphviz's program `dot`, which is not installed; --format html needs nothing"
        )
    return lambda graph: _drawn_by(program, graph)


def _drawn_by(program: str, graph: ContextGraph) -> Iterator[str]:
    text = "\n".join(render_dot(graph))
    try:
        done = subprocess.run(
            [program, "-Tsvg"], input=text.encode(), capture_output=True, check=True, timeout=_MOST_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotWork(f"Graphviz's `dot` failed: {error}; --format html does without") from error
    yield from done.stdout.decode("utf-8", "backslashreplace").splitlines()
