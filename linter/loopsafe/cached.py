"""The analysis, from the cache where nothing that it depends on has changed.

The stages are loaded only where there is something to analyse: loading them takes longer than all else here.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from loopsafe.cache import results
from loopsafe.cache.digests import TICK, Digests
from loopsafe.cache.place import open_store, tidy
from loopsafe.cache.store import Store, decoded
from loopsafe.findings import Report, Whole
from loopsafe.progress import Progress
from loopsafe.project.choice import chosen, merged
from loopsafe.project.config import Config, ConfigError
from loopsafe.project.environment import environment_of
from loopsafe.project.roots import Project, one_project

Tell = Callable[[str], object]

_ENVIRONMENT = "environment"


class _Environment(NamedTuple):
    """The folders of Python's path as they were, and the knowledge files found there."""

    folders: list[tuple[str, int]]
    packs: list[str]


def analyze(
    paths: Sequence[str | Path],
    config: Config,
    *,
    noqa: bool = True,
    progress: Progress | None = None,
    tell: Tell | None = None,
) -> Report:
    """What pipeline.analyze() reports.

    Raises:
        ConfigError: the configuration cannot be used.
        FileNotFoundError: a path does not exist.
    """
    return report([one_project(paths, config)], noqa=noqa, progress=progress, tell=tell)


def report(
    projects: Sequence[Project],
    *,
    noqa: bool = True,
    progress: Progress | None = None,
    tell: Tell | None = None,
    note: Tell | None = None,
) -> Report:
    """What pipeline.report() reports. Of several processes that want the same, one works it out and others wait.

    What is kept is all that is found in a project, whatever was named of it. `tell` hears for whom, if that takes long;
    `note`, of each project, whether what is kept had the report, and why there is nothing to look in.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    listener = note or (lambda _: None)
    return merged([chosen(project, _whole(project, progress, tell, listener), noqa) for project in projects])


def _whole(project: Project, progress: Progress | None, tell: Tell | None, note: Tell) -> Whole:
    unknown = _unknown(project)
    if unknown:
        note(f"none: {unknown}")
    with contextlib.nullcontext() if unknown else open_store(str(project.config.root), note) as store:
        if store is not None:
            return _Run(store, project).whole(progress, tell, note)

    from loopsafe.pipeline import analyze_whole

    return analyze_whole(project, progress=progress)


def _unknown(project: Project) -> str:
    """Why it is not known what a report depends on before the project has been read; empty where it is."""
    return "which files are read depends on what the script imports" if project.lone else ""


class _Run:
    """One look for what was found in a project."""

    def __init__(self, store: Store, project: Project) -> None:
        self._store, self._project = store, project
        self._digests = Digests(store)

    def whole(self, progress: Progress | None, tell: Tell | None, note: Tell) -> Whole:
        """What was found, kept or worked out."""
        name = self._name(self._project)
        found = results.load(self._store, name, self._digests)
        note(f"{self._store.folder.path} {'had the report' if found else 'has no report on the files as they are'}")
        if found is None:
            from loopsafe.cache.locks import alone

            with alone(self._store, name, tell):
                found = results.load(self._store, name, self._digests) or self._work_out(name, progress)
            self._digests.save()
            tidy(str(self._project.config.root))
        else:
            self._digests.save()
        return found

    def _work_out(self, name: str, progress: Progress | None) -> Whole:
        from loopsafe.pipeline import analyze_whole
        from loopsafe.reading.kept import Kept
        from loopsafe.reading.reader import Reader

        reader = Reader(self._digests.read, Kept(self._store, results.facts_key()))
        whole = analyze_whole(self._project, progress=progress, reader=reader)
        # Somebody may have edited a file meanwhile; then this is the report on another state of the project.
        with contextlib.suppress(FileNotFoundError):
            if self._name(self._project.anew()) == name:
                results.save(self._store, name, whole, self._digests)
        return whole

    def _name(self, project: Project) -> str:
        config = project.config
        own = [os.path.join(config.root, path) for path in config.knowledge]
        packs = [*own, *_installed_packs(self._store)]
        return results.key(project.files, packs, self._digests, config, environment_of(config))


def _installed_packs(store: Store) -> list[str]:
    """The knowledge files of installed distributions. To look for them takes longer than all else in a warm run."""
    here = _environment()
    known = decoded(store.read(_ENVIRONMENT), _Environment)
    if known is not None and known.folders == here:
        return known.packs

    from loopsafe.knowledge.load import KnowledgeError, installed_pack_paths

    try:
        packs = [str(path) for path in installed_pack_paths()]
    except KnowledgeError as error:
        raise ConfigError(str(error)) from error
    if all(changed < time.time_ns() - TICK for _, changed in here):
        with contextlib.suppress(UnicodeEncodeError):
            store.write(_ENVIRONMENT, msgspec.msgpack.encode(_Environment(here, packs)))
    return packs


def _environment() -> list[tuple[str, int]]:
    """The folders of Python's path and when something was last put into or taken out of each."""
    found = []
    for folder in map(os.path.abspath, sys.path):
        with contextlib.suppress(OSError):
            found.append((folder, os.stat(folder).st_mtime_ns))
    return found
