"""What moves together: the operations of a function on one object keep their order, so all are handed over or none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from loopsafe.contexts.flow import Reached
from loopsafe.contexts.moments import condition
from loopsafe.facts.schema import Attr, Call, Compare, Const, Expr, Guard, Name, Scope
from loopsafe.facts.spelling import is_exact, spell
from loopsafe.findings import FixPlan, Rewrite
from loopsafe.locations import Span
from loopsafe.program.index import last_name

# Each stands for itself: that two of them are done shows no order on which others rely.
_ALONE = ("loop-call", "task-creation", "lookup")
_ENDS = ("stop", "close")


@dataclass(slots=True, eq=False)
class _Move:
    """One operation, and what is to become of it."""

    reached: Reached
    plan: FixPlan

    @property
    def call(self) -> Call:
        return self.reached.call

    @property
    def scope(self) -> Scope:
        return self.reached.state.frame.scope

    @property
    def text(self) -> str:
        return spell(self.call.func)

    @property
    def object(self) -> str:
        """The text of the object it is done to; empty where it stands alone."""
        base = self.call.func.base if isinstance(self.call.func, Attr) else None
        alone = self.reached.row.category in _ALONE or self.reached.started is not None
        return spell(base) if is_exact(base) and not alone else ""

    @property
    def is_fixed(self) -> bool:
        return self.plan.applicability != "declined"

    @property
    def waits(self) -> bool:
        """Whether the library sees to the order itself: by a twin, or a way across that waits."""
        return bool(self.reached.row.crossing or self.reached.row.twin)

    def decline(self, reason: str) -> None:
        self.plan = FixPlan("declined", reason)

    def doubt(self, reason: str) -> None:
        known = self.plan.reason.split("; ") if self.plan.reason else []
        if self.is_fixed and reason not in known:
            self.plan = replace(self.plan, applicability="unsafe", reason="; ".join([*known, reason]))


def settle(plans: Mapping[Reached, FixPlan]) -> dict[Reached, FixPlan]:
    """The plans of single operations -> plans that are right for all operations of a function together."""
    found: dict[Scope, dict[Call, list[_Move]]] = defaultdict(lambda: defaultdict(list))
    for reached, plan in plans.items():
        found[reached.state.frame.scope][reached.call].append(_Move(reached, plan))
    settled: dict[Reached, FixPlan] = {}
    for by_call in found.values():
        # A call that is reached in several ways has one fix.
        moves = [min(same, key=lambda move: not move.is_fixed) for _, same in sorted(by_call.items(), key=_place)]
        _settle(moves)
        settled |= {other.reached: move.plan for move in moves for other in by_call[move.call]}
    return settled


def _place(item: tuple[Call, object]) -> int:
    return item[0].packed_span


def _settle(moves: list[_Move]) -> None:
    groups = _groups(moves)
    for group in groups:
        _all_or_none(group)
        _pulse(group)
        _join(group)
    for move in moves:
        for reason in _doubts(move):
            move.doubt(reason)
    for group in groups:
        _join(group)
    for at, move in enumerate(moves):
        _keep_order(move, moves[at + 1 :])
    for group in groups:
        _join(group)


def _groups(moves: Iterable[_Move]) -> list[list[_Move]]:
    """Operations on one object that may follow each other, in order."""
    groups: list[list[_Move]] = []
    for move in moves:
        mine = [g for g in groups if move.object and any(_is_partner(move, other) for other in g)]
        groups = [g for g in groups if not any(g is other for other in mine)]
        groups.append([*(other for g in mine for other in g), move])
    return [sorted(group, key=lambda move: move.call.packed_span) for group in groups]


def _is_partner(one: _Move, other: _Move) -> bool:
    return one.object == other.object and not excludes(one.scope, one.call.guard, other.call.guard)


def _all_or_none(group: list[_Move]) -> None:
    declined = next((move for move in group if not move.is_fixed), None)
    if declined is None:
        return
    for move in group:
        if move.is_fixed:
            move.decline(f"`{declined.text}` in line {declined.call.span.row} stays on this thread, and goes with it")


def _pulse(group: list[_Move]) -> None:
    """What is undone right away is one callback: between two, tasks that wait for it would run in circles."""
    for first, second in pairwise(group):
        undone = first.reached.row.undone_by
        if not first.is_fixed or not undone or last_name(second.call.func) != undone:
            continue
        if _is_next(first, second):
            start, end = first.call.span, second.call.span
            whole = Span(start.row, start.column, end.end_row, end.end_column)
            crossing = first.plan.rewrites[-1].text
            rewrites = (*first.plan.rewrites[:-1], Rewrite(whole, "pulse", crossing))
            first.plan = second.plan = replace(first.plan, rewrites=rewrites)
        else:
            first.doubt(f"a task may run between `{first.text}` and `{second.text}`")


def _is_next(first: _Move, second: _Move) -> bool:
    """Whether two calls are statements that follow one another."""
    one, other = first.call.span, second.call.span
    follows = other.row == one.end_row or (other.row == one.end_row + 1 and other.column == one.column)
    statements = first.call.role == second.call.role == "statement"
    return follows and statements and condition(first.scope, first.call) == condition(second.scope, second.call)


def _doubts(move: _Move) -> Iterator[str]:
    """What else the function does that relies on the operation being over."""
    scope, call = move.scope, move.call
    loop = _loop(move.plan)
    if move.waits:
        return
    for other in scope.calls:
        func = other.func
        if other is call or not isinstance(func, Attr) or excludes(scope, call.guard, other.guard):
            continue
        base = spell(func.base) if is_exact(func.base) else ""
        if move.object and base == move.object and not func.name.startswith("get_") and not _moves(move, other):
            yield f"`{spell(func)}` in line {other.span.row} does not wait for it"
        if loop and other.packed_span > call.packed_span and loop in _ended(other):
            yield f"the loop is stopped in line {other.span.row}"


def _moves(move: _Move, other: Call) -> bool:
    return any(_holds(rewrite.span, other.span) for rewrite in move.plan.rewrites)


def _holds(outer: Span, inner: Span) -> bool:
    starts = (outer.row, outer.column) <= (inner.row, inner.column)
    return starts and (inner.end_row, inner.end_column) <= (outer.end_row, outer.end_column)


def _loop(plan: FixPlan) -> str:
    """The loop that a plan crosses to."""
    texts = [r.text.rpartition(".")[0] if r.action == "pass" else r.text for r in plan.rewrites]
    return texts[-1] if texts else ""


def _ended(call: Call) -> Iterator[str]:
    """The loops that a call stops or closes: itself, or by what it hands over."""
    for expr in (call.func, *call.args[:1]):
        if isinstance(expr, Attr) and expr.name in _ENDS and is_exact(expr.base):
            yield spell(expr.base)


def _join(group: list[_Move]) -> None:
    """Give the operations of a group one plan."""
    if len(group) < 2 or not all(move.is_fixed for move in group):
        return
    rewrites = dict.fromkeys(rewrite for move in group for rewrite in move.plan.rewrites)
    imports = dict.fromkeys(name for move in group for name in move.plan.imports)
    reasons = dict.fromkeys(r for move in group for r in move.plan.reason.split("; ") if r)
    plan = FixPlan("unsafe" if reasons else "safe", "; ".join(reasons), tuple(rewrites), tuple(imports))
    for move in group:
        move.plan = plan


def _keep_order(move: _Move, later: Iterable[_Move]) -> None:
    """What is done at once does not wait for what was handed over before it."""
    if not move.object or move.waits:
        # What is scheduled takes its turn later in any case.
        return
    for other in later:
        stays = other.plan.applicability != "safe" and other.plan.reason != move.plan.reason
        elsewhere = other.object not in ("", move.object) and move.plan.applicability == "safe"
        if stays and elsewhere and not excludes(move.scope, move.call.guard, other.call.guard):
            move.doubt(f"`{other.text}` in line {other.call.span.row} may not move with it")


def excludes(scope: Scope, one: int, other: int) -> bool:
    """Whether control gets past only one of two guards: they are the branches of one test."""
    tests = list(_tests(scope, one))
    return any(
        mine.holds != yours.holds and mine.parent == yours.parent and _is_same(mine.test, yours.test)
        for yours in _tests(scope, other)
        for mine in tests
    )


def _tests(scope: Scope, guard: int) -> Iterator[Guard]:
    while guard >= 0:
        row = scope.guards[guard]
        if row.kind == "test":
            yield row
        guard = row.parent


def _is_same(one: Expr, other: Expr) -> bool:
    """Whether two expressions are the same in the text."""
    match one, other:
        case Name(id=mine), Name(id=yours):
            return mine == yours
        case Attr(base=base, name=mine), Attr(base=second, name=yours):
            return mine == yours and _is_same(base, second)
        case Const(value=mine), Const(value=yours):
            return mine == yours
        case Call(packed_span=mine), Call(packed_span=yours):
            return mine == yours
        case Compare(operator=mine), Compare(operator=yours):
            return mine == yours and _is_same(one.left, other.left) and _is_same(one.right, other.right)
    return one is other
