"""`loopsafe fix`: analyse, rewrite what can be rewritten, and report what is left."""

from __future__ import annotations

import difflib
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loopsafe.findings import Report
from loopsafe.fixes import CannotWrite, write_atomically
from loopsafe.frontends import summary
from loopsafe.frontends.changes import Change, Outcome, work_out
from loopsafe.frontends.options import Selection
from loopsafe.frontends.run_check import CLEAN, FAILED, FINDINGS, tell_problems
from loopsafe.frontends.terminal import complain, wants_colour, write
from loopsafe.frontends.work import Work, work_on_paths
from loopsafe.render import Results, concise, text
from loopsafe.render.painting import painter, printable
from loopsafe.sources import decode

_DIFF_STYLES = {"+++": "bold", "---": "bold", "@@ ": "cyan", "+": "green", "-": "red"}


@dataclass(frozen=True, slots=True)
class FixRequest:
    """The arguments of `fix`."""

    paths: tuple[str, ...]
    selection: Selection
    diff: bool = False
    unsafe: bool = False
    quiet: bool = False


def run_fix(request: FixRequest) -> int:
    """Do what is asked and return the exit code.

    Raises:
        CannotWork: the configuration or an option cannot be used.
    """
    work = work_on_paths(request.paths, request.selection)
    before = work.analyse(quiet=request.quiet)
    tell_problems(work, before, request.quiet)
    kinds = {"safe", "unsafe"} if request.unsafe else {"safe"}
    wanted = [finding for finding in before.findings if finding.fix and finding.fix.applicability in kinds]
    outcome = work_out(before, wanted, lambda overlay: work.analyse(overlay, request.quiet))
    if request.diff:
        return _show_diff(request, before, outcome)
    return _carry_out(request, work, before, outcome)


def _show_diff(request: FixRequest, before: Report, outcome: Outcome) -> int:
    colour = wants_colour(sys.stdout)
    write((line for change in outcome.changes for line in _diff(change, colour)), colour)
    # Not on standard output: the diff may go straight into `git apply`.
    if not request.quiet:
        complain(*_refused(outcome))
        complain(f"Would fix {summary.count(sum(len(change.fixed) for change in outcome.changes))}.")
    if before.problems:
        return FAILED
    return FINDINGS if outcome.changes else CLEAN


def _diff(change: Change, colour: bool) -> Iterator[str]:
    paint = painter(colour)
    name = printable(change.path)
    for line in difflib.unified_diff(_rows(decode(change.before).text), _rows(change.text), name, name):
        style = next((style for start, style in _DIFF_STYLES.items() if line.startswith(start)), "")
        yield paint([(line.removesuffix("\n"), style)])
        if not line.endswith("\n"):
            yield "\\ No newline at end of file"


def _rows(source: str) -> list[str]:
    # Only line feeds end a row of a diff; str.splitlines() would also cut at form feeds and lone carriage returns.
    return io.StringIO(source, newline="\n").readlines()


def _carry_out(request: FixRequest, work: Work, before: Report, outcome: Outcome) -> int:
    written, failures = _write_all(outcome.changes)
    complain(*failures)
    # Where a file could not be written, the report that foresaw it written no longer holds.
    after = work.analyse(quiet=request.quiet) if failures else outcome.after
    done = [finding for change in written for finding in change.fixed]
    colour = wants_colour(sys.stdout)
    lines = [f"Fixed {concise.line(finding)}" for finding in done]
    lines += [*_refused(outcome), *text.render(Results(after.findings), colour)]
    if not request.quiet:
        lines.append(summary.fixed(len(done), after.findings))
    write(lines, colour)
    if failures or before.problems or after.problems:
        return FAILED
    return FINDINGS if after.findings else CLEAN


def _refused(outcome: Outcome) -> list[str]:
    return [
        printable(f"Not fixed {refusal.finding.location}: {refusal.finding.code}: {refusal.reason}")
        for refusal in outcome.refusals
    ]


def _write_all(changes: Sequence[Change]) -> tuple[list[Change], list[CannotWrite]]:
    written, failures = [], []
    for change in changes:
        try:
            write_atomically(Path(change.path), change.after, change.before)
        except CannotWrite as error:
            failures.append(error)
        else:
            written.append(change)
    return written, failures
