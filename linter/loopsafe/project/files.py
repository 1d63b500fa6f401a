"""Which files an analysis reads, and which of them it reports on."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from loopsafe.project.config import ROOT_NAMES, Config
from loopsafe.project.exclusion import Exclusion
from loopsafe.project.notebooks import SUFFIX as NOTEBOOK

SUFFIXES = (".py", NOTEBOOK)
"""What the names of files end with that are found in folders."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file by its path below the real path of a folder, the path shown to users, and whether findings are wanted.

    `target` is where `path` leads if it is a link; the target is what is shown. A file is `foreign` if it lies outside
    the project and a link that lies in the project led there. What is not the project's `own` (a project inside it, an
    installed package, then the name of its `library` is there) is read for what the project's own files do with it.
    """

    path: str
    shown: str
    wanted: bool
    target: str = ""
    foreign: bool = False
    own: bool = True
    library: str = ""

    @property
    def barred(self) -> bool:
        """Whether it is not to be read: nobody but the project has named it."""
        return self.foreign and bool(self.target)


def gather(
    paths: Iterable[str | Path],
    config: Config,
    texts: Collection[str] = (),
    marked: set[str] | None = None,
    *,
    rest: bool = True,
) -> tuple[SourceFile, ...]:
    """The files at and below `paths`, wanted, and the rest of the project, not wanted; in order of path.

    A file named in `paths` is taken whatever its suffix and, without `force_exclude`, whatever is excluded. A link that
    is found is one more name of its target. `texts` are real paths of files that need not exist. Folders that may be
    those of projects are put into `marked`. Without `rest`, there is only what was named.

    Raises:
        FileNotFoundError: a path does not exist.
    """
    root = os.path.realpath(config.root)
    exclusion = config.exclusion()
    # Strings, not Path objects: a project has thousands, and this is half of what a run costs where nothing changed.
    links: set[str] = set()
    files = dict.fromkeys(_python_files(root, exclusion, links, marked) if rest else (), False)
    foreign: set[str] = set()
    for path in paths:
        real = os.path.realpath(path)
        if os.path.isdir(real):
            whole = rest and real == root
            named = list(files) if whole else list(_python_files(real, exclusion, links, marked))
        elif real in texts or os.path.exists(real):
            named = [real] if not config.force_exclude or exclusion.admits(real) else []
        else:
            raise FileNotFoundError(path)
        files.update(dict.fromkeys(named, True))
        if leads_out(path, root):
            foreign.update(named)
    here = os.getcwd()
    linked = {link: _linked(link, files[link], root, here) for link in links}
    return tuple(
        linked.get(file) or SourceFile(file, shown(file, here), files[file], foreign=file in foreign)
        for file in sorted(files, key=in_order)
    )


def _linked(link: str, wanted: bool, root: str, here: str) -> SourceFile:
    target = os.path.realpath(link)
    foreign, exists = leads_out(link, root), os.path.exists(target)
    # What is said of a link that leads nowhere is said of the link.
    return SourceFile(link, shown(target if exists and not foreign else link, here), wanted, target, foreign)


def leads_out(path: str | Path, root: str) -> bool:
    """Whether a path that goes through a folder ends outside of it, by a link."""
    root = os.path.realpath(root)
    if within(os.path.realpath(path), root):
        return False
    return any(within(os.path.realpath(above), root) for above in Path(os.path.abspath(path)).parents)


def within(path: str, folder: str) -> bool:
    """Whether a path is that of a folder or of something below it; both are real ones."""
    return path == folder or path.startswith(os.path.join(folder, ""))


def in_order(path: str) -> list[str]:
    """The key that sorts paths folder by folder."""
    return path.split(os.sep)


def shown(path: str, here: str) -> str:
    """A path as users see it: relative to the working directory where it lies below it, with `/`."""
    below = path.removeprefix(os.path.join(here, ""))
    return below if os.sep == "/" else below.replace(os.sep, "/")


def _python_files(folder: str, exclusion: Exclusion, links: set[str], marked: set[str] | None) -> Iterator[str]:
    return below(folder, exclusion, links, marked) if exclusion.admits(folder) else iter(())


_TESTS = frozenset({"test", "tests", "testing", "conftest.py", "examples", "_examples"})


def is_of_tests(path: str) -> bool:
    """Whether a path leads to tests, or to examples: what a library does there it does nowhere else."""
    return not _TESTS.isdisjoint(Path(path).parts)


def below(
    folder: str,
    exclusion: Exclusion | None = None,
    links: set[str] | None = None,
    marked: set[str] | None = None,
) -> Iterator[str]:
    """The Python files and notebooks in a folder that are not excluded, and the folders that may not be looked into.

    Those that are links are also put into `links`, folders that may be those of projects into `marked`.
    """
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
            if marked is not None and name in ROOT_NAMES:
                marked.add(current)
            if _is_folder(entry):
                # Links to folders are not followed: they can form loops, and what they lead to is others' business.
                if not exclusion.leaves_out(entry.path, name, folder=True) and not entry.is_symlink():
                    pending.append(entry.path)
            elif name.endswith(SUFFIXES) and not exclusion.leaves_out(entry.path, name):
                if links is not None and entry.is_symlink():
                    links.add(entry.path)
                yield entry.path


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link to itself: reading it as a file will say so
