"""Which files an analysis reads, and which of them it reports on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loopsafe.config import Config, Exclusion


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file by its real path, the path shown to users, and whether findings in it are wanted."""

    path: str
    shown: str
    wanted: bool


def gather(paths: Sequence[str | Path], config: Config) -> tuple[SourceFile, ...]:
    """The files at and below `paths`, wanted, and the rest of the project, not wanted; in order of path.

    A file named in `paths` is taken whatever its suffix and whatever is excluded.

    Raises:
        FileNotFoundError: a path does not exist.
    """
    root = os.path.realpath(config.root)
    exclusion = Exclusion(root, config.patterns)
    # Strings, not Path objects: a project has thousands, and this is half of what a run costs where nothing changed.
    files = dict.fromkeys(_python_files(root, exclusion), False)
    for path in paths:
        real = os.path.realpath(path)
        if os.path.isdir(real):
            files.update(dict.fromkeys(list(files) if real == root else _python_files(real, exclusion), True))
        elif os.path.exists(real):
            files[real] = True
        else:
            raise FileNotFoundError(path)
    here = os.getcwd()
    return tuple(SourceFile(file, shown(file, here), files[file]) for file in sorted(files, key=in_order))


def in_order(path: str) -> list[str]:
    """The key that sorts paths folder by folder."""
    return path.split(os.sep)


def shown(path: str, here: str) -> str:
    """A path as users see it: relative to the working directory where it lies below it, with `/`."""
    below = path.removeprefix(os.path.join(here, ""))
    return below if os.sep == "/" else below.replace(os.sep, "/")


def _python_files(folder: str, exclusion: Exclusion) -> Iterator[str]:
    return below(folder, exclusion) if exclusion.admits(folder) else iter(())


def below(folder: str, exclusion: Exclusion | None = None) -> Iterator[str]:
    """The Python files in a folder that are not excluded, and the folders that may not be looked into."""
    exclusion = exclusion or Exclusion(folder, ())
    # Not by calling itself: folders may nest deeper than calls.
    pending = [folder]
    while pending:
        current = pending.pop()
        try:
            with os.scandir(current) as entries:
                found = list(entries)
        except (FileNotFoundError, NotADirectoryError):
            continue  # it has vanished
        except OSError:
            yield current  # reading it as a file will say why it cannot be looked into
            continue
        for entry in found:
            name = entry.name
            if _is_folder(entry):
                # Links to folders are not followed: they can form loops, and what they lead to is others' business.
                if not exclusion.leaves_out(entry.path, name) and not entry.is_symlink():
                    pending.append(entry.path)
            elif name.endswith(".py") and not exclusion.leaves_out(entry.path, name):
                yield entry.path


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link to itself: reading it as a file will say so
