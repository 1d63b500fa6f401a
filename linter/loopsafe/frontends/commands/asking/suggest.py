"""`loopsafe suggest`: methods that any thread may call as it seems, with the annotation that says so."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from loopsafe.frontends.options import Selection
from loopsafe.frontends.progress import progress
from loopsafe.frontends.terminal import CannotWork, complain, wants_colour, write
from loopsafe.frontends.work import nothing_at, work_on_paths
from loopsafe.project.config import ConfigError
from loopsafe.questions import suggest
from loopsafe.render.suggestions import render, render_json


def show_suggestions(paths: Sequence[str], selection: Selection, output_format: str, quiet: bool) -> int:
    """Print them and return the exit code, which does not depend on whether there are any.

    Raises:
        CannotWork: there is nothing at a path, or the configuration cannot be used.
    """
    work = work_on_paths(paths, selection)
    for problem in nothing_at(work.paths, {}):
        raise CannotWork(str(problem))
    try:
        with progress(quiet) as show:
            found = [one for project in work.projects() for one in suggest(project, progress=show)]
    except ConfigError as error:
        raise CannotWork(str(error)) from error
    colour = output_format == "text" and wants_colour(sys.stdout)
    write(render_json(found) if output_format == "json" else render(found, colour), colour)
    if not found and output_format == "text" and not quiet:
        complain("Nothing to suggest: no method says that any thread may call it and touches what belongs to a loop.")
    return 0
