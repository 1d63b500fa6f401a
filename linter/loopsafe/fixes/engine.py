"""From a file's text and the plans for it to the new text."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loopsafe.findings import Edit, FixPlan, Rewrite
from loopsafe.fixes.actions import ACTIONS
from loopsafe.fixes.blocks import Blocks
from loopsafe.fixes.calls import Calls, measure, parse
from loopsafe.fixes.imports import add_beside, add_imports
from loopsafe.fixes.names import Names, Speller
from loopsafe.fixes.questions import unless, unless_refused
from loopsafe.fixes.rows import broken
from loopsafe.fixes.text import CannotFix, Change, SourceText
from loopsafe.project.noqa_edits import same_code

COLLIDES = "it collides with another fix in the same call; run again after that one"
"""The reason of a plan that fails only because another one is carried out first."""


@dataclass(frozen=True, slots=True)
class FixResult:
    """New text of one file.

    Attributes:
        source: the text after the edits.
        edits: what changed, in order; spans are those of the old text. Everything outside them is as it was.
        applied: plans carried out, each once however often it was given.
        failed: plans not carried out, with the reason.
    """

    source: str
    edits: tuple[Edit, ...] = ()
    applied: tuple[FixPlan, ...] = ()
    failed: tuple[tuple[FixPlan, str], ...] = ()


def fix_source(source: str, plans: Sequence[FixPlan], width: int | None = None) -> FixResult:
    """Carry out the plans for one file's text.

    Whether an unsafe plan is wanted is the caller's business. Plans that share a rewrite share its edits; of plans
    that collide the later one fails. `source` has no byte order mark. `width` is how long a row may be, where that is
    known; else the file's own rows say it.
    """
    wanted = tuple(dict.fromkeys(plans))
    if not wanted:
        return FixResult(source)
    try:
        draft = _Draft(SourceText(source, width))
    except CannotFix as error:
        return _all_failed(source, wanted, str(error))
    for plan in wanted:
        draft.add(plan)
    try:
        return draft.result()
    except CannotFix as error:
        return _all_failed(source, wanted, str(error))


def _all_failed(source: str, plans: Iterable[FixPlan], reason: str) -> FixResult:
    return FixResult(source, failed=tuple((plan, reason) for plan in plans))


class _Draft:
    """The changes gathered so far for one file."""

    def __init__(self, text: SourceText) -> None:
        self._text = text
        self._calls = Calls(text)
        self._blocks = Blocks(text, self._calls.tree)
        self._names = Names(self._calls.tree)
        self._changes: dict[Rewrite, list[Change]] = {}
        self._modules: set[str] = set()
        self._beside: set[tuple[ast.alias, str]] = set()
        self._applied: list[FixPlan] = []
        self._failed: list[tuple[FixPlan, str]] = []

    def add(self, plan: FixPlan) -> None:
        """Take up the whole plan, or keep the reason why not."""
        spell = Speller(self._names, plan.imports)
        try:
            self._changes |= self._changes_of(plan, spell)
        except CannotFix as error:
            self._failed.append((plan, str(error)))
        else:
            self._modules |= spell.needed
            self._beside |= spell.beside
            self._applied.append(plan)

    def _changes_of(self, plan: FixPlan, spell: Speller) -> dict[Rewrite, list[Change]]:
        if not plan.rewrites:
            raise CannotFix(plan.reason or "there is nothing to rewrite")
        new: dict[Rewrite, list[Change]] = {}
        for rewrite in plan.rewrites:
            if rewrite not in self._changes:
                changes = self._carry_out(rewrite, spell)
                others = {**self._changes, **new}.items()
                _check_apart(changes, [c for other, c in others if not _go_together(rewrite, other)])
                new[rewrite] = changes
        return new

    def _carry_out(self, rewrite: Rewrite, spell: Speller) -> list[Change]:
        if rewrite.action == "capture":
            return self._blocks.capture(rewrite.span, rewrite.text, spell)
        if rewrite.action == "assert":
            return self._blocks.assert_before(rewrite.span, rewrite.text)
        if rewrite.action == "leave":
            return self._blocks.leave(rewrite.span)
        if rewrite.action == "comment":
            return [self._text.comment(rewrite.span, rewrite.text)]
        if rewrite.action == "pulse":
            return self._blocks.pulse(rewrite.span, spell(rewrite.text))
        if rewrite.action == "unless":
            way, crossing = self._blocks.way_to(rewrite.span), spell(rewrite.text)
            if rewrite.question:
                return unless_refused(self._text, way, crossing, rewrite.question)
            return unless(self._text, way, crossing)
        call = self._calls.at(rewrite.span)
        planned = ACTIONS[rewrite.action](call, spell(rewrite.text), spell)
        if rewrite.action in ("pass", "task"):
            planned = broken(self._text, call, planned)
        changes = [change for change in planned if _changes(self._text, change)]
        _check_call(self._text, call.start, call.closing + 1, changes)
        return changes

    def result(self) -> FixResult:
        """Put everything together and prove that it is Python still.

        Raises:
            CannotFix: it is not.
        """
        changes = [change for group in self._changes.values() for change in group]
        if changes:
            changes += add_imports(self._text, self._calls.tree, self._modules)
            changes += add_beside(self._text, self._beside)
        fixed = self._text.changed(changes)
        comments = [change for r, group in self._changes.items() if r.action == "comment" for change in group]
        if len(changes) > len(comments):
            parse(fixed)
        if comments and not same_code(self._text.source, self._text.changed(comments)):
            raise CannotFix("what was taken for a comment is none")
        edits = tuple(map(self._text.edit, sorted(changes)))
        return FixResult(fixed, edits, tuple(self._applied), tuple(self._failed))


def _changes(text: SourceText, change: Change) -> bool:
    return text.source[change.start : change.end] != change.content


def _check_call(text: SourceText, start: int, end: int, changes: list[Change]) -> None:
    """What stands in the place of the call must be one call again, by Python's and by LibCST's reading."""
    here = SourceText(text.source[start:end])
    code = here.changed([Change(change.start - start, change.end - start, change.content) for change in changes])
    body = parse(f"({code})").body
    if len(body) != 1 or not isinstance(body[0], ast.Expr) or not isinstance(body[0].value, ast.Call):
        raise CannotFix("the result would not be one call")
    measure(code, 0, code)


def _go_together(one: Rewrite, other: Rewrite) -> bool:
    """The order in which loops are captured does not matter; an assertion comes before what begins in its place."""
    return one.action == other.action == "capture" or "assert" in (one.action, other.action)


def _check_apart(changes: list[Change], done: list[list[Change]]) -> None:
    if any(change.collides(other) for group in done for other in group for change in changes):
        raise CannotFix(COLLIDES)
