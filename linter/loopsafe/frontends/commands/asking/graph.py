"""`loopsafe graph`: the thread-context graph of files and folders, as text that others draw."""

from __future__ import annotations

from collections.abc import Sequence

from loopsafe.frontends.delivery import deliver
from loopsafe.frontends.options import Selection
from loopsafe.frontends.progress import progress
from loopsafe.frontends.terminal import CannotWork, complain
from loopsafe.frontends.work import nothing_at, work_on_paths
from loopsafe.project.config import ConfigError
from loopsafe.questions import graph
from loopsafe.render.graph import FORMATS
from loopsafe.traces import joined


def show_graph(paths: Sequence[str], selection: Selection, graph_format: str, output: str, quiet: bool) -> int:
    """Print the graph, or write it to the file `output`, and return the exit code.

    Raises:
        CannotWork: a path does not exist, the configuration cannot be used, or the file cannot be written.
    """
    work = work_on_paths(paths, selection)
    for problem in nothing_at(work.paths, {}):
        raise CannotWork(str(problem))
    try:
        with progress(quiet) as show:
            drawn = joined(graph(project, progress=show) for project in work.projects())
    except ConfigError as error:
        raise CannotWork(str(error)) from error
    if not drawn.nodes and not quiet:
        complain("warning: no function here is known to run on a thread or on a loop")
    deliver(FORMATS[graph_format](drawn), output, work.roots)
    return 0
