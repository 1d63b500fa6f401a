"""`loopsafe fix`: analyse, rewrite what can be rewritten, and report what is left."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click

from loopsafe.findings import Finding, Report
from loopsafe.fixes import CannotWrite, write_atomically
from loopsafe.frontends import summary
from loopsafe.frontends.changes import Analyse, Change, Outcome, Refusal, work_out
from loopsafe.frontends.diffs import applicable, pictured
from loopsafe.frontends.edits import rows_of
from loopsafe.frontends.options import Selection
from loopsafe.frontends.settings import check_known
from loopsafe.frontends.terminal import complain, interactive, wants_colour, write, write_raw
from loopsafe.frontends.work import CLEAN, FAILED, FINDINGS, Work, tell_problems, work_on_paths, work_on_stdin
from loopsafe.harmless import printable
from loopsafe.render.formats import text
from loopsafe.render.lines import line
from loopsafe.render.results import Results

_ANSWERS = ("a", "s", "q", "accept", "skip", "quit")


@dataclass(frozen=True, slots=True)
class FixRequest:
    """The arguments of `fix`. With `only`, codes or prefixes, no other rule's findings are fixed.

    With `stdin_filename`, the text comes from standard input, and the fixed one goes to standard output.
    """

    paths: tuple[str, ...]
    selection: Selection
    diff: bool = False
    unsafe: bool = False
    only: tuple[str, ...] = ()
    interactive: bool = False
    quiet: bool = False
    verbose: bool = False
    stdin_filename: str = ""


def run_fix(request: FixRequest) -> int:
    """Do what is asked and return the exit code.

    Raises:
        CannotWork: the configuration or an option cannot be used.
    """
    check_known(request.only)
    if request.stdin_filename:
        return _fix_text(request, work_on_stdin(request.stdin_filename, request.selection))
    work = replace(work_on_paths(request.paths, request.selection), verbose=request.verbose, memory={})
    before = work.analyse(quiet=request.quiet)
    tell_problems(work, before, request.quiet)

    choose = partial(fixable, unsafe=request.unsafe, only=request.only)
    def with_unnamed(outcome: Outcome) -> Outcome:
        others = unnamed(outcome.after, request.unsafe, request.only)
        return replace(outcome, refusals=(*outcome.refusals, *others))

    more = None if request.interactive else choose
    outcome = work_out(before, choose(before), _analyse(work, request.quiet), more)
    if request.diff:
        return _show_diff(request, before, with_unnamed(outcome))
    if request.interactive:
        chosen = _ask(outcome.changes)
        # What was left out may be what made the rest right.
        wanted = [finding for change in chosen for finding in change.fixed]
        outcome = work_out(before, wanted, _analyse(work, request.quiet)) if chosen != outcome.changes else outcome
    return _tell(request, before, carry_out(work, with_unnamed(outcome), request.quiet))


def _fix_text(request: FixRequest, work: Work) -> int:
    """Write the text that came in with the fixes made, for editors: it is all that goes to standard output."""
    before = work.analyse(quiet=True)
    tell_problems(work, before, request.quiet)

    choose = partial(fixable, unsafe=request.unsafe, only=request.only)
    contents = dict.fromkeys(before.named, work.content)
    outcome = work_out(before, choose(before), _analyse(work, True), choose, contents)
    write_raw([outcome.changes[0].after if outcome.changes else work.content])
    if not request.quiet:
        complain(*refused(outcome.refusals))
    return FAILED if before.failed else CLEAN


def fixable(report: Report, unsafe: bool, only: Sequence[str] = ()) -> list[Finding]:
    """The findings to be fixed: in a file that was named, with a safe fix or also an unsafe one, of these codes."""
    named = set(report.named)
    return [finding for finding in _mended(report, unsafe, only) if finding.location.path in named]


def unnamed(report: Report, unsafe: bool, only: Sequence[str] = ()) -> tuple[Refusal, ...]:
    """The findings that would be fixed if their file had been named, which only a file on their path was."""
    command, named = f"loopsafe fix{' --unsafe-fixes' if unsafe else ''}", set(report.named)
    return tuple(
        Refusal(finding, f"its file was not named; `{command} {shlex.quote(finding.location.path)}` does it")
        for finding in _mended(report, unsafe, only)
        if finding.location.path not in named
    )


def _mended(report: Report, unsafe: bool, only: Sequence[str]) -> list[Finding]:
    kinds = {"safe", "unsafe"} if unsafe else {"safe"}
    fixable = [finding for finding in report.findings if finding.fix and finding.fix.applicability in kinds]
    return [finding for finding in fixable if not only or finding.code.startswith(tuple(only))]


def _analyse(work: Work, quiet: bool) -> Analyse:
    return lambda overlay: work.analyse(overlay, quiet)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an outcome: findings fixed on disk, what could not be, and the report on what there is now."""

    fixed: tuple[Finding, ...]
    refusals: tuple[Refusal, ...]
    failures: tuple[CannotWrite, ...]
    after: Report

    @property
    def refused(self) -> list[str]:
        """A line for each finding that was to be fixed and is not."""
        return refused(self.refusals)


def carry_out(work: Work, outcome: Outcome, quiet: bool) -> Done:
    """Write the changes."""
    written, failures = write_all(outcome.changes)
    # Where a file could not be written, the report that foresaw it written no longer holds.
    after = work.analyse(quiet=quiet) if failures else outcome.after
    fixed = tuple(finding for change in written for finding in change.fixed)
    return Done(fixed, outcome.refusals, tuple(failures), after)


def _ask(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Show each file's change and ask; what stands before "quit" holds."""
    chosen: list[Change] = []
    colour = wants_colour(sys.stdout)
    for number, change in enumerate(changes, 1):
        write(pictured(change, colour), colour)
        question = printable(f"{change.path} ({number} of {len(changes)}): [a]ccept, [s]kip or [q]uit?")
        answer = click.prompt(question, type=click.Choice(_ANSWERS), show_choices=False)
        if answer.startswith("q"):
            break
        if answer.startswith("a"):
            chosen.append(change)
    return tuple(chosen)


def _show_diff(request: FixRequest, before: Report, outcome: Outcome) -> int:
    colour = wants_colour(sys.stdout)
    if interactive(sys.stdout):
        write((line for change in outcome.changes for line in pictured(change, colour)), colour)
    else:
        write_raw(piece for change in outcome.changes for piece in applicable(change))
    # Not on standard output: the diff may go straight into `git apply`.
    if not request.quiet:
        complain(*refused(outcome.refusals))
        complain(f"Would fix {summary.count(sum(len(change.fixed) for change in outcome.changes))}.")
    if before.failed:
        return FAILED
    return FINDINGS if outcome.changes else CLEAN


def _tell(request: FixRequest, before: Report, done: Done) -> int:
    complain(*done.failures)
    colour = wants_colour(sys.stdout)
    lines = [f"Fixed {line(finding)}" for finding in done.fixed]
    left = done.after.findings
    lines += [*done.refused, *text.render(Results(left, rows=rows_of(left, {}), colour=colour))]
    if not request.quiet:
        lines.append(summary.fixed(len(done.fixed), left))
    write(lines, colour)
    if done.failures or before.failed or done.after.failed:
        return FAILED
    return FINDINGS if done.after.findings else CLEAN


def refused(refusals: Sequence[Refusal], done: str = "fixed") -> list[str]:
    """A line for each: that it is not `done`, and why."""
    return [
        printable(f"Not {done} {refusal.finding.location}: {refusal.finding.code}: {refusal.reason}")
        for refusal in refusals
    ]


def write_all(changes: Sequence[Change]) -> tuple[list[Change], list[CannotWrite]]:
    """Write what can be written: the changes that were, and why the others could not be."""
    written, failures = [], []
    for change in changes:
        try:
            write_atomically(Path(change.path), change.after, change.before)
        except CannotWrite as error:
            failures.append(error)
        else:
            written.append(change)
    return written, failures
