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
from loopsafe.project.choice import chosen, merged
from loopsafe.project.config import Config, ConfigError
from loopsafe.project.roots import Project, one_project

Progress = Callable[[int, int], None]
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
    projects: Sequence[Project], *, noqa: bool = True, progress: Progress | None = None, tell: Tell | None = None
) -> Report:
    """What pipeline.report() reports. Of several processes that want the same, one works it out and others wait.

    What is kept is all that is found in a project, whatever was named of it. `tell` hears for whom, if that takes long.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    return merged([chosen(project, _whole(project, progress, tell), noqa) for project in projects])


def _whole(project: Project, progress: Progress | None, tell: Tell | None) -> Whole:
    config = project.config
    # What else there is to read is known only when the project has been read.
    unknown = bool(config.site_packages) or project.lone
    with contextlib.nullcontext() if unknown else open_store(str(config.root)) as store:
        if store is not None:
            return _Run(store, project).whole(progress, tell)

    from loopsafe.pipeline import analyze_whole

    return analyze_whole(project, progress=progress)


class _Run:
    """One look for what was found in a project."""

    def __init__(self, store: Store, project: Project) -> None:
        self._store, self._project = store, project
        self._digests = Digests(store)

    def whole(self, progress: Progress | None, tell: Tell | None) -> Whole:
        """What was found, kept or worked out."""
        name = self._name(self._project)
        found = results.load(self._store, name)
        if found is None:
            from loopsafe.cache.locks import alone

            with alone(self._store, name, tell):
                found = results.load(self._store, name) or self._work_out(name, progress)
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
                results.save(self._store, name, whole)
        return whole

    def _name(self, project: Project) -> str:
        config = project.config
        own = [os.path.join(config.root, path) for path in config.knowledge]
        packs = [*own, *_installed_packs(self._store)]
        return results.key(project.files, packs, self._digests, config)


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
