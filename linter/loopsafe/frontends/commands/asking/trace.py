"""`loopsafe trace`: where a function may run, and by which paths."""

from __future__ import annotations

import re
import sys

from loopsafe.frontends.options import Selection
from loopsafe.frontends.progress import progress
from loopsafe.frontends.terminal import CannotWork, wants_colour, write
from loopsafe.frontends.work import nothing_at, work_on_paths
from loopsafe.project.config import ConfigError
from loopsafe.questions import trace
from loopsafe.render.trace import render, render_json
from loopsafe.traces import NoSuchFunction, Place

_PATH_AND_ROW = re.compile(r"(?P<path>.+?):(?P<row>\d+)(?::\d+)?")
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def show_trace(place: str, selection: Selection, output_format: str, quiet: bool) -> int:
    """Print where the function at `place` (`PATH:LINE` or a dotted name) may run and return the exit code.

    Raises:
        CannotWork: there is no such function, or the configuration cannot be used.
    """
    wanted = _place(place)
    work = work_on_paths([wanted.path or "."], selection)
    for problem in nothing_at(work.paths, {}):
        raise CannotWork(str(problem))
    try:
        with progress(quiet) as show:
            traces = trace(work.projects()[0], wanted, progress=show)
    except (NoSuchFunction, ConfigError) as error:
        raise CannotWork(str(error)) from error
    colour = output_format == "text" and wants_colour(sys.stdout)
    write(render_json(traces) if output_format == "json" else render(traces, colour), colour)
    return 0


def _place(text: str) -> Place:
    if found := _PATH_AND_ROW.fullmatch(text):
        return Place(found["path"], int(found["row"]))
    if _NAME.fullmatch(text) and not text.endswith(".py"):
        return Place(name=text)
    raise CannotWork(f"`{text}` is neither PATH:LINE nor a dotted name such as `package.module.Class.method`")
