"""What one run is about: the paths, their projects, and the text that stands in for files."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from loopsafe import cached
from loopsafe.findings import Problem, Report
from loopsafe.frontends.narrowing import narrowed_each
from loopsafe.frontends.options import Selection
from loopsafe.frontends.progress import ProgressBar, progress
from loopsafe.frontends.settings import settle, unmatched_excludes
from loopsafe.frontends.terminal import CannotWork, complain
from loopsafe.frontends.verbose import about
from loopsafe.project.config import Config, ConfigError
from loopsafe.project.environment import where_are
from loopsafe.project.roots import Project, find_projects, roots_of
from loopsafe.project.sources import decode, too_large
from loopsafe.stopwatch import Stopwatch

if TYPE_CHECKING:
    from loopsafe.reading.reader import Memory

CLEAN, FINDINGS, FAILED = range(3)


@dataclass(frozen=True, slots=True)
class Work:
    """Paths to report on and how. `problems` are those of a text that cannot be worked on at all.

    `fresh` says why what is known from the last run is worked out again; it is empty where it need not be. With
    `watch`, time is taken; if `verbose`, it is said what is read. `content` is what came in from standard input.
    `memory` keeps what was read, for a command that analyses several times.
    """

    paths: tuple[str, ...]
    selection: Selection
    overlay: Mapping[Path, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    fresh: str = "this command looks at files as they are now"
    verbose: bool = False
    watch: Stopwatch | None = None
    content: bytes = b""
    memory: Memory | None = None

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders of the projects that hold the paths.

        Raises:
            CannotWork: a configuration cannot be read.
        """
        with _told():
            return roots_of(self.paths, isolated=self.selection.unsearched)

    def projects(self, texts: Collection[Path] = ()) -> tuple[Project, ...]:
        """The projects that there is work in, each with its own configuration.

        Raises:
            CannotWork: a configuration or an option cannot be used.
        """
        with _told():
            named = frozenset(map(str, texts))
            return find_projects(self._there(texts), self._load, named, isolated=self.selection.unsearched)

    def analyse(self, overlay: Mapping[Path, str] | None = None, quiet: bool = False) -> Report:
        """Run the analysis, where `overlay` adds to the text that stands in for files.

        Raises:
            CannotWork: the configuration cannot be used.
        """
        texts = {**self.overlay, **(overlay or {})}
        problems = (*self.problems, *nothing_at(self.paths, texts))
        projects = self.projects(texts)
        with _told(), progress(quiet) as show:
            tell = None if quiet else complain
            # What is looked at again, with changes, is the same.
            verbose = self.verbose and overlay is None
            report = narrowed_each(projects, lambda one: self._report(one, texts, show, tell, verbose), texts)
        return replace(report, problems=(*problems, *report.problems))

    def _there(self, texts: Collection[Path]) -> list[str]:
        """The paths but those at which there is nothing.

        Looked at each time: what was there before a file was fixed may have vanished since.
        """
        missing = {problem.path for problem in nothing_at(self.paths, texts)}
        return [path for path in self.paths if path not in missing]

    def _load(self, start: Path) -> Config:
        try:
            return settle(start, self.selection)
        except CannotWork as error:
            raise ConfigError(error.message) from error

    def _report(
        self,
        projects: Sequence[Project],
        texts: Mapping[Path, str],
        show: ProgressBar | None,
        tell: cached.Tell | None,
        verbose: bool,
    ) -> Report:
        note = _say_of_cache if verbose else None
        if verbose:
            complain(*(line for project in projects for line in about(project, self.selection)))
        fresh = self.fresh or ("text stands in for a file" if texts else "")
        if not fresh:
            return cached.report(projects, progress=show, tell=tell, note=note)
        if note:
            note(f"none: {fresh}")

        # The analysis takes longer to load than a run takes that has its result from the cache.
        from loopsafe.pipeline import report
        from loopsafe.reading.reader import Reader

        # What other processes do would not be in the account.
        reader = Reader(helpers=False, watch=self.watch) if self.watch else Reader(memory=self.memory)
        return report(projects, overlay=texts, progress=show, reader=reader)


def _say_of_cache(text: str) -> None:
    complain(f"  cache: {text}")


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except ConfigError as error:
        raise CannotWork(str(error)) from error


def work_on_paths(paths: Sequence[str], selection: Selection) -> Work:
    """The work on files and folders, by default on the working directory.

    Raises:
        CannotWork: an option, or the configuration for a path, cannot be used.
    """
    work = Work(tuple(paths) or (".",), selection)
    # Also where there is nothing at any of the paths.
    for root in work.roots:
        settle(root, selection)
    return work


def nothing_at(paths: Iterable[str], texts: Collection[Path]) -> tuple[Problem, ...]:
    """The paths at which there is nothing, neither on disk nor among the texts, and why."""
    problems = []
    for path in paths:
        if Path(os.path.realpath(path)) not in texts:
            # Not os.path.exists, which does not say why: missing, no permission, a link to itself.
            try:
                os.stat(path)
            except OSError as error:
                problems.append(Problem(path, 0, 0, f"{error.strerror or error}"))
    return tuple(dict.fromkeys(problems))


def work_on_stdin(name: str, selection: Selection) -> Work:
    """The work on standard input, taken as the text of the file `name` in its project.

    Raises:
        CannotWork: the configuration or an option cannot be used.
    """
    file = Path(name)
    config = settle(file, selection)
    if config.force_exclude and config.excludes(Path(os.path.realpath(file))):
        return Work((), selection)
    content = b""
    try:
        content = _read_stdin(config.max_file_size)
        text = decode(content).text
    except (OSError, SyntaxError) as error:
        told = error.msg if isinstance(error, SyntaxError) else f"cannot be read: {error.strerror or error}"
        return Work((), selection, problems=(Problem(name, 0, 0, told),), content=content)
    return Work((name,), selection, {Path(os.path.realpath(file)): text}, content=content)


def _read_stdin(largest: int) -> bytes:
    if sys.stdin is None:
        raise OSError(errno.EBADF, "standard input is closed")
    content = sys.stdin.buffer.read(largest + 1)
    if len(content) > largest:
        raise OSError(errno.EFBIG, too_large(largest))
    return content


def tell_problems(work: Work, report: Report, quiet: bool, told: bool = False, people: bool = True) -> None:
    """Say on standard error what could not be analysed, where the output has not `told`, and where nothing was.

    `people` read the output: they are told what they could do to have more found.
    """
    if not told:
        complain(*report.problems)
    complain(*(f"{warning.place}: warning: {warning.message}" for warning in report.warnings))
    if not quiet:
        for root in work.roots if work.paths else ():
            complain(*unmatched_excludes(settle(root, work.selection)))
        if report.missing and people:
            complain(where_are(report.missing))
    if work.paths and not report.files and not report.problems and not quiet:
        complain(f"warning: no Python files found under {', '.join(f'`{path}`' for path in work.paths)}")
