"""The flake8 plugin: for each file flake8 checks, what one analysis of everything it was given found there.

flake8 imports plugins, and asks them for options, on every run whatever is selected; so the analysis is loaded only
when findings are wanted.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from loopsafe import __version__
from loopsafe.harmless import printable

if TYPE_CHECKING:
    import argparse
    import ast

    from flake8.options.manager import OptionManager  # type: ignore[import-untyped]

    from loopsafe.cached import Tell
    from loopsafe.findings import Confidence, Finding, Problem, Report
    from loopsafe.project.config import Config

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
        findings, problem = self._session.found(self._filename, self._lines)
        for finding in findings:
            span = finding.location.span
            text = printable(f"{finding.code} {finding.message}{_hint(finding)}")
            yield span.row, span.column - 1, text, type(self)
        # What flake8 cannot parse itself it does not show us.
        if problem is not None and problem.level == "error":
            yield max(problem.row, 1), max(problem.column - 1, 0), printable(f"{_UNREAD} {problem.message}"), type(self)
        elif problem is not None:
            _say(f"loopsafe: {problem}")


def _say(message: str) -> None:
    if sys.stderr is not None:
        print(printable(message), file=sys.stderr)


def _hint(finding: Finding) -> str:
    """Which command fixes it: flake8 itself fixes nothing."""
    commands = {"safe": "loopsafe fix", "unsafe": "loopsafe fix --unsafe-fixes"}
    command = commands.get(finding.fix.applicability) if finding.fix else None
    return f" (`{command}`)" if command else ""


class _ByFile(NamedTuple):
    """Findings, and why there are none, by the real path of the file."""

    findings: dict[str, list[Finding]]
    problems: dict[str, Problem]

    def of(self, path: str) -> tuple[Sequence[Finding], Problem | None]:
        return self.findings.get(path, ()), self.problems.get(path)


@dataclass
class Session:
    """One process of one run of flake8: what it was asked, and the findings once they are needed."""

    options: argparse.Namespace

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
        _ = self._config
        jobs = self.options.jobs
        if (jobs.is_auto or jobs.n_jobs > 1) and multiprocessing.get_start_method() == "fork" and not self._stdin:
            _ = self._found, self._covered

    def found(self, filename: str, lines: Sequence[str]) -> tuple[Sequence[Finding], Problem | None]:
        """The findings in a file of this run, in order, or why it cannot be analysed. `lines` are its text."""
        if self.silenced:
            return (), None
        path = os.path.realpath(filename)
        # On disk there may be another text of that name, or none.
        if self._stdin and filename == self.options.stdin_display_name:
            return _by_file([filename], self._config, {Path(path): "".join(lines)}).of(path)
        return (self._found if path in self._covered else self._found_elsewhere).of(path)

    @property
    def _stdin(self) -> bool:
        return "-" in self.options.filenames

    @cached_property
    def _paths(self) -> list[str]:
        """What flake8 was given to check; it says itself where that does not exist."""
        return [path for path in self.options.filenames or ["."] if os.path.exists(path)]

    @cached_property
    def _config(self) -> Config:
        """The configuration that the command line would use for the same paths."""
        from loopsafe.project.config import ConfigError, load_config

        first = self.options.stdin_display_name if self._stdin else (self.options.filenames or ["."])[0]
        try:
            config = load_config(Path(first))
        except ConfigError as error:
            raise _stop(str(error)) from error
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
    def _found(self) -> _ByFile:
        return _by_file(self._paths, self._config, tell=self._tell)

    @cached_property
    def _covered(self) -> frozenset[str]:
        """The files that the analysis reports on."""
        from loopsafe.project.files import gather

        return frozenset(file.target or file.path for file in gather(self._paths, self._config) if file.wanted)

    @cached_property
    def _found_elsewhere(self) -> _ByFile:
        """Findings in files that flake8 checks although [tool.loopsafe] excludes them."""
        elsewhere = [path for path in self._checked() if os.path.realpath(path) not in self._covered]
        return _by_file(elsewhere, self._config, tell=self._tell)

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


def _by_file(
    paths: Sequence[str], config: Config, overlay: Mapping[Path, str] | None = None, tell: Tell | None = None
) -> _ByFile:
    found = _ByFile(defaultdict(list), {})
    if paths:
        report = _report(paths, config, overlay, tell)
        for finding in report.findings:
            found.findings[os.path.realpath(finding.location.path)].append(finding)
        found.problems.update((os.path.realpath(problem.path), problem) for problem in report.problems)
    return found


def _report(paths: Sequence[str], config: Config, overlay: Mapping[Path, str] | None, tell: Tell | None) -> Report:
    from loopsafe.project.config import ConfigError

    try:
        if not overlay:
            # Where flake8 starts processes afresh, the first to come here analyses and the others take over its result.
            from loopsafe.cached import analyze as analyze_once

            return analyze_once(paths, config, noqa=False, tell=tell)

        from loopsafe.pipeline import analyze

        return analyze(paths, config, overlay=overlay, noqa=False)
    except ConfigError as error:
        raise _stop(str(error)) from error


def _stop(message: str) -> Exception:
    """What ends flake8 with a message instead of a traceback."""
    from flake8.exceptions import ExecutionError  # type: ignore[import-untyped]

    error: Exception = ExecutionError(printable(f"loopsafe: {message}"))
    return error
