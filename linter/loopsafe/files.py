"""Which files an analysis reads, and which of them it reports on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loopsafe.config import Config


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file by its real path, the path shown to users, and whether findings in it are wanted."""

    path: Path
    shown: str
    wanted: bool


def gather(paths: Sequence[str | Path], config: Config) -> tuple[SourceFile, ...]:
    """The files at and below `paths`, wanted, and the rest of the project, not wanted; in order of path.

    A file named in `paths` is taken whatever its suffix and whatever is excluded.

    Raises:
        FileNotFoundError: a path does not exist.
    """
    wanted: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir():
            wanted.update(dict.fromkeys(_python_files(Path(os.path.realpath(path)), config)))
        elif path.exists():
            wanted[Path(os.path.realpath(path))] = None
        else:
            raise FileNotFoundError(path)
    files = dict.fromkeys(_python_files(config.root, config)) | wanted
    here = Path.cwd()
    return tuple(SourceFile(file, shown(file, here), file in wanted) for file in sorted(files))


def shown(path: Path, here: Path) -> str:
    """A path as users see it: relative to the working directory where it lies below it, with `/`."""
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()


def _python_files(folder: Path, config: Config) -> Iterator[Path]:
    # Links to folders are not followed: they can form loops, and what they lead to is another project's business.
    for parent, folders, names in os.walk(folder):
        at = Path(parent)
        folders[:] = sorted(name for name in folders if not config.excludes(at / name))
        for name in sorted(names):
            if name.endswith(".py") and not config.excludes(at / name):
                yield at / name
