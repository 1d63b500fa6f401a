"""`loopsafe fleet`: check many projects and make one report of it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import loopsafe
from loopsafe.frontends.delivery import check_stays, deliver
from loopsafe.frontends.fleet import formats
from loopsafe.frontends.fleet.formats import Fleet
from loopsafe.frontends.fleet.ledger import Ledger, opened
from loopsafe.frontends.fleet.outcomes import Outcome, Settings
from loopsafe.frontends.fleet.targets import Target, read_targets
from loopsafe.frontends.progress import progress
from loopsafe.frontends.settings import check_known
from loopsafe.frontends.terminal import CannotWork, complain, wants_colour
from loopsafe.frontends.work import CLEAN, FAILED, FINDINGS
from loopsafe.reading.helpers import cores

_CHECKING = "Checking projects"


@dataclass(frozen=True, slots=True)
class FleetRequest:
    """What the command line asks for. With 0 `jobs`, as many projects are checked at once as there are cores."""

    projects: tuple[str, ...]
    files: tuple[str, ...]
    settings: Settings
    jobs: int
    results: str = ""
    resume: bool = False
    retry_failed: bool = False
    scheduler: str = ""
    dask: bool = False
    output_format: str = "table"
    output_file: str = ""
    exit_zero: bool = False
    quiet: bool = False
    verbose: bool = False


def run_fleet(request: FleetRequest) -> int:
    """Do what is asked and return the exit code.

    Raises:
        CannotWork: an option cannot be used, a target names nothing, or a file cannot be written.
    """
    selection = request.settings.selection
    # What git ignores would be one more way to hide something from who isolates projects.
    selection = replace(selection, respect_gitignore=not selection.isolated)
    request = replace(request, settings=replace(request.settings, selection=selection), jobs=request.jobs or cores())
    check_known((*selection.select, *selection.extend_select, *selection.ignore))
    targets = read_targets(request.projects, request.files)
    if not targets:
        raise CannotWork("name projects: folders, `name==version`, addresses of git repositories, or -r FILE")
    roots = [Path(target.address) for target in targets if target.kind == "folder"]
    for path in filter(None, (request.results, request.output_file)):
        check_stays(path, roots)
    if request.dask or request.scheduler:
        _check_dask()
    with opened(request.results, request.settings, request.resume) as ledger:
        if request.retry_failed:
            ledger.forget_failed()
        _work_off(request, targets, ledger)
        outcomes = [ledger.outcome(target) for target in targets]
    deliver(_lines(request, outcomes), request.output_file, roots, _colour(request))
    if request.output_format != "table" or request.output_file:
        complain(*(f"{one.project}: {one.status}: {one.reason}" for one in outcomes if one.status != "ok"))
    if any(outcome.status != "ok" for outcome in outcomes):
        return FAILED
    return FINDINGS if any(outcome.findings for outcome in outcomes) and not request.exit_zero else CLEAN


def _check_dask() -> None:
    if importlib.util.find_spec("distributed") is None:
        raise CannotWork("--dask and --scheduler need Dask: install loopsafe with the extra `fleet`")


def _work_off(request: FleetRequest, targets: Sequence[Target], ledger: Ledger) -> None:
    """Check what is not done yet, and keep what comes of each as soon as it is there."""
    left = [target for target in targets if target.key not in ledger.done]
    told = len(targets) - len(left)
    if told and not request.quiet:
        complain(f"{request.results}: {told} of {len(targets)} projects are done already")
    if not left:
        return
    with progress(request.quiet) as show:
        for number, (target, outcome) in enumerate(_outcomes(request, left), told + 1):
            ledger.add(target, outcome)
            if request.verbose:
                complain(f"{outcome.project}: {outcome.status}, {len(outcome.findings)} found, {outcome.seconds:.1f} s")
            if show:
                show(_CHECKING, number, len(targets))


def _outcomes(request: FleetRequest, targets: Sequence[Target]) -> Iterator[tuple[Target, Outcome]]:
    if request.dask or request.scheduler:
        from loopsafe.frontends.fleet.cluster import run_on_cluster

        tell = (lambda _: None) if request.quiet else complain
        return run_on_cluster(targets, request.settings, request.scheduler, request.jobs, tell)

    from loopsafe.frontends.fleet.local import run_here

    return run_here(targets, request.settings, request.jobs)


def _lines(request: FleetRequest, outcomes: Sequence[Outcome]) -> Iterator[str]:
    fleet = Fleet(outcomes, loopsafe.__version__, colour=_colour(request))
    if request.output_format == "sarif":
        # The rules bring the analysis with them.
        from loopsafe.frontends.rule_info import home, rule_infos

        fleet = replace(fleet, rules=rule_infos(), home=home())
    return formats.load(request.output_format)(fleet)


def _colour(request: FleetRequest) -> bool:
    return request.output_format == "table" and not request.output_file and wants_colour(sys.stdout)
