"""The projects of a run: each path belongs to one, and each has its own configuration and files."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from loopsafe.findings import Problem
from loopsafe.project.config import ROOT_NAMES, Config, ConfigError, marked_root
from loopsafe.project.files import SourceFile, gather, leads_out, shown, within

Load = Callable[[Path], Config]
"""Reads the configuration that holds for a path."""


@dataclass(frozen=True, slots=True)
class Project:
    """One project: `paths` are what was named of it, sorted, and `files` what is read.

    `inside` are the configurations of further projects in its folder. A `lone` one has no mark: there only scripts were
    named, and they and what they import are read. `remarks` say what is wrong with projects inside it.
    """

    config: Config
    paths: tuple[str, ...]
    files: tuple[SourceFile, ...]
    inside: tuple[Config, ...] = ()
    lone: bool = False
    remarks: tuple[Problem, ...] = ()

    def anew(self) -> Project:
        """The same with the files that there are now."""
        return replace(self, files=_files(self, (), set()))


def one_project(paths: Iterable[str | Path], config: Config, texts: Collection[str] = ()) -> Project:
    """Everything that was named, and the whole folder of this configuration, as one project.

    Raises:
        FileNotFoundError: a path does not exist.
    """
    named = tuple(sorted({*map(str, paths), *texts}))
    return Project(config, named, gather(named, config, texts))


def find_projects(
    paths: Iterable[str | Path], load: Load, texts: Collection[str] = (), *, isolated: bool = False
) -> tuple[Project, ...]:
    """The projects that hold the paths, and those in folders among them; in order of their folders.

    `texts` are real paths of files that are named, too, and need not exist. If `isolated`, configurations make no
    projects, only marks do.

    Raises:
        ConfigError: a configuration cannot be used, or not be read.
        FileNotFoundError: a path does not exist.
    """
    reals = {os.path.realpath(path) for path in paths}
    roots = _Roots(isolated)
    pending = _by_root(sorted({*map(str, paths), *(text for text in texts if text not in reals)}), roots)
    found: list[Project] = []
    while pending:
        # A folder comes before what is in it.
        root, lone = min(pending)
        named = tuple(sorted(set(pending.pop((root, lone)))))
        project = _filled(Project(load(Path(root)), named, (), lone=lone), load, texts, roots)
        folders = [real for real in map(os.path.realpath, project.paths) if os.path.isdir(real)]
        for inside in (str(config.root) for config in project.inside):
            if any(within(inside, folder) for folder in folders):
                pending.setdefault((inside, False), []).append(inside)
        found.append(project)
    return tuple(found)


def roots_of(paths: Iterable[str | Path], *, isolated: bool = False) -> tuple[Path, ...]:
    """The folders of the projects that hold the paths, which need not exist; if `isolated`, those with a mark.

    Raises:
        ConfigError: a configuration cannot be read.
    """
    grouped = _by_root(sorted(map(str, paths)), _Roots(isolated))
    return tuple(dict.fromkeys(Path(root) for root, _ in sorted(grouped)))


def _by_root(paths: Sequence[str], roots: _Roots) -> dict[tuple[str, bool], list[str]]:
    """Paths by their project's folder, and whether they are but scripts in it."""
    folders = [path for path in map(os.path.realpath, paths) if os.path.isdir(path) and not roots.of(path)]
    grouped: dict[tuple[str, bool], list[str]] = {}
    for path in paths:
        root, lone = _linked_from(path, roots) or roots.of(_folder(path)), False
        if not root:
            # Without any mark, a folder that was named is the project of all in it.
            around = [folder for folder in folders if within(os.path.realpath(path), folder)]
            lone = not around
            root = min(around) if around else _above_packages(_folder(path))
        grouped.setdefault((root, lone), []).append(path)
    return grouped


def _linked_from(path: str, roots: _Roots) -> str:
    """The project in which a link stands that leads this path out of it, to where no other begins; else empty."""
    root = roots.of(os.path.abspath(path if os.path.isdir(path) else os.path.dirname(path)))
    return root if root == os.path.realpath(root) and leads_out(path, root) else ""


def _folder(path: str) -> str:
    return os.path.realpath(path if os.path.isdir(path) else os.path.dirname(path))


class _Roots:
    """What marked_root() says of many folders, most of which have nothing in them that a root may have."""

    def __init__(self, isolated: bool) -> None:
        self._isolated = isolated
        self._known: dict[str, str] = {}

    def of(self, folder: str) -> str:
        """The root of the project that holds a folder; empty where there is none upwards."""
        passed = []
        while folder not in self._known and not any(os.path.lexists(os.path.join(folder, n)) for n in ROOT_NAMES):
            passed.append(folder)
            if folder == os.path.dirname(folder):
                self._known[folder] = ""
            folder = os.path.dirname(folder)
        if folder not in self._known:
            self._known[folder] = str(marked_root(Path(os.path.realpath(folder)), isolated=self._isolated) or "")
        self._known.update(dict.fromkeys(passed, self._known[folder]))
        return self._known[folder]


def _above_packages(folder: str) -> str:
    """The folder that imports start from where scripts in this one are parts of a package."""
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder = os.path.dirname(folder)
    return folder


def _filled(project: Project, load: Load, texts: Collection[str], roots: _Roots) -> Project:
    marked: set[str] = set()
    files = _files(project, texts, marked)
    inside, remarks = _projects_inside(marked, str(project.config.root), load, roots)
    return replace(project, inside=inside, remarks=remarks, files=_owned(files, inside))


def _files(project: Project, texts: Collection[str], marked: set[str]) -> tuple[SourceFile, ...]:
    found = gather(project.paths, project.config, texts, marked, rest=not project.lone)
    return _owned(found, project.inside)


def _owned(files: tuple[SourceFile, ...], inside: Sequence[Config]) -> tuple[SourceFile, ...]:
    """Files with those of projects inside as others', which their own projects are asked for."""
    if not inside:
        return files
    folders = tuple(os.path.join(config.root, "") for config in inside)
    return tuple(replace(f, own=False, wanted=False) if f.path.startswith(folders) else f for f in files)


def _projects_inside(
    marked: Iterable[str], root: str, load: Load, roots: _Roots
) -> tuple[tuple[Config, ...], tuple[Problem, ...]]:
    """The projects in another's folder. One whose configuration cannot be used is part of that other."""
    inside, remarks, here = [], [], os.getcwd()
    for folder in sorted(marked):
        try:
            if folder != root and roots.of(folder) == folder:
                inside.append(load(Path(folder)))
        except ConfigError as error:
            told = f"is not a project of its own: {error}"
            remarks.append(Problem(shown(folder, here), 0, 0, told))
    return tuple(inside), tuple(remarks)
