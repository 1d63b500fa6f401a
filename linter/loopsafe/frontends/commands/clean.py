"""`loopsafe clean`: delete what earlier runs have kept."""

from __future__ import annotations

from collections.abc import Sequence

from loopsafe.cache.place import clean
from loopsafe.frontends.options import Selection
from loopsafe.frontends.settings import configured
from loopsafe.frontends.terminal import write
from loopsafe.frontends.work import Work
from loopsafe.harmless import printable


def clean_caches(paths: Sequence[str], selection: Selection) -> int:
    """Delete the caches of the projects that hold the paths, say so, and return the exit code.

    Raises:
        CannotWork: a project's configuration cannot be read, or an option cannot be used.
    """
    roots = Work(tuple(paths) or (".",), selection).roots
    if selection.unsearched:
        # What is found may be wrong and its cache deleted all the same; what is named must be there.
        configured(roots[0], selection)
    write(
        printable(f"Removed {folder}" if gone else f"Removed loopsafe's files from {folder}, where there are others")
        for folder, gone in filter(None, map(clean, map(str, roots)))
    )
    return 0
