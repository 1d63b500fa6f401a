"""A project as read, with what is installed beside it and the packs that speak of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from loopsafe.findings import Problem
from loopsafe.knowledge.declared import declared_pack
from loopsafe.knowledge.load import (
    KnowledgeError,
    built_in_packs,
    calling_back,
    described,
    installed_packs,
    load_packs,
)
from loopsafe.knowledge.schema import Pack
from loopsafe.program.index import last_name
from loopsafe.program.modules import Module, Modules
from loopsafe.progress import Progress
from loopsafe.project.config import Config, ConfigError
from loopsafe.project.environment import Environment, environment_of
from loopsafe.project.files import SourceFile
from loopsafe.project.installed import installed_files
from loopsafe.project.noqa import NoqaLines
from loopsafe.project.roots import Project
from loopsafe.reading.dependencies import Dependencies
from loopsafe.reading.reader import Read, Reader
from loopsafe.reading.signatures import Signatures


@dataclass(frozen=True)
class Sources:
    """A project as read. `by_path` has its files by path from the root.

    `barred` are those that are not read, `installed` the shown paths of those that were installed beside it, `searched`
    the paths of those installed that were looked into and not read, `missing` what is installed somewhere else,
    `declared` what the types of libraries say that packs describe. If `lone`, there are but scripts.
    """

    config: Config
    by_path: Mapping[str, Read]
    modules: Modules
    problems: tuple[Problem, ...]
    barred: tuple[SourceFile, ...]
    installed: frozenset[str]
    searched: tuple[str, ...] = ()
    lone: bool = False
    missing: tuple[str, ...] = ()
    declared: Pack | None = None

    def says_the_same(self, other: Sources) -> bool:
        """Whether nothing can be said of one that could not be said of the other: facts are those of the texts."""
        told = [
            (one.config, one.problems, one.barred, one.installed, one.lone, one.missing, one.declared)
            for one in (self, other)
        ]
        texts = [{path: (r.file, r.text, r.cells) for path, r in one.by_path.items()} for one in (self, other)]
        return told[0] == told[1] and texts[0] == texts[1]

    @cached_property
    def noqa(self) -> dict[str, NoqaLines]:
        """The `# noqa` comments of each file, by shown path."""
        return {read.file.shown: NoqaLines(read.text) for read in self.by_path.values()}


def read_project(
    project: Project,
    texts: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    reader: Reader | None = None,
) -> Sources:
    """Read a project, and what is installed beside it. `texts` stand in for files, by real path.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    config, reader, texts = project.config, reader or Reader(), texts or {}
    barred, files = [f for f in project.files if f.barred], [f for f in project.files if not f.barred]
    texts = {**texts, **{file.path: texts[file.target] for file in files if file.target in texts}}
    found, problems = reader.read_all(files, texts, progress, config.max_file_size)
    if project.lone:
        found += _beside(found, config, texts, reader)
    installed: list[Read] = []
    searched: list[str] = []
    missing: tuple[str, ...] = ()
    declared: Pack | None = None
    environment, modules = environment_of(config), linked(found, config)
    if environment is not None:
        own = {read.file.path for read in found}
        dependencies = dependencies_of(modules, config, environment)
        installed = [r for r in dependencies.read(found, reader, config.max_file_size) if r.file.path not in own]
        signatures = Signatures(environment.folders, reader, config.max_file_size)
        packs = (*built_in_packs(modules.imported), *_own_packs(config))
        declared = declared_pack(packs, modules.imported, _called(modules), signatures)
        searched, missing = [*dependencies.searched, *signatures.read], dependencies.missing if environment.own else ()
    reader.known.save()
    by_path = {module_path(r.file, config): r for r in (*found, *installed)}
    if installed:
        libraries = {path: r.file.library for path, r in by_path.items() if r.file.library}
        modules = Modules(((path, r.facts) for path, r in by_path.items()), libraries)
    graded = tuple(replace(problem, level=config.unreadable) for problem in problems)
    shown_paths = frozenset(r.file.shown for r in installed)
    asked = (tuple(searched), project.lone, missing, declared)
    return Sources(config, by_path, modules, graded, tuple(barred), shown_paths, *asked)


def _beside(scripts: Sequence[Read], config: Config, texts: Mapping[str, str], reader: Reader) -> list[Read]:
    """What scripts outside of any project import from their folder, and what that imports; their own packages whole."""
    own = {module_path(read.file, config).partition("/") for read in scripts}
    # A script that a link led to may lie elsewhere.
    names, found = {folder for folder, slash, _ in own if slash and folder != ".."}, [*scripts]
    while True:
        known = {read.file.path for read in found}
        modules = linked(found, config)
        names |= {name.partition(".")[0] for name in modules.imported}
        more = [file for file in installed_files([config.root], names) if file.path not in known]
        read = reader.read_all(more, texts, largest=config.max_file_size)[0]
        if not read:
            return found[len(scripts) :]
        found += read


def linked(read: Iterable[Read], config: Config) -> Modules:
    """The modules that files make up together."""
    return Modules({module_path(r.file, config): r.facts for r in read}.items())


def dependencies_of(modules: Modules, config: Config, environment: Environment) -> Dependencies:
    """What the project is to read of installed packages that no pack describes."""
    own = {module.name.partition(".")[0] for module in modules.all}
    for folder in environment.folders:
        if not os.path.isdir(folder):
            place = config.place("site-packages")
            raise ConfigError(f"{place}: `site-packages`: no such folder: {folder}")
    packs = _own_packs(config)
    return Dependencies(environment.folders, described(packs), calling_back(packs), own)


def _called(modules: Modules) -> set[str]:
    """The names of what a project calls or imports."""
    calls = (call for module in modules.all for scope in module.facts.scopes for call in scope.calls)
    return {last_name(call.func) for call in calls} | {name.rpartition(".")[2] for name in modules.imported}


def packs_of(sources: Sources) -> tuple[Pack, ...]:
    """What declared types say, the packs that come with loopsafe and may apply, and those that do not come with it.

    Of two rows of one name the later counts.
    """
    declared = (sources.declared,) if sources.declared else ()
    return (*declared, *built_in_packs(sources.modules.imported), *_own_packs(sources.config))


def _own_packs(config: Config) -> tuple[Pack, ...]:
    """The packs of installed distributions, and the user's own."""
    try:
        return (*installed_packs(), *load_packs(config.root / path for path in config.knowledge))
    except KnowledgeError as error:
        raise ConfigError(str(error)) from error


def module_path(file: SourceFile, config: Config) -> str:
    """The path of a file from the root, by which modules are known."""
    return Path(os.path.relpath(file.path, config.root)).as_posix()


def modules_by_shown_path(sources: Sources) -> dict[str, Module]:
    """The modules of a project by the paths that are printed."""
    # Where links share their target's path, it stands for them.
    read = sorted(sources.modules.all, key=lambda module: not sources.by_path[module.path].file.target)
    return {sources.by_path[module.path].file.shown: module for module in read}
