"""`loopsafe check --add-noqa`: write `# noqa` comments that silence what is found."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from loopsafe.findings import Finding
from loopsafe.fixes.text import Change as Replacement
from loopsafe.fixes.text import SourceText
from loopsafe.frontends import summary
from loopsafe.frontends.changes import Change, Refusal, proven
from loopsafe.frontends.commands.fix import refused, write_all
from loopsafe.frontends.options import Selection
from loopsafe.frontends.terminal import complain
from loopsafe.frontends.work import CLEAN, FAILED, FINDINGS, tell_problems, work_on_paths
from loopsafe.project.noqa import UNUSED, NoqaLines
from loopsafe.project.noqa_edits import Adding, same_code
from loopsafe.project.notebooks import NOT_REWRITTEN, is_notebook
from loopsafe.project.sources import decode, read_bytes


def add_noqa(paths: Sequence[str], selection: Selection, quiet: bool) -> int:
    """Silence what is found in the paths, at the offending lines, and return the exit code.

    Raises:
        CannotWork: the configuration or an option cannot be used.
    """
    work = replace(work_on_paths(paths, selection), memory={})
    report = work.analyse(quiet=quiet)
    tell_problems(work, report, quiet)
    # A comment on a comment that nobody needs helps nobody: `fix` takes that away.
    found = [finding for finding in report.findings if finding.code != UNUSED]
    named = set(report.named)
    refusals = [Refusal(f, _unnamed(f)) for f in found if f.location.path not in named]
    changes: list[Change] = []
    for path, group in groupby((f for f in found if f.location.path in named), key=lambda one: one.location.path):
        change, left = _change(path, list(group))
        changes += [change] if change else []
        refusals += left
    outcome = proven(report, changes, refusals, lambda texts: work.analyse(texts, quiet))
    written, failures = write_all(outcome.changes)
    complain(*failures, *refused(outcome.refusals, "silenced"))
    if not quiet:
        complain(f"Silenced {summary.count(sum(len(change.fixed) for change in written))}.")
    if failures or report.failed:
        return FAILED
    return FINDINGS if outcome.refusals else CLEAN


def _unnamed(finding: Finding) -> str:
    path = shlex.quote(finding.location.path)
    return f"its file was not named; `loopsafe check --add-noqa {path}` does it"


def _change(path: str, findings: Sequence[Finding]) -> tuple[Change | None, list[Refusal]]:
    """The file with comments for these findings, and those that no comment can be placed for."""
    if is_notebook(path):
        return None, [Refusal(finding, NOT_REWRITTEN) for finding in findings]
    try:
        before = read_bytes(path, sys.maxsize)
        source = decode(before)
        wanted: dict[int, set[str]] = {}
        for finding in findings:
            wanted.setdefault(finding.location.span.row, set()).add(finding.code)
        edits, refused = Adding(source.text).edits(wanted)
        old = SourceText(source.text)
        places = [(old.offset(edit.span.row, edit.span.column), edit.content) for edit in edits]
        text = old.changed(Replacement(place, place, content) for place, content in places)
        after = source.encode(text)
    except (OSError, SyntaxError, UnicodeError) as error:
        return None, [Refusal(finding, str(error)) for finding in findings]
    lines, same = NoqaLines(text), same_code(source.text, text)
    left = []
    for finding in findings:
        row = finding.location.span.row
        if row in refused or not same or not lines.silences(row, finding.code):
            left.append(Refusal(finding, refused.get(row, "there is no place for a comment")))
    done = tuple(f for f in findings if f not in {refusal.finding for refusal in left})
    return (Change(path, before, after, text, done) if done and same else None), left
