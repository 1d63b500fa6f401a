"""What tests tell of the thread that makes them: `threading.get_ident`, `asyncio.get_running_loop` and the like."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from loopsafe.contexts.spread.endings import Endings
from loopsafe.contexts.spread.helpers import Helpers, Spot
from loopsafe.facts.schema import Attr, Call, Choice, Compare, Const, Expr, Name, Not, Scope
from loopsafe.program.index import last_name
from loopsafe.program.program import Program

_POSITIVE = {"is": True, "==": True, "in": True, "is not": False, "!=": False, "not in": False}
_DEEPEST = 6
# These give a loop that does not run here, or None.
_NEVER_NONE = "get_event_loop"
_GIVES_ANYWAY = (_NEVER_NONE, "_get_running_loop")

Given = Sequence[tuple[Expr, int]]
"""Values, each with the guard under which it is given."""


class ThreadTests:
    """Decides which answers are only given on the loop's own thread.

    A test counts by what it calls, also through a variable, a property or a function of the project. `is_at_home` says
    that what stands under a guard runs on the loop's thread only.
    """

    def __init__(self, program: Program, is_at_home: Callable[[Spot, int], bool]) -> None:
        knowledge = program.knowledge
        self.helpers, self._is_at_home = Helpers(program.modules, program.index), is_at_home
        self._tells = {name.rpartition(".")[2]: row.tells for name, row in knowledge.tests.items()}
        self._runners, self._endings = knowledge.running, Endings(program.index, knowledge)
        self._answers: dict[tuple[Scope, bool | None], bool] = {}
        self._said: dict[tuple[Scope, Expr, bool, int], bool] = {}
        self._told: dict[Scope, str] = {}
        self._depth = 0

    def says(self, place: Spot, test: Expr, holds: bool) -> bool:
        """Whether this answer to the test means the loop's own thread, or that its loop does not run."""
        # What helpers return leads on to other helpers, and back.
        if self._depth > _DEEPEST:
            return False
        # Without this, names that are bound to each other many times over are asked for in every order.
        key = (place.scope, test, holds, self._depth)
        known = self._said.get(key)
        if known is None:
            self._depth += 1
            known = self._said[key] = self._says(place, test, holds)
            self._depth -= 1
        return known

    def says_none(self, place: Spot, test: Expr, holds: bool) -> bool:
        """Whether this answer to the test means that no loop is running on this thread."""
        if isinstance(test, Not):
            return self.says_none(place, test.value, not holds)
        if isinstance(test, Compare):
            others = [test.right, test.left]
            nothing = any(isinstance(side, Const) and side.value is None for side in others)
            holds, test = _POSITIVE[test.operator] != holds, next((o for o in others if not isinstance(o, Const)), test)
            return nothing and self.says_none(place, test, holds)
        return not holds and isinstance(test, (Name, Attr, Call)) and self._tell(place, test) == "loop"

    def fails_elsewhere(self, place: Spot, expr: Expr) -> bool:
        """Whether this is a call that raises on threads where no loop runs."""
        if not isinstance(expr, Call):
            return False
        helpers = self.helpers.certain(place, expr.func)
        if helpers:
            return all(self._helper_fails(helper) for helper in helpers)
        name = self._name(place, expr.func)
        return self._tells.get(name) == "loop" and name not in _GIVES_ANYWAY

    def has_ended(self, place: Spot, expr: Expr) -> bool:
        """Whether this is a call that returns only when a thread has run a loop to its end."""
        if not isinstance(expr, Call) or expr.args or expr.keywords or not isinstance(expr.func, Attr):
            return False
        if expr.func.name == "wait" and self._endings.are_told_by_event(place, expr.func.base):
            return True
        return self._told_by(place, expr.func) == "ended" and self._is_loop_thread(place, expr.func.base)

    def _says(self, place: Spot, test: Expr, holds: bool) -> bool:
        if isinstance(test, Compare):
            return self._comparison(place, test, holds)
        if isinstance(test, Not):
            return self.says(place, test.value, not holds)
        if isinstance(test, Choice):  # what a helper returns: `a and b`, `a or b`
            return any(self.says(place, option, holds) for option in test.options)
        if isinstance(test, Call):
            return self._call(place, test, holds)
        if isinstance(test, Attr) and self._endings.are_told_by_flag(place, test, holds):
            return True
        if isinstance(test, (Name, Attr)):
            return self._values_say(place, given_values(place, test), holds) or self._property(place, test, holds)
        return False

    def _call(self, place: Spot, test: Call, holds: bool) -> bool:
        tells, base = self._told_by(place, test.func), getattr(test.func, "base", None)
        if tells == "running":
            return not holds or self._tell(place, base) == "loop"
        if tells == "closed":  # many things can be closed
            return holds and (last_name(base).lower().endswith("loop") or self._tell(place, base) == "loop")
        if tells == "loop":
            return holds and last_name(test.func) != _NEVER_NONE
        if tells == "alive":
            return not holds and self._is_loop_thread(place, base)
        return self._helpers_say(place, self.helpers.called(place, test.func), holds)

    def _comparison(self, place: Spot, test: Compare, holds: bool) -> bool:
        same = _POSITIVE[test.operator] == holds
        sides = (test.left, test.right)
        for side, other in (sides, sides[::-1]):
            if isinstance(side, Const) and isinstance(side.value, bool):
                return self.says(place, other, side.value == same)
        tells = {self._tell(place, side) for side in sides}
        if any(isinstance(side, Const) and side.value is None for side in sides):
            return "loop" in tells and not same and not any(_is_always_there(place, side) for side in sides)
        return same and bool(tells & {"thread", "loop"})

    def _values_say(self, place: Spot, values: Given, holds: bool) -> bool:
        """Whether what a name holds or a function returns gives this answer at home only."""
        fitting = [(v, guard) for v, guard in values if not (isinstance(v, Const) and bool(v.value) != holds)]
        computed = [v for v, _ in fitting if not isinstance(v, Const)]
        if computed:
            return any(self.says(place, value, holds) for value in computed)
        return bool(fitting) and all(self._is_at_home(place, guard) for _, guard in fitting)

    def _property(self, place: Spot, test: Expr, holds: bool) -> bool:
        found = self.helpers.properties(place, test.name) if isinstance(test, Attr) else []
        return self._helpers_say(place, found, holds)

    def _helpers_say(self, place: Spot, helpers: list[Spot], holds: bool) -> bool:
        answers = (self._helper_says(helper, holds) for helper in helpers)
        # Of a method found by its name alone, nothing but the name says that it is the one meant.
        return bool(helpers) and (any(answers) if helpers[0].module is place.module else all(answers))

    def _helper_says(self, helper: Spot, holds: bool) -> bool:
        key = (helper.scope, holds)
        if key not in self._answers:
            self._answers[key] = False  # a helper that asks itself says nothing
            self._answers[key] = self._values_say(helper, _returned(helper), holds)
        return self._answers[key]

    def _tell(self, place: Spot, expr: Expr) -> str:
        """What an expression tells apart: itself a call of a telling function, or a name for what one gave."""
        if self._depth > _DEEPEST:
            return ""
        self._depth += 1
        told = self._told_by(place, expr.func) if isinstance(expr, Call) else ""
        for part in () if told else _behind(place, expr):
            told = told or self._tell(place, part)
        self._depth -= 1
        return told

    def _told_by(self, place: Spot, func: Expr) -> str:
        """What the result of a function tells apart."""
        helpers = self.helpers.certain(place, func)
        if not helpers and (name := self._name(place, func)) in self._tells:
            return self._tells[name]
        helpers = helpers or self.helpers.called(place, func)
        told = self._told_by_helper(helpers[0]) if helpers else ""
        return told if all(self._told_by_helper(helper) == told for helper in helpers) else ""

    def _name(self, place: Spot, func: Expr) -> str:
        return self.helpers.imported_as(place, func.id) if isinstance(func, Name) else last_name(func)

    def _told_by_helper(self, helper: Spot) -> str:
        """What a function tells apart that gives the running loop or the current task, or else None."""
        told = self._told.get(helper.scope)
        if told is None:
            self._told[helper.scope] = ""
            found = {self._tell(helper, value) for value, _ in _returned(helper)}
            told = self._told[helper.scope] = min(found & {"thread", "loop"}, default="")
        return told

    def _helper_fails(self, helper: Spot) -> bool:
        """Whether a function returns nothing but what fails elsewhere."""
        key = (helper.scope, None)
        if key not in self._answers:
            self._answers[key] = False
            calls = [value for value in helper.scope.returns if isinstance(value, Call) and value.handler < 0]
            fails = len(calls) == len(helper.scope.returns) and all(self.fails_elsewhere(helper, c) for c in calls)
            self._answers[key] = bool(calls) and fails
        return self._answers[key]

    def _is_loop_thread(self, place: Spot, thread: Expr) -> bool:
        """Whether a thread, here or by what it is called elsewhere in the file, runs a loop."""
        module, name = place.module, last_name(thread)
        makers = [(Spot(module, s), value) for s in module.facts.scopes for value in _made_as(s, name)]
        if isinstance(thread, Name) and not makers:  # a subclass asks itself
            return self._runs_loop(place, Attr(thread, "run"), set())
        return any(self._starts_loop(at, call) for at, call in makers if isinstance(call, Call))

    def _starts_loop(self, place: Spot, made: Call) -> bool:
        """Whether a thread that is made like this runs a loop."""
        seen: set[Scope] = set()
        targets = [value for keyword, value in made.keywords if keyword == "target"]
        if any(self._runs_loop(place, target, seen) for target in targets):
            return True
        runs = self.helpers.methods_of(last_name(made.func), "run")
        return any(self._runs_loop(run, call.func, seen) for run in runs for call in run.scope.calls)

    def _runs_loop(self, place: Spot, func: Expr, seen: set[Scope]) -> bool:
        """Whether a call of this runs a loop, itself or in what it calls by name or on `self`."""
        entered = self.helpers.certain(place, func)
        if not entered:
            return last_name(func) in self._runners
        fresh = [helper for helper in entered if helper.scope not in seen]
        seen |= {helper.scope for helper in fresh}
        return any(self._runs_loop(helper, call.func, seen) for helper in fresh for call in helper.scope.calls)


def given_values(place: Spot, expr: Expr) -> list[tuple[Expr, int]]:
    """What a function binds to a name or stores in an attribute, each with the guard under which it does."""
    scope = place.scope
    if isinstance(expr, Name):
        values = scope.bindings.get(expr.id, ())
        return list(zip(values, scope.bound_under.get(expr.id, (-1,) * len(values)), strict=True))
    if isinstance(expr, Attr) and isinstance(expr.base, Name):
        return [(s.value, s.guard) for s in scope.stores if _is_same(s.base, expr.base) and s.name == expr.name]
    return []


def _is_always_there(place: Spot, expr: Expr) -> bool:
    """Whether it is a loop that is looked up for want of a running one, which is never None."""
    looked_up = (part for part in (expr, *_behind(place, expr)) if isinstance(part, Call))
    return any(last_name(call.func) == _NEVER_NONE for call in looked_up)


def _made_as(scope: Scope, name: str) -> list[Expr]:
    """What a function binds to a name or stores in any attribute of that name."""
    return [*scope.bindings.get(name, ()), *(store.value for store in scope.stores if store.name == name)]


def _returned(helper: Spot) -> Given:
    return list(zip(helper.scope.returns, helper.scope.returned_under, strict=True))


def _behind(place: Spot, expr: Expr) -> list[Expr]:
    """The expressions in whose place this one stands."""
    if isinstance(expr, Choice):
        return list(expr.options)
    found = [value for value, _ in given_values(place, expr)]
    if isinstance(expr, Attr) and isinstance(expr.base, (Call, Name)):  # `threading.current_thread().ident`
        found.append(expr.base)
    return found


def _is_same(base: Expr, other: Name) -> bool:
    return isinstance(base, Name) and base.id == other.id
