"""Packages installed beside the project: the files of those that it imports."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from loopsafe.files import SourceFile, in_order, shown


def installed_files(folders: Iterable[Path], names: Iterable[str]) -> list[SourceFile]:
    """The Python files of the top-level packages and modules `names` in these folders, in order; none is wanted.

    The first folder that has a name counts, as on Python's own path. The standard library is left out.

    Raises:
        FileNotFoundError: a folder does not exist.
    """
    places = [os.path.realpath(folder, strict=True) for folder in folders]
    here = os.getcwd()
    outside = sorted(name for name in set(names) if name not in sys.stdlib_module_names)
    return [SourceFile(path, shown(path, here), False) for name in outside for path in _files_of(name, places)]


def _files_of(name: str, places: Iterable[str]) -> Iterator[str]:
    for place in map(Path, places):
        if (place / name).is_dir():
            yield from sorted(map(str, (place / name).rglob("*.py")), key=in_order)
            return
        if (place / f"{name}.py").is_file():
            yield str(place / f"{name}.py")
            return
