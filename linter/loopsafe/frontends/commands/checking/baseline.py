"""`loopsafe check --write-baseline`: take what is found as known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from loopsafe.frontends import summary
from loopsafe.frontends.delivery import deliver
from loopsafe.frontends.narrowing import renewed
from loopsafe.frontends.options import Selection
from loopsafe.frontends.settings import settle
from loopsafe.frontends.terminal import CannotWork, complain
from loopsafe.frontends.work import CLEAN, FAILED, tell_problems, work_on_paths
from loopsafe.project.config import ConfigError


def write_known(paths: Sequence[str], selection: Selection, file: str, quiet: bool) -> int:
    """Write a baseline of what there is in the paths and return the exit code.

    Raises:
        CannotWork: the configuration or an option cannot be used, or the file cannot be written.
    """
    selection = replace(selection, baseline="", no_baseline=True)
    work = work_on_paths(paths, selection)
    root, *others = work.roots
    if others:
        raise CannotWork(f"--write-baseline goes with the paths of one project, not of {root} and {others[0]}")
    config = settle(root, selection)
    report = work.analyse(quiet=quiet)
    tell_problems(work, report, quiet)
    try:
        lines = renewed(report.findings, Path(file), config, work.paths)
    except ConfigError as error:
        raise CannotWork(str(error)) from error
    deliver(lines, file, [config.root])
    if not quiet:
        complain(f"Wrote {summary.count(len(report.findings))} to {file}.")
    return FAILED if report.failed else CLEAN
