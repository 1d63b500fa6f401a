"""The flake8 plugin: for each file flake8 checks, the findings with that file on their path.

One analysis finds them for everything flake8 was given.

flake8 imports plugins, and asks them for options, on every run whatever is selected; so the analysis is loaded only
when findings are wanted.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shlex
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from loopsafe import __version__
from loopsafe.harmless import printable

if TYPE_CHECKING:
    import argparse
    import ast

    from flake8.options.manager import OptionManager  # type: ignore[import-untyped]

    from loopsafe.findings import Confidence, Finding, Problem, Report
    from loopsafe.locations import Location
    from loopsafe.project.config import Config
    from loopsafe.project.noqa import NoqaLines
    from loopsafe.project.roots import Project

    Told = tuple[Finding, Location]

# A code that no rule has: flake8 knows nothing else that could be said of a file.
_UNREAD = "LSF000"
_CONFIDENCES = ("certain", "likely")


class Plugin:
    """What flake8 instantiates for every file. `noqa`, `select` and syntax errors are flake8's own business."""

    name = "loopsafe"
    version = __version__
    _session: ClassVar[Session]

    def __init__(self, tree: ast.AST, filename: str, lines: Sequence[str]) -> None:
        self._filename = filename
        self._lines = lines

    @staticmethod
    def add_options(manager: OptionManager) -> None:
        """Add our option to flake8's command line and configuration file."""
        manager.add_option(
            "--loopsafe-min-confidence",
            metavar="|".join(_CONFIDENCES),
            parse_from_config=True,
            help="Report findings of this confidence or more. Default: what [tool.loopsafe] of pyproject.toml says.",
        )

    @classmethod
    def parse_options(cls, options: argparse.Namespace) -> None:
        """Take up flake8's options; called once in each process that is not a fork of one where it was."""
        cls._session = Session(options)
        if not cls._session.silenced:
            cls._session.prepare()

    def run(self) -> Iterator[tuple[int, int, str, type]]:
        """Row from 1, column from 0, text and type of each finding in the file."""
        found, problem = self._session.found(self._filename, self._lines)
        for finding, place in found:
            text = printable(f"{finding.code} {finding.message}{_elsewhere(finding, place)}{_hint(finding, place)}")
            yield place.span.row, place.span.column - 1, text, type(self)
        # What flake8 cannot parse itself it does not show us.
        if problem is not None and problem.level == "error":
            yield max(problem.row, 1), max(problem.column - 1, 0), printable(f"{_UNREAD} {problem.message}"), type(self)
        elif problem is not None:
            _say(f"loopsafe: {problem}")


def _say(message: str) -> None:
    if sys.stderr is not None:
        print(printable(message), file=sys.stderr)


def _elsewhere(finding: Finding, place: Location) -> str:
    """Where the path starts and ends, for a file that it only passes through."""
    return "" if place == finding.location else f"; starts {finding.witness[0].location}, reaches {finding.location}"


def _hint(finding: Finding, place: Location) -> str:
    """Which command fixes it: flake8 itself fixes nothing."""
    commands = {"safe": "loopsafe fix", "unsafe": "loopsafe fix --unsafe-fixes"}
    command = commands.get(finding.fix.applicability) if finding.fix else None
    other = "" if place.path == finding.location.path else f" {shlex.quote(finding.location.path)}"
    return f" (`{command}{other}`)" if command else ""


class _ByFile(NamedTuple):
    """Findings, and why there are none, by the real path of the file."""

    findings: dict[str, list[Told]]
    problems: dict[str, Problem]

    def of(self, path: str) -> tuple[Sequence[Told], Problem | None]:
        return self.findings.get(path, ()), self.problems.get(path)


@dataclass
class Session:
    """One process of one run of flake8: what it was asked, and the findings once they are needed."""

    options: argparse.Namespace
    _hinted: bool = False

    @cached_property
    def silenced(self) -> bool:
        """Whether flake8 would drop whatever we find, so that it need not be searched for."""
        options = self.options
        selected = [*(options.select or []), *(options.extend_select or [])]
        ignored = [*(options.ignore or []), *(options.extend_ignore or [])]
        if any(code.startswith("LSF") or "LSF".startswith(code) for code in selected):
            return False
        return options.select is not None or any("LSF".startswith(code) for code in ignored)

    def prepare(self) -> None:
        """Check the configuration, and do now what processes forked from this one would else each do by themselves."""
        from loopsafe.project.roots import roots_of

        named = [self.options.stdin_display_name] if self._stdin else self.options.filenames or ["."]
        with _stopping():
            for root in roots_of(named):
                self._load(root)
        jobs = self.options.jobs
        if (jobs.is_auto or jobs.n_jobs > 1) and multiprocessing.get_start_method() == "fork" and not self._stdin:
            _ = self._found, self._covered

    def found(self, filename: str, lines: Sequence[str]) -> tuple[Sequence[Told], Problem | None]:
        """What concerns a file of this run, in order of place, or why it cannot be analysed. `lines` are its text."""
        if self.silenced:
            return (), None
        path = os.path.realpath(filename)
        # On disk there may be another text of that name, or none.
        if self._stdin and filename == self.options.stdin_display_name:
            return self._by_file(self._report_on_text(filename, path, "".join(lines))).of(path)
        return (self._found if path in self._covered else self._found_elsewhere).of(path)

    @property
    def _stdin(self) -> bool:
        return "-" in self.options.filenames

    @cached_property
    def _paths(self) -> list[str]:
        """What flake8 was given to check; it says itself where that does not exist."""
        return [path for path in self.options.filenames or ["."] if os.path.exists(path)]

    def _load(self, start: Path) -> Config:
        """The configuration that the command line would use for the same path."""
        from loopsafe.project.config import load_config

        config = load_config(start)
        return replace(config, min_confidence=self._min_confidence or config.min_confidence)

    @property
    def _min_confidence(self) -> Confidence | None:
        asked = self.options.loopsafe_min_confidence
        for confidence in ("certain", "likely"):
            if asked == confidence:
                return confidence
        if asked is not None:
            raise _stop(f"loopsafe-min-confidence must be one of: {', '.join(_CONFIDENCES)}")
        return None

    @cached_property
    def _projects(self) -> Sequence[Project]:
        return self._find(self._paths)

    @cached_property
    def _found(self) -> _ByFile:
        return self._by_file(self._report(self._projects))

    @cached_property
    def _covered(self) -> frozenset[str]:
        """The files that the analysis reports on."""
        files = (file for project in self._projects for file in project.files)
        return frozenset(file.target or file.path for file in files if file.wanted)

    @cached_property
    def _found_elsewhere(self) -> _ByFile:
        """Findings in files that flake8 checks although [tool.loopsafe] excludes them."""
        elsewhere = [path for path in self._checked() if os.path.realpath(path) not in self._covered]
        return self._by_file(self._report(self._find(elsewhere)))

    def _find(self, paths: Sequence[str], texts: Collection[str] = ()) -> Sequence[Project]:
        from loopsafe.project.roots import find_projects

        with _stopping():
            return find_projects(paths, self._load, texts)

    def _report(self, projects: Sequence[Project]) -> Report:
        # Where flake8 starts processes afresh, the first to come here analyses and the others take over its result.
        from loopsafe.cached import report
        from loopsafe.frontends.narrowing import narrowed_each

        with _stopping():
            found = narrowed_each(projects, partial(report, noqa=False, tell=self._tell))
        if found.missing and not self._hinted:
            from loopsafe.project.environment import where_are

            self._hinted = True
            self._tell(f"loopsafe: {where_are(found.missing)}")
        return found

    def _report_on_text(self, filename: str, path: str, text: str) -> Report:
        from loopsafe.frontends.narrowing import narrowed_each
        from loopsafe.pipeline import report

        texts = {Path(path): text}
        with _stopping():
            return narrowed_each(self._find([filename], {path}), partial(report, overlay=texts, noqa=False), texts)

    def _by_file(self, report: Report) -> _ByFile:
        """Findings by the real path of each file on their path, with the place at which it is told of them."""
        from loopsafe.project.noqa import UNUSED

        found: dict[str, list[Told]] = defaultdict(list)
        comments = _Comments()
        for finding in report.findings:
            if finding.code == UNUSED and self.options.disable_noqa:
                continue
            # flake8 sees to comments where it reports; the one at the offending line counts everywhere.
            silenced = not self.options.disable_noqa and comments.silence(finding)
            for path in finding.paths[: 1 if silenced else None]:
                found[os.path.realpath(path)].append((finding, finding.place_in(path)))
        told = {path: sorted(told, key=lambda item: (item[1], item[0])) for path, told in found.items()}
        return _ByFile(told, {os.path.realpath(problem.path): problem for problem in report.problems})

    def _tell(self, message: str) -> None:
        """Say on standard error for whom we wait; not for each other, which processes of one run do."""
        if not self.options.quiet and multiprocessing.parent_process() is None:
            _say(message)

    def _checked(self) -> Iterable[str]:
        # flake8 tells plugins the paths as typed; this is what it makes its list of files with.
        from flake8.discover_files import expand_paths  # type: ignore[import-untyped]

        options = self.options
        files: Iterable[str] = expand_paths(
            paths=options.filenames,
            stdin_display_name=options.stdin_display_name,
            filename_patterns=options.filename,
            exclude=(*options.exclude, *options.extend_exclude),
        )
        return [file for file in files if os.path.exists(file)]


class _Comments:
    """The `# noqa` comments of files that others' reports are about."""

    def __init__(self) -> None:
        self._of: dict[str, NoqaLines] = {}

    def silence(self, finding: Finding) -> bool:
        """Whether the offending line has one that silences this finding, of which other files are told, too."""
        if len(finding.paths) == 1:
            return False
        from loopsafe.project.noqa import NoqaLines

        path = finding.location.path
        if path not in self._of:
            self._of[path] = NoqaLines(_text(path))
        return self._of[path].silences(finding.location.span.row, finding.code)


def _text(path: str) -> str:
    from loopsafe.project.notebooks import code_at

    try:
        return code_at(path)
    except (OSError, SyntaxError):
        return ""


@contextlib.contextmanager
def _stopping() -> Iterator[None]:
    """End flake8 with a message where a configuration cannot be used."""
    from loopsafe.project.config import ConfigError

    try:
        yield
    except ConfigError as error:
        raise _stop(str(error)) from error


def _stop(message: str) -> Exception:
    """What ends flake8 with a message instead of a traceback."""
    from flake8.exceptions import ExecutionError  # type: ignore[import-untyped]

    error: Exception = ExecutionError(printable(f"loopsafe: {message}"))
    return error
