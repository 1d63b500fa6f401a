"""`loopsafe clean`: delete what earlier runs have kept."""

from __future__ import annotations

from collections.abc import Sequence

from loopsafe.cache.place import clean
from loopsafe.frontends.terminal import CannotWork, write
from loopsafe.harmless import printable
from loopsafe.project.config import ConfigError
from loopsafe.project.roots import roots_of


def clean_caches(paths: Sequence[str]) -> int:
    """Delete the caches of the projects that hold the paths, say so, and return the exit code.

    Raises:
        CannotWork: a project's configuration cannot be read.
    """
    try:
        roots = [str(root) for root in roots_of(paths or (".",))]
    except ConfigError as error:
        raise CannotWork(str(error)) from error
    write(
        printable(f"Removed {folder}" if gone else f"Removed loopsafe's files from {folder}, where there are others")
        for folder, gone in filter(None, map(clean, roots))
    )
    return 0
