"""Packages installed beside the project: the files of those that it imports."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from loopsafe.project.files import SourceFile, below, in_order, shown
from loopsafe.project.notebooks import is_notebook


def installed_files(folders: Iterable[Path], names: Iterable[str]) -> list[SourceFile]:
    """The Python files of the top-level packages and modules `names` in these folders, in order; none is wanted.

    The first folder that has a name counts, as on Python's own path. The standard library is left out, and so is what
    lies elsewhere, where a link leads.

    Raises:
        FileNotFoundError: a folder does not exist.
        NotADirectoryError: it is none.
    """
    places = [os.path.realpath(folder, strict=True) for folder in folders]
    for place in places:
        os.scandir(place).close()
    here = os.getcwd()
    outside = sorted(name for name in set(names) if name not in sys.stdlib_module_names)
    return [
        SourceFile(path, shown(path, here), False, own=False) for name in outside for path in _files_of(name, places)
    ]


def _files_of(name: str, places: Iterable[str]) -> Iterator[str]:
    for place in places:
        package, module = os.path.join(place, name), os.path.join(place, f"{name}.py")
        if os.path.isdir(package):
            if not os.path.islink(package):
                found = (path for path in below(package) if not is_notebook(path) and not os.path.islink(path))
                yield from sorted(found, key=in_order)
            return
        if os.path.isfile(module):
            if not os.path.islink(module):
                yield module
            return
