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
from loopsafe.findings import Report
from loopsafe.project.config import Config, ConfigError
from loopsafe.project.files import gather

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
    """What pipeline.analyze() reports. Of several processes that want the same, one works it out and others wait.

    `tell` hears for whom, if that takes long.

    Raises:
        ConfigError: the configuration cannot be used.
        FileNotFoundError: a path does not exist.
    """
    # Which installed packages there are to read is known only when the project has been read.
    with contextlib.nullcontext() if config.site_packages else open_store(str(config.root)) as store:
        if store is not None:
            return _Run(store, paths, config, noqa).report(progress, tell)

    from loopsafe.pipeline import analyze as analyze_anew

    return analyze_anew(paths, config, noqa=noqa, progress=progress)


class _Run:
    """One look for a report in a store."""

    def __init__(self, store: Store, paths: Sequence[str | Path], config: Config, noqa: bool) -> None:
        self._store, self._paths, self._config, self._noqa = store, paths, config, noqa
        self._digests = Digests(store)

    def report(self, progress: Progress | None, tell: Tell | None) -> Report:
        """The report, found or worked out."""
        name = self._name()
        found = results.load(self._store, name)
        if found is None:
            from loopsafe.cache.locks import alone

            with alone(self._store, name, tell):
                found = results.load(self._store, name) or self._work_out(name, progress)
            self._digests.save()
            tidy(str(self._config.root))
        else:
            self._digests.save()
        return found

    def _work_out(self, name: str, progress: Progress | None) -> Report:
        from loopsafe.pipeline import analyze as analyze_anew
        from loopsafe.reading.kept import Kept
        from loopsafe.reading.reader import Reader

        reader = Reader(self._digests.read, Kept(self._store, results.facts_key()))
        report = analyze_anew(self._paths, self._config, noqa=self._noqa, progress=progress, reader=reader)
        # Somebody may have edited a file meanwhile; then this is the report on another state of the project.
        if self._name() == name:
            results.save(self._store, name, report)
        return report

    def _name(self) -> str:
        own = [os.path.join(self._config.root, path) for path in self._config.knowledge]
        files = gather(self._paths, self._config)
        return results.key(files, [*own, *_installed_packs(self._store)], self._digests, self._config, self._noqa)


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
