"""What a fix run would do to the files, and the proof that it does just that."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from loopsafe.findings import Finding, Report
from loopsafe.fixes import COLLIDES, fix_bytes
from loopsafe.project.noqa import UNUSED
from loopsafe.project.sources import read_bytes
from loopsafe.project.widths import row_width

Analyse = Callable[[Mapping[Path, str]], Report]
Choose = Callable[[Report], Sequence[Finding]]
Operation = tuple[str, str, str]

_MOST_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Change:
    """One file's old and new content, and the new as text. `path` is as in the findings; `fixed` are those that go."""

    path: str
    before: bytes
    after: bytes
    text: str
    fixed: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A finding that was to be fixed and is not, and why."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Changes to make, findings left alone, and the report on the project as it is after the changes."""

    changes: tuple[Change, ...]
    refusals: tuple[Refusal, ...]
    after: Report


def work_out(
    before: Report,
    wanted: Iterable[Finding],
    analyse: Analyse,
    choose: Choose | None = None,
    contents: Mapping[str, bytes] | None = None,
) -> Outcome:
    """Work out the changes that fix the wanted findings, and keep those that prove themselves.

    `analyse` reports on the same paths as `before`, with other texts for some files, by resolved path. What `choose`
    takes of the report that comes out, because a fix has made it fixable, is fixed, too: a second run finds nothing.
    `contents` stand in for what is on disk, by path as in the findings.
    """
    given = {path: Change(path, content, content, "", ()) for path, content in (contents or {}).items()}
    outcome = _work_out(before, wanted, analyse, given)
    for _ in range(_MOST_ROUNDS if outcome.changes and choose else 0):
        assert choose is not None
        tried = {_operation(r.finding) for r in outcome.refusals if r.reason != COLLIDES}
        fresh = [finding for finding in choose(outcome.after) if _operation(finding) not in tried]
        following = _follow(outcome, fresh, analyse)
        if following is None:
            break
        outcome = following
    return outcome


def _follow(outcome: Outcome, wanted: Sequence[Finding], analyse: Analyse) -> Outcome | None:
    """The outcome with further findings fixed; None where that changes nothing."""
    done = {change.path: change for change in outcome.changes}
    texts = {Path(change.path).resolve(): change.text for change in outcome.changes}
    new = _work_out(outcome.after, wanted, lambda overlay: analyse({**texts, **overlay}), done)
    if not new.changes:
        return None
    changed = dict(done)
    for change in new.changes:
        earlier = done[change.path].fixed if change.path in done else ()
        changed[change.path] = replace(change, fixed=(*earlier, *change.fixed))
    fixed = {_operation(finding) for change in new.changes for finding in change.fixed}
    refusals = (*(r for r in outcome.refusals if _operation(r.finding) not in fixed), *new.refusals)
    return Outcome(tuple(changed[path] for path in sorted(changed)), refusals, new.after)


def _work_out(before: Report, wanted: Iterable[Finding], analyse: Analyse, done: Mapping[str, Change]) -> Outcome:
    changes: list[Change] = []
    refusals: list[Refusal] = []
    for path, group in groupby(wanted, key=lambda finding: finding.location.path):
        change, refused = _change(path, list(group), done.get(path))
        changes += [change] if change else []
        refusals += refused
    return proven(before, changes, refusals, analyse)


def _change(path: str, findings: Sequence[Finding], done: Change | None) -> tuple[Change | None, list[Refusal]]:
    # Operations that move together carry one plan, which is to be carried out once.
    plans = list(dict.fromkeys(finding.fix for finding in findings if finding.fix))
    try:
        before = done.before if done else read_bytes(path, sys.maxsize)
    except OSError as error:
        return None, [Refusal(finding, str(error)) for finding in findings]
    after, result = fix_bytes(done.after if done else before, plans, row_width(Path(path)))
    reasons = dict(result.failed)
    refused = [Refusal(finding, reasons[finding.fix]) for finding in findings if finding.fix in reasons]
    fixed = tuple(finding for finding in findings if finding.fix in result.applied)
    return (Change(path, before, after, result.source, fixed) if fixed else None), refused


def proven(before: Report, changes: list[Change], refusals: list[Refusal], analyse: Analyse) -> Outcome:
    """Analyse the changed text; drop the changes of files that keep a finding or get one, until none does."""
    after = before
    while changes:
        after = _without_comments(before, changes) or analyse(
            {Path(change.path).resolve(): change.text for change in changes}
        )
        spoiled = _spoiled(before, changes, after)
        if not spoiled:
            break
        refusals += [Refusal(finding, reason) for change, reason in spoiled for finding in change.fixed]
        changes = [change for change in changes if all(change is not other for other, _ in spoiled)]
        after = before
    return Outcome(tuple(changes), tuple(sorted(refusals, key=lambda refusal: refusal.finding)), after)


def _without_comments(before: Report, changes: Sequence[Change]) -> Report | None:
    """The report where comments go of which nothing was found, and no row moves; None where more than that changes."""
    gone = {finding for change in changes for finding in change.fixed}
    if any(finding.code != UNUSED for finding in gone):
        return None
    if any(change.before.count(b"\n") != change.after.count(b"\n") for change in changes):
        return None
    return replace(before, findings=tuple(finding for finding in before.findings if finding not in gone))


def _spoiled(before: Report, changes: Sequence[Change], after: Report) -> list[tuple[Change, str]]:
    """The changes that do not prove themselves, each with what would be wrong."""
    gone = Counter(_operation(finding) for change in changes for finding in change.fixed)
    trouble: dict[str, str] = {}
    for operation in Counter(map(_operation, after.findings)) - (Counter(map(_operation, before.findings)) - gone):
        path, code, source = operation
        # A comment that is no longer needed is no trouble, and goes in the next round.
        if code == UNUSED and operation not in gone:
            continue
        trouble.setdefault(path, f"{code} would {'stay' if operation in gone else 'appear'} at `{source}`")
    known = {problem.path for problem in before.problems}
    trouble |= {
        problem.path: f"it would not be analysed: {problem.message}"
        for problem in after.problems
        if problem.path not in known
    }
    own = [(change, _left(trouble[change.path])) for change in changes if change.path in trouble]
    if own or not trouble:
        return own
    # Trouble in a file that was not changed can come from any of those that were.
    path, what = next(iter(trouble.items()))
    return [(change, _left(f"{what} in {path}")) for change in changes]


def _left(trouble: str) -> str:
    return f"{trouble}, so the file is left as it is"


def _operation(finding: Finding) -> Operation:
    """What is wrong, in words that stay when lines move."""
    return finding.location.path, finding.code, finding.witness[-1].source
