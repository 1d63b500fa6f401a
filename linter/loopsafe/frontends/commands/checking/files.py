"""`loopsafe check --show-files`: which files would be reported on."""

from __future__ import annotations

from collections.abc import Sequence

from loopsafe.frontends.options import Selection
from loopsafe.frontends.terminal import CannotWork, write
from loopsafe.frontends.work import work_on_paths
from loopsafe.harmless import printable


def show_wanted(paths: Sequence[str], selection: Selection) -> int:
    """Print them, a line each, and return the exit code.

    Raises:
        CannotWork: there is nothing at a path, or the configuration or an option cannot be used.
    """
    work = work_on_paths(paths, selection)
    try:
        files = [file for project in work.projects() for file in project.files]
    except FileNotFoundError as error:
        raise CannotWork(f"{error}: no such file") from error
    write(printable(path) for path in sorted({file.shown for file in files if file.wanted and not file.barred}))
    return 0
