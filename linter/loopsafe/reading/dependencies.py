"""What a project reaches, module by module, of the packages it imports: of those that may call it on a thread."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from loopsafe.facts.imports import absolute_name, imports_in, prefixes
from loopsafe.facts.schema import FileFacts
from loopsafe.project.files import SourceFile, below, is_of_tests, shown
from loopsafe.project.notebooks import is_notebook
from loopsafe.project.sources import LARGEST, read_bytes
from loopsafe.reading.reader import Look, Looks, Read, Reader

_MOST_FILES = 3_000
# A library may call back through the one it is built on, and that is built on more.
_MOST_STEPS = 2
# Python's own ways to a thread. What has none of them in its text calls nobody back on a thread of its own.
_STARTS = re.compile(
    rb"(?:Thread|Timer)[(),:\r\n]|\bthreading(?:\.| import .*)(?:Thread|Timer)\b|\bThreading[A-Z]\w+"
    rb"|\bstart_new_thread\b|Executor\b|\b(?:Thread)?Pool\(|\bQueueListener\b|\brun_in_executor\b|\bto_thread\b"
)
_IMPORTED = re.compile(rb"(?m)^[ \t]*(?:from|import)[ \t]+([A-Za-z_]\w*)")


_DESCRIBED, _ABSENT = "a pack describes it", "no Python file of it is installed"


class _Wish(NamedTuple):
    """A dotted name that is imported, how many packages away from the project, and by which package."""

    name: str
    step: int
    package: str


class _Found(NamedTuple):
    """The files that lead to a module, each with its dotted name, and the file or folder of the package they are in."""

    files: tuple[tuple[str, str], ...]
    package: str


class Dependencies:
    """Reads installed packages from folders, as far as they are reached.

    Not those that `described`, dotted names, are of or in, nor the top-level names in `own`. Of the described, those in
    `threaded` call back on threads.
    """

    def __init__(
        self, folders: Sequence[str], described: Collection[str], threaded: Collection[str], own: Collection[str]
    ) -> None:
        self._folders, self._described, self._own = folders, frozenset(described), frozenset(own)
        self._threaded = frozenset(threaded)
        self._matter: dict[str, bool] = {}
        self._looks: Looks = {}
        self.searched: list[str] = []
        """The files that were looked into and not read."""
        self.told: dict[str, str] = {}
        """Of each library that was asked for, why it is not read; empty where it is."""

    @property
    def missing(self) -> tuple[str, ...]:
        """What was asked for and is not there, if that is most of it: then this is not where the project's own are."""
        absent = tuple(sorted(name for name, why in self.told.items() if why == _ABSENT))
        there = sum(why not in (_ABSENT, _DESCRIBED) for why in self.told.values())
        return absent if len(absent) > there else ()

    def read(self, project: Iterable[Read], reader: Reader, largest: int) -> list[Read]:
        """The modules that files of the project reach, and those that these reach, in any order."""
        here = os.getcwd()
        self._looks = self._looks if reader.looks is None else reader.looks
        pending = [_Wish(name, 0, "") for read in project for name in _imports(read.facts, "")]
        homes: dict[str, str] = {}
        built_on: dict[str, set[str]] = {}
        seen: set[str] = set()
        found: list[tuple[str, Read]] = []
        while pending and len(seen) < _MOST_FILES:
            fresh: dict[str, tuple[str, int, str]] = {}
            for wish in sorted(set(pending)):
                built_on.setdefault(wish.package, set()).add(wish.name)
                if wish.name not in homes and not self._is_own(wish.name):
                    files, package = self._find(wish.name)
                    homes[wish.name] = package
                    step = wish.step if package == wish.package else wish.step + 1
                    if step <= _MOST_STEPS and self._tell(wish, package):
                        fresh.update((file, (name, step, package)) for file, name in files if file not in seen)
            fresh = dict(list(fresh.items())[: _MOST_FILES - len(seen)])
            seen.update(fresh)
            listed = [
                SourceFile(file, shown(file, here), False, own=False, library=name.partition(".")[0])
                for file, (name, _, _) in sorted(fresh.items())
            ]
            pending = []
            for read in reader.read_all(listed, {}, largest=largest)[0]:
                name, step, package = fresh[read.file.path]
                found.append((package, read))
                is_package = os.path.basename(read.file.path) == "__init__.py"
                around = name if is_package else name.rpartition(".")[0]
                pending += [_Wish(each, step, package) for each in _imports(read.facts, around)]
        return self._kept(found, homes, built_on)

    def _kept(
        self, found: Sequence[tuple[str, Read]], homes: Mapping[str, str], built_on: Mapping[str, set[str]]
    ) -> list[Read]:
        """The modules of packages of which what is reached calls back; the others have been searched."""
        on = {package: {homes.get(name) for name in names} for package, names in built_on.items() if package}
        kept = {package for package, read in found if _STARTS.search(read.text.encode("utf-8", "replace"))}
        kept |= {p for p in on if any(not self._threaded.isdisjoint(prefixes(name)) for name in built_on[p])}
        while more := {package for package in on if package not in kept and not kept.isdisjoint(on[package])}:
            kept |= more
        for package, read in found:
            if package not in kept:
                self.searched.append(read.file.path)
                self.told[read.file.library] = "nothing of it that is reached starts a thread"
        return [read for package, read in found if package in kept]

    def _is_own(self, name: str) -> bool:
        top = name.partition(".")[0]
        return top in self._own or top in sys.stdlib_module_names

    def _tell(self, wish: _Wish, package: str) -> bool:
        """Whether to read what is wished for out of a package."""
        top, why = wish.name.partition(".")[0], ""
        if not package and wish.package:
            return False
        if not self._described.isdisjoint(prefixes(wish.name)):
            why = _DESCRIBED
        elif not package:
            why = _ABSENT
        elif not self._matters(package):
            why = "nothing in it starts a thread"
        if self.told.get(top) != "":
            self.told[top] = why
        return not why

    def _find(self, dotted: str) -> _Found:
        """The first folder that has a name counts, as on Python's own path; links are not followed."""
        for folder in self._folders:
            found = _in_folder(folder, dotted)
            if found.files:
                return found
        return _Found((), "")

    def _matters(self, package: str) -> bool:
        """Whether a package starts threads, or is built on what does: on one that does, or that a pack describes so.

        What its tests do is left out.
        """
        known = self._matter.get(package)
        if known is None:
            self._matter[package] = False
            files = [package] if package.endswith(".py") else list(below(package))
            files = [file for file in files if not is_of_tests(os.path.relpath(file, package))]
            imported: set[str] = set()
            known = any(self._starts_threads(file, imported) for file in files) or any(map(self._calls_back, imported))
            self._matter[package] = known
            self.searched += [] if known else files
        return known

    def _starts_threads(self, file: str, imported: set[str]) -> bool:
        """Whether a file starts threads; what it imports is added to `imported`."""
        if is_notebook(file) or os.path.islink(file):
            return False
        try:
            state = os.stat(file)
        except OSError:
            return False
        key = (file, state.st_mtime_ns, state.st_size)
        if key not in self._looks:
            self._looks[key] = _look(file)
        starts, names = self._looks[key]
        imported.update(names)
        return starts

    def _calls_back(self, name: str) -> bool:
        if name in self._threaded:
            return True
        if self._is_own(name) or name in self._described:
            return False
        package = self._find(name).package
        return bool(package) and self._matters(package)


def _look(file: str) -> Look:
    """Whether a file starts threads, and what it imports."""
    try:
        text = read_bytes(file, LARGEST)
    except OSError:
        return False, frozenset()
    return _STARTS.search(text) is not None, frozenset(name.decode() for name in _IMPORTED.findall(text))


def _in_folder(folder: str, dotted: str) -> _Found:
    """The files of the packages on the way to a module, and its own. What follows a module is a name in it."""
    files: list[tuple[str, str]] = []
    package, at, name = "", folder, ""
    for part in dotted.split("."):
        at, name = os.path.join(at, part), f"{name}.{part}".lstrip(".")
        start, module = os.path.join(at, "__init__.py"), f"{at}.py"
        if os.path.islink(at):
            break
        if os.path.isfile(start):
            package = package or at
            files.append((start, name))
        elif os.path.isfile(module) and not os.path.islink(module):
            package = package or module
            files.append((module, name))
            break
        elif not os.path.isdir(at):
            break
    return _Found(tuple(files), package)


def _imports(facts: FileFacts, package: str) -> Iterator[str]:
    """The dotted names that a file of a package imports, as modules or out of them; relative ones only in a package."""
    for imported in imports_in(facts):
        if package or not imported.level:
            base = absolute_name(imported, package)
            yield f"{base}.{imported.name}" if imported.name else base
