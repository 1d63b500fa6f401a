"""The LibCST codemod: `python -m libcst.tool codemod -x loopsafe.frontends.codemod.UseCallSoonThreadsafe PATH`."""

from __future__ import annotations

import argparse
import atexit
import multiprocessing
import os
import sys
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import libcst as cst
from libcst.codemod import CodemodCommand, CodemodContext, SkipFile

from loopsafe.frontends.changes import Change, Refusal, work_out
from loopsafe.frontends.narrowing import narrowed_each
from loopsafe.harmless import printable
from loopsafe.pipeline import report
from loopsafe.project.config import ConfigError, load_config, marked_root
from loopsafe.project.files import leads_out
from loopsafe.project.roots import find_projects


class UseCallSoonThreadsafe(CodemodCommand):
    """Makes in each file the changes that `loopsafe fix` would make in its project."""

    DESCRIPTION = (
        "Hand operations on an event loop's objects over to the thread that runs the loop, "
        "where loopsafe finds that another thread does them."
    )

    def __init__(self, context: CodemodContext, unsafe_fixes: bool = False) -> None:
        super().__init__(context)
        self._unsafe = unsafe_fixes

    @staticmethod
    def add_args(arg_parser: argparse.ArgumentParser) -> None:
        """Add our argument, and leave files in their authors' layout."""
        arg_parser.add_argument(
            "--unsafe-fixes", action="store_true", help="Also make changes that need a look at their surroundings."
        )
        # LibCST would start black, which a fresh project does not have, on every file changed. And several processes
        # would analyse the project once each, while others rewrite it.
        arg_parser.set_defaults(no_format=True, jobs=1)

    def transform_module(self, tree: cst.Module) -> cst.Module:
        """The module as LibCST's tool wants it; without metadata, for which the tree would be copied."""
        return self.transform_module_impl(tree)

    def transform_module_impl(self, tree: cst.Module) -> cst.Module:
        """The fixed module; the same one where there is nothing to fix.

        Raises:
            SkipFile: the tool must leave the file alone.
        """
        if self.context.filename is None:
            raise SkipFile("loopsafe analyses whole projects, so it needs files, not standard input")
        if leads_out(self.context.filename, self._repository()):
            raise SkipFile("it is a link that leads out of the project")
        path = os.path.realpath(self.context.filename)
        project = _project(_root(path, self._repository()), self._unsafe)
        _remember(path)
        for refusal in project.refusals.get(path, ()):
            self.warn(printable(f"{refusal.finding.location}: {refusal.finding.code}: {refusal.reason}"))
        content = Path(path).read_bytes()
        return _kept(_changed(tree, content, project.changes.get(path)))

    def _repository(self) -> str:
        """The folder that LibCST takes for the whole repository, by default the working directory."""
        manager = self.context.metadata_manager
        return os.path.realpath(manager.root_path if manager else ".")


@dataclass(frozen=True, slots=True)
class _Project:
    """Changes and refusals of one project, by real path of the file."""

    changes: dict[str, Change]
    refusals: dict[str, list[Refusal]]


@cache
def _project(root: Path, unsafe: bool) -> _Project:
    try:
        # Those inside it are asked for by their own files.
        projects = [project for project in find_projects([root], load_config) if project.config.root == root]
        before = narrowed_each(projects, report)
    except ConfigError as error:
        raise SystemExit(printable(f"loopsafe: {error}")) from error
    kinds = {"safe", "unsafe"} if unsafe else {"safe"}
    named = set(before.named)
    wanted = [
        finding
        for finding in before.findings
        if finding.location.path in named and finding.fix and finding.fix.applicability in kinds
    ]
    outcome = work_out(before, wanted, lambda texts: narrowed_each(projects, partial(report, overlay=texts), texts))
    refusals: dict[str, list[Refusal]] = {}
    for refusal in outcome.refusals:
        refusals.setdefault(os.path.realpath(refusal.finding.location.path), []).append(refusal)
    found = _Project({os.path.realpath(change.path): change for change in outcome.changes}, refusals)
    # LibCST tells no codemod when it is done. Its other processes see only some of the files each.
    if multiprocessing.parent_process() is None:
        atexit.register(_tell_unnamed, found)
    return found


_NAMED: set[str] = set()


def _remember(path: str) -> None:
    _NAMED.add(path)


def _tell_unnamed(project: _Project) -> None:
    """Say which findings with a file on their path that was named are not fixed, as their own file was not."""
    for path, change in project.changes.items():
        for finding in change.fixed if path not in _NAMED else ():
            if not _NAMED.isdisjoint(map(os.path.realpath, finding.paths)):
                reason = f"its file was not named: {finding.location.path}"
                print(printable(f"Not fixed {finding.location}: {finding.code}: {reason}"), file=sys.stderr)


@cache
def _root(path: str, repository: str) -> Path:
    folder = Path(path).parent
    try:
        root = marked_root(folder)
    except ConfigError as error:
        raise SystemExit(printable(f"loopsafe: {error}")) from error
    return root or (Path(repository) if folder.is_relative_to(repository) else folder)


def _changed(tree: cst.Module, content: bytes, change: Change | None) -> tuple[cst.Module, bytes]:
    """The module to hand back, and the content that the tool must make of it."""
    if change is None:
        return tree, content
    if content != change.before:
        raise SkipFile("it has changed since it was analysed")
    return cst.parse_module(change.after, tree.config_for_parsing), change.after


def _kept(outcome: tuple[cst.Module, bytes]) -> cst.Module:
    module, content = outcome
    # LibCST drops form feeds at the beginning of lines, for one; the tool would write the file without them.
    if module.bytes != content:
        raise SkipFile("LibCST would not keep its layout; `loopsafe fix` does")
    return module
