"""`loopsafe check`: analyse, print in the wanted format, and say by the exit code how it went."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import loopsafe
from loopsafe.findings import Finding, Report
from loopsafe.frontends import summary
from loopsafe.frontends.delivery import deliver
from loopsafe.frontends.edits import rows_of, worked_out
from loopsafe.frontends.options import Selection
from loopsafe.frontends.terminal import complain, wants_colour, write
from loopsafe.frontends.work import CLEAN, FAILED, FINDINGS, Work, tell_problems, work_on_paths, work_on_stdin
from loopsafe.render import formats
from loopsafe.render.results import Results, RuleInfo
from loopsafe.stopwatch import Stopwatch

if TYPE_CHECKING:
    from loopsafe.runtime.violations import Violation


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """The arguments of `check`. `stdin_filename` is empty where files are read from disk.

    With `fix`, what can be fixed is, and the rest reported; `unsafe_fixes` goes with it. With `verify`, a folder,
    programs that show the findings fail are written there. `evidence` is a file with what a guard has seen; `command`
    is run under one. If `verbose`, what is read is told on standard error.
    """

    paths: tuple[str, ...]
    selection: Selection
    output_format: str = "text"
    output_file: str = ""
    stdin_filename: str = ""
    statistics: bool = False
    exit_zero: bool = False
    fix: bool = False
    unsafe_fixes: bool = False
    verify: str = ""
    quiet: bool = False
    verbose: bool = False
    cache: bool = False
    profile: bool = False
    evidence: str = ""
    command: tuple[str, ...] = ()


def run_check(request: CheckRequest) -> int:
    """Do what is asked and return the exit code.

    Raises:
        CannotWork: the configuration or an option cannot be used.
    """
    # What is no evidence is told at once.
    seen = _evidence(request)
    work = (
        work_on_stdin(request.stdin_filename, request.selection)
        if request.stdin_filename
        else work_on_paths(request.paths, request.selection)
    )
    watch = Stopwatch()
    timed = watch if request.profile else None
    work = replace(
        work,
        watch=timed,
        verbose=request.verbose,
        fresh=_fresh(request),
        memory={} if request.fix else None,
    )
    report = work.analyse(quiet=request.quiet)
    form = formats.load(request.output_format)
    told_there = form.tells_problems and not request.output_file
    tell_problems(work, report, request.quiet, told_there, form.for_people)
    told, failed = summary.found(report), report.failed
    if request.fix:
        report, told, unwritten = _fix(request, work, report)
        failed = failed or unwritten
    with watch.stage("render"):
        deliver(_lines(request, work, report, told), request.output_file, work.roots, _colour(request))
    if request.profile:
        complain(*watch.lines())
    if request.verify:
        _verify(request, work, report)
    if request.command:
        from loopsafe.frontends.commands.checking import evidence

        seen, ended = evidence.seen_by(request.command)
    else:
        ended = 0
    if seen is not None:
        _compare(request, work, report, seen)
    if failed:
        return FAILED
    if ended:
        return FINDINGS
    return FINDINGS if report.findings and not request.exit_zero else CLEAN


def _fresh(request: CheckRequest) -> str:
    """Why nothing that was kept is asked."""
    if request.fix:
        return "--fix looks at files as they are now"
    if request.profile:
        return "--profile takes the time of the whole work"
    return "" if request.cache else "--no-cache"


def _fix(request: CheckRequest, work: Work, before: Report) -> tuple[Report, str, bool]:
    """Fix what can be fixed; what is left, a sentence on that, and whether anything could not be written."""
    # LibCST takes longer to load than many a run takes.
    from loopsafe.frontends.changes import work_out
    from loopsafe.frontends.commands.fix import carry_out, fixable, unnamed

    def choose(report: Report) -> list[Finding]:
        return fixable(report, request.unsafe_fixes)

    outcome = work_out(before, choose(before), lambda overlay: work.analyse(overlay, request.quiet), choose)
    others = unnamed(outcome.after, request.unsafe_fixes)
    done = carry_out(work, replace(outcome, refusals=(*outcome.refusals, *others)), request.quiet)
    complain(*done.failures, *done.refused)
    unread = bool(done.failures or done.after.failed)
    return done.after, summary.fixed(len(done.fixed), done.after.findings), unread


def _verify(request: CheckRequest, work: Work, report: Report) -> None:
    from loopsafe.frontends.commands.checking.verify import write_reproducers

    written, refused = write_reproducers(request.verify, report.findings, work.roots)
    if not request.quiet:
        complain(*refused, f"Wrote {written} reproducer{'' if written == 1 else 's'} to {request.verify}.")


def _evidence(request: CheckRequest) -> list[Violation] | None:
    if not request.evidence:
        return None
    from loopsafe.frontends.commands.checking import evidence

    return evidence.seen_in(request.evidence)


def _compare(request: CheckRequest, work: Work, report: Report, seen: list[Violation]) -> None:
    """Say what was seen: beside the findings where people read them, else on standard error."""
    from loopsafe.frontends.commands.checking import evidence

    told = evidence.harmless_lines(work, report, seen)
    if formats.load(request.output_format).for_people and not request.output_file:
        write(told)
    else:
        complain(*told)


def _lines(request: CheckRequest, work: Work, report: Report, told: str) -> Iterator[str]:
    form = formats.load(request.output_format)
    findings, edits = worked_out(report.findings, work.overlay) if form.edits else (report.findings, {})
    rules, home = _about_rules() if form.rules else ((), "")
    results = Results(
        findings,
        report.problems,
        edits,
        rules,
        loopsafe.__version__,
        rows_of(findings, work.overlay) if form.rows and not request.statistics else {},
        home,
        form.for_people and _colour(request),
    )
    render = form.statistics if request.statistics and form.statistics else form.render
    yield from render(results)
    if form.for_people and not request.quiet:
        yield told


def _about_rules() -> tuple[tuple[RuleInfo, ...], str]:
    # The rules bring the analysis with them.
    from loopsafe.frontends.rule_info import home, rule_infos

    return rule_infos(), home()


def _colour(request: CheckRequest) -> bool:
    return not request.output_file and wants_colour(sys.stdout)
