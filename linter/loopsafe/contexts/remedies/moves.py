"""What moves together: the operations of a function on one object keep their order, so all are handed over or none."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import TypeVar

from loopsafe.contexts.places.flow import Reached
from loopsafe.contexts.remedies.refusals import question_for
from loopsafe.contexts.remedies.rivals import ENDS
from loopsafe.contexts.spread.exclusion import Exclusion, asked_around, asked_before, condition
from loopsafe.facts.schema import Attr, Call, Scope
from loopsafe.facts.spelling import is_exact, spell
from loopsafe.findings import FixPlan, Rewrite
from loopsafe.locations import Span
from loopsafe.program.index import last_name

# Each stands for itself: that two of them are done shows no order on which others rely.
_ALONE = ("loop-call", "task-creation", "lookup")
_MOST_TOGETHER = 50
# Each is compared with each.
_MOST_IN_FUNCTION = 200
_TOO_MANY = FixPlan("declined", f"its function has more than {_MOST_IN_FUNCTION} such operations")
_Item = TypeVar("_Item")


@dataclass(slots=True, eq=False)
class _Move:
    """One operation, and what is to become of it."""

    reached: Reached
    plan: FixPlan

    @property
    def call(self) -> Call:
        return self.reached.call

    @property
    def text(self) -> str:
        return spell(self.call.func)

    @property
    def object(self) -> str:
        """The text of the object it is done to; empty where it stands alone."""
        alone = self.reached.row.category in _ALONE or self.reached.started is not None
        return "" if alone else _object(self.call)

    @property
    def is_fixed(self) -> bool:
        return self.plan.applicability != "declined"

    @property
    def is_ordered(self) -> bool:
        """Whether the library sees to the order itself: by a twin, or a way across that waits."""
        return bool(self.reached.row.crossing or self.reached.row.twin)

    def decline(self, reason: str) -> None:
        self.plan = FixPlan("declined", reason)

    def doubt(self, reason: str) -> None:
        known = self.plan.reason.split("; ") if self.plan.reason else []
        if self.is_fixed and reason not in known:
            self.plan = replace(self.plan, applicability="unsafe", reason="; ".join([*known, reason]))


def crowded(operations: Iterable[Reached]) -> set[Scope]:
    """The functions of so many operations that none of them is fixed."""
    calls: dict[Scope, set[Call]] = defaultdict(set)
    for reached in operations:
        calls[reached.state.frame.scope].add(reached.call)
    return {scope for scope, found in calls.items() if len(found) > _MOST_IN_FUNCTION}


def settle(operations: Collection[Reached], plan: Callable[[Reached], FixPlan]) -> dict[Reached, FixPlan]:
    """The plans of single operations -> plans that are right for all operations of a function together."""
    found: dict[Scope, dict[Call, list[Reached]]] = defaultdict(lambda: defaultdict(list))
    for reached in operations:
        found[reached.state.frame.scope][reached.call].append(reached)
    settled: dict[Reached, FixPlan] = {}
    too_many = crowded(operations)
    for scope, by_call in found.items():
        if scope in too_many:
            settled |= dict.fromkeys((reached for same in by_call.values() for reached in same), _TOO_MANY)
            continue
        # A call that is reached in several ways has one fix.
        ways = ((_Move(reached, plan(reached)) for reached in same) for same in by_call.values())
        best = (min(moves, key=lambda move: not move.is_fixed) for moves in ways)
        moves = sorted(best, key=lambda move: move.call.packed_span)
        _Settlement(scope, moves).settle()
        settled |= {other: move.plan for move in moves for other in by_call[move.call]}
    return settled


class _Settlement:
    """Works out the plans for one function."""

    def __init__(self, scope: Scope, moves: list[_Move]) -> None:
        self._scope, self._moves = scope, moves
        self._exclusion = Exclusion(scope)
        self._calls: dict[str, list[Call]] = defaultdict(list)
        for call in scope.calls:
            self._calls[_object(call)].append(call)
        self._ends = [(call, loop) for call in scope.calls for loop in _ended(call)]

    def settle(self) -> None:
        groups = self._groups()
        self._renew()
        for group in groups:
            _all_or_none(group)
            self._pulse(group)
            self._take_along(group)
        for group in groups:
            self._doubt(group)
            _join(group)
        self._keep_order(groups)

    def _renew(self) -> None:
        """What ends a task and puts a new one in its place is one step for the loop, or none."""
        for move in self._moves:
            stores = (store for store in self._scope.stores if store.value is move.call and store.name)
            slots = {f"{spell(store.base)}.{store.name}" for store in stores}
            ended = [o for o in self._moves if o.object in slots and o.call.packed_span < move.call.packed_span]
            for each in [*ended, move] if ended and move.reached.row.fix == "coroutine" else ():
                each.decline(f"`{min(slots)}` is ended and made anew: hand over one function that does both")

    def _groups(self) -> list[list[_Move]]:
        """Operations on one object that may follow each other, in order."""
        alike: dict[tuple[object, ...], list[_Move]] = defaultdict(list)
        for move in self._moves:
            alone = None if move.object else move.call
            alike[move.object, self._exclusion.tests(move.call.guard), alone].append(move)
        groups = list(alike.values())
        for one, other in combinations(list(groups), 2):
            if self._follow(one[0], other[0]):
                mine, yours = (next(g for g in groups if first[0] in g) for first in (one, other))
                if mine is not yours:
                    mine += yours
                    groups.remove(yours)
        return [sorted(group, key=lambda move: move.call.packed_span) for group in groups]

    def _follow(self, one: _Move, other: _Move) -> bool:
        same = bool(one.object) and one.object == other.object
        return same and not self._exclusion.holds(one.call.guard, other.call.guard)

    def _pulse(self, group: list[_Move]) -> None:
        """What is undone right away is one callback: between two, tasks that wait for it would run in circles."""
        for first, second in pairwise(group):
            undone = first.reached.row.undone_by
            if not first.is_fixed or not undone or last_name(second.call.func) != undone:
                continue
            if self._is_next(first.call, second.call):
                start, end = first.call.span, second.call.span
                whole = Span(start.row, start.column, end.end_row, end.end_column)
                pulse = Rewrite(whole, "pulse", first.plan.rewrites[-1].text)
                first.plan = second.plan = replace(first.plan, rewrites=(*first.plan.rewrites[:-1], pulse))
            else:
                first.doubt(f"a task may run between `{first.text}` and `{second.text}`")

    def _take_along(self, group: list[_Move]) -> None:
        """A question that decides on an operation alone is asked when that is done: `if not f.done(): ...`.

        So is one that tells whether it would fail, where a `try` is around it and nothing else. What decides on
        more stays, and is asked again.
        """
        for move in group:
            rewrites = move.plan.rewrites
            if not move.is_fixed or move.is_ordered or rewrites[-1].action != "pass":
                continue
            question = question_for(move.reached)
            asked = {refusal.asked for refusal in move.reached.row.refused}
            guarded = asked_before(self._scope, move.call) is not None or asked_around(self._scope, move.call, asked)
            if question or guarded:
                unless = replace(rewrites[-1], action="unless", question=question)
                move.plan = replace(move.plan, rewrites=(*rewrites[:-1], unless))

    def _is_next(self, first: Call, second: Call) -> bool:
        """Whether two calls are statements that follow one another."""
        one, other = first.span, second.span
        follows = other.row == one.end_row or (other.row == one.end_row + 1 and other.column == one.column)
        statements = first.role == second.role == "statement"
        return follows and statements and condition(self._scope, first) == condition(self._scope, second)

    def _doubt(self, group: list[_Move]) -> None:
        """Say what else the function does that relies on the operations being over."""
        moved = {move.call.packed_span for move in group}
        moved |= {asked.packed_span for m in group if (asked := asked_before(self._scope, m.call)) is not None}
        others = self._calls[group[0].object] if group[0].object else ()
        asking = [call for call in others if call.packed_span not in moved and not _gets(call)]
        for move in group:
            if move.is_fixed and not move.is_ordered:
                for call in asking:
                    if not self._exclusion.holds(move.call.guard, call.guard):
                        move.doubt(f"`{spell(call.func)}` in line {call.span.row} does not wait for it")
                self._doubt_end(move)

    def _doubt_end(self, move: _Move) -> None:
        loop = _loop(move.plan)
        for call, ended in self._ends:
            later = call.packed_span > move.call.packed_span
            if ended == loop and later and not self._exclusion.holds(move.call.guard, call.guard):
                move.doubt(f"the loop is stopped in line {call.span.row}")

    def _keep_order(self, groups: list[list[_Move]]) -> None:
        """What is done at once does not wait for what was handed over before it."""
        together = {id(move): group for group in groups for move in group}
        staying = deque(move for move in self._moves if move.object and move.plan.applicability != "safe")
        while staying:
            other = staying.popleft()
            for move in self._moves:
                # What is scheduled takes its turn later in any case.
                is_safe = move.object and not move.is_ordered and move.plan.applicability == "safe"
                if is_safe and self._overtakes(other, move):
                    move.doubt(f"`{other.text}` in line {other.call.span.row} may not move with it")
                    _join(together[id(move)])
                    # In doubt, too, and may stay.
                    staying += together[id(move)]

    def _overtakes(self, other: _Move, move: _Move) -> bool:
        later = other.call.packed_span > move.call.packed_span and other.object != move.object
        return later and not self._exclusion.holds(move.call.guard, other.call.guard)


def _object(call: Call) -> str:
    """The text of what the method of a call belongs to; empty where each evaluation may give another object."""
    text = spell(call.func.base) if isinstance(call.func, Attr) else ""
    return "" if "(" in text or "..." in text else text


def _gets(call: Call) -> bool:
    """`get_loop`, `get_name` and such ask for what does not change."""
    return last_name(call.func).startswith("get_")


def _all_or_none(group: list[_Move]) -> None:
    declined = next((move for move in group if not move.is_fixed), None)
    if declined is not None:
        for move in group:
            if move.is_fixed:
                place = f"`{declined.text}` in line {declined.call.span.row}"
                move.decline(f"{place} stays on this thread, and goes with it")


def _loop(plan: FixPlan) -> str:
    """The loop that a plan crosses to."""
    texts = [
        r.text.rpartition(".")[0] if r.action in ("pass", "task", "pulse", "unless") else r.text for r in plan.rewrites
    ]
    return texts[-1] if texts else ""


def _ended(call: Call) -> Iterator[str]:
    """The loops that a call stops or closes: itself, or by what it hands over."""
    for expr in (call.func, *call.args[:1]):
        if isinstance(expr, Attr) and expr.name in ENDS and is_exact(expr.base):
            yield spell(expr.base)


def _join(group: list[_Move]) -> None:
    """Give the operations of a group one plan."""
    if len(group) < 2 or not all(move.is_fixed for move in group):
        return
    reason = "; ".join(_distinct(r for move in group for r in move.plan.reason.split("; ") if r))
    joined = FixPlan(
        "unsafe" if reason else "safe",
        reason,
        _distinct(rewrite for move in group for rewrite in move.plan.rewrites),
        _distinct(name for move in group for name in move.plan.imports),
    )
    for move in group:
        # Of very many, each would have to carry the changes of all.
        few = len(group) <= _MOST_TOGETHER
        own = joined if few else replace(joined, rewrites=move.plan.rewrites, imports=move.plan.imports)
        move.plan = own


def _distinct(items: Iterable[_Item]) -> tuple[_Item, ...]:
    return tuple(dict.fromkeys(items))
