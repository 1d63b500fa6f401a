"""Guards: tests that tell whether this is the loop's own thread."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.contexts.spread.exclusion import outwards
from loopsafe.contexts.spread.helpers import Spot
from loopsafe.contexts.spread.thread_tests import ThreadTests, given_values
from loopsafe.facts.schema import Attr, Call, Choice, Collection, Compare, Const, Expr, Guard, Name, Ref, Scope
from loopsafe.program.graph import Entered, Library, Target
from loopsafe.program.index import last_name
from loopsafe.program.modules import Module
from loopsafe.program.program import Program

_CROSSINGS = ("call_soon_threadsafe", "run_coroutine_threadsafe")
_WINDOWS = ("win32", "nt", "Windows", "cygwin")
_SIGNAL_SETTERS = ("add_signal_handler", "open_signal_receiver")


class Guards:
    """Decides which guards can only be passed on the loop's own thread."""

    def __init__(self, program: Program) -> None:
        self._tests = ThreadTests(program, self._is_at_home)
        self._verdicts: dict[tuple[int, int, int], bool] = {}
        self._under: dict[tuple[int, int, int], bool] = {}
        self._deciding = 0

    def only_on_loop(self, module: Module, scope: Scope, guard: int) -> bool:
        """Whether what stands under this guard runs only on the loop's own thread, or while its loop does not run."""
        return self._is_at_home(Spot(module, scope), guard)

    def only_in_a_step(self, module: Module, scope: Scope, guard: int) -> bool:
        """The same for a signal's handler: between two steps of the loop, its thread has a running loop as well."""
        place = Spot(module, scope)
        while guard >= 0:
            row = scope.guards[guard]
            if not self._finds_a_loop(place, row) and self._decide(place, row, (module.index, scope.index, guard)):
                return True
            guard = row.parent
        return False

    def _finds_a_loop(self, place: Spot, row: Guard) -> bool:
        """Whether what stands there comes after a look-up of the running loop."""
        looks = row.kind == "after" or (row.kind == "try" and row.holds)
        return looks and self._tests.fails_elsewhere(place, row.test)

    def only_without_loop(self, module: Module, scope: Scope, guard: int) -> bool:
        """Whether what stands under this guard runs only where no loop is running."""
        place = Spot(module, scope)
        return any(self._lacks_loop(place, row) for row in outwards(scope, guard))

    def _lacks_loop(self, place: Spot, row: Guard) -> bool:
        if row.kind == "test":
            return self._tests.says_none(place, row.test, row.holds)
        return self._has_failed_elsewhere(place, row)

    def chosen_on_loop(self, module: Module, scope: Scope, func: Expr, target: Target) -> bool:
        """Whether what is called, a variable or a condition, is this target only where it was chosen on the loop."""
        place = Spot(module, scope)
        chosen = [guard for value, bound in _chosen(place, func) for guard in _meaning(place, value, bound, target)]
        return bool(chosen) and all(self._is_at_home(place, guard) for guard in chosen)

    def is_fallback(self, scope: Scope, guard: int) -> bool:
        """Whether this is for loops that cannot watch for signals themselves: on Windows, where signals wake them."""
        return any(_lacks_signals(scope, row) for row in outwards(scope, guard))

    def _is_at_home(self, place: Spot, guard: int) -> bool:
        """Whether a guard, or one around it, can only be passed there."""
        passed: list[tuple[int, int, int]] = []
        verdict = False
        while guard >= 0 and not verdict:
            key = (place.module.index, place.scope.index, guard)
            known = self._under.get(key)
            if known is not None:
                verdict = known
                break
            passed.append(key)
            row = place.scope.guards[guard]
            verdict, guard = self._decide(place, row, key), row.parent
        # There are as many as statements: what holds under one is kept, unless it hangs on what is being worked out.
        if not self._deciding:
            self._under.update(dict.fromkeys(passed, verdict))
        return verdict

    def _decide(self, place: Spot, row: Guard, key: tuple[int, int, int]) -> bool:
        if key not in self._verdicts:
            self._verdicts[key] = False  # a helper that asks itself says nothing
            self._deciding += 1
            self._verdicts[key] = self._is_on_loop(place, row)
            self._deciding -= 1
        return self._verdicts[key]

    def _is_on_loop(self, place: Spot, guard: Guard) -> bool:
        test, tests = guard.test, self._tests
        if guard.kind == "after":
            returned = tests.fails_elsewhere(place, test) or tests.has_ended(place, test)
            return returned or (isinstance(test, Call) and self._asserts(place, test))
        if guard.kind == "try":
            return guard.holds and tests.fails_elsewhere(place, test)
        if guard.kind == "except":
            return self._is_refused(place, test)
        return tests.says(place, test, guard.holds)

    def _is_refused(self, place: Spot, handler: Expr) -> bool:
        """Whether a loop has not taken what was handed over to it: it is closed, and nobody runs it any more."""
        scope = place.scope
        number = handler.value if isinstance(handler, Const) else None
        if not isinstance(number, int) or set(scope.handlers[number].exceptions) != {"RuntimeError"}:
            return False
        tried = [call for call in scope.calls if _is_caught(scope, call.handler, number)]
        handed = any(last_name(call.func) in _CROSSINGS for call in tried)
        return handed and not any(self._tests.fails_elsewhere(place, call) for call in tried)

    def _asserts(self, place: Spot, test: Call) -> bool:
        """A function of the project that raises unless it is on the loop's thread."""
        helpers = self._tests.helpers.called(place, test.func)
        return bool(helpers) and all(self._raises_elsewhere(helper) for helper in helpers)

    def _raises_elsewhere(self, helper: Spot) -> bool:
        """Whether a function has a `raise` for other threads only."""
        rows = (row for guard in helper.scope.raises for row in outwards(helper.scope, guard))
        return any(self._is_elsewhere(helper, row) for row in rows)

    def _is_elsewhere(self, place: Spot, row: Guard) -> bool:
        if row.kind == "test":
            return self._tests.says(place, row.test, not row.holds)
        return self._has_failed_elsewhere(place, row)

    def _has_failed_elsewhere(self, place: Spot, row: Guard) -> bool:
        return row.kind == "try" and not row.holds and self._tests.fails_elsewhere(place, row.test)


def is_under_windows(scope: Scope, guard: int) -> bool:
    """Whether the innermost comparison with the name of Windows around says that this is Windows, or all in an `or`."""
    rows = list(outwards(scope, guard))
    sure = (is_it for row in rows if row.kind == "test" and (is_it := _is_windows(row.test, row.holds)) is not None)
    either = [_is_windows(row.test, row.holds) for row in rows if row.kind == "some"]
    return next(sure, bool(either) and all(either))


def _is_windows(test: Expr, holds: bool) -> bool | None:
    """Whether an answer says that this is Windows; None where it says nothing."""
    if isinstance(test, Compare):
        names = test.right.items if isinstance(test.right, Collection) else (test.left, test.right)
        known = any(isinstance(name, Const) and name.value in _WINDOWS for name in names)
        return (test.operator in ("==", "is", "in")) == holds if known else None
    given = test.args[0] if isinstance(test, Call) and test.args and last_name(test.func) == "startswith" else None
    return holds if isinstance(given, Const) and given.value == "win" else None


def _lacks_signals(scope: Scope, row: Guard) -> bool:
    """Whether something that sets a signal handler of the loop has failed, or this is Windows."""
    if row.kind == "except" and isinstance(row.test, Const):
        tried = (c for c in scope.calls if last_name(c.func) in _SIGNAL_SETTERS)
        return any(_is_caught(scope, call.handler, row.test.value) for call in tried)
    if row.kind != "test":
        return False
    asked = last_name(row.test)
    return _is_windows(row.test, row.holds) or "windows" in asked.lower() or "add_signal_handler" in asked


def _is_caught(scope: Scope, handler: int, wanted: object) -> bool:
    """Whether what stands under `handler` stands under the `wanted` one."""
    while handler >= 0 and handler != wanted:
        handler = scope.handlers[handler].parent
    return handler == wanted


def _chosen(place: Spot, func: Expr) -> list[tuple[Expr, int]]:
    """What a called variable may hold, with the guard under which it was bound; what a called condition may give."""
    values = given_values(place, func) if isinstance(func, Name) else [(func, -1)] if isinstance(func, Choice) else []
    return [(option, guard) for value, guard in values for option in options(value)]


def options(value: Expr) -> tuple[Expr, ...]:
    """What a condition may give; of anything else, itself."""
    return value.options if isinstance(value, Choice) else (value,)


def _meaning(place: Spot, value: Expr, bound: int, target: Target) -> Iterator[int]:
    """The guards under which a value that means the target is taken."""
    # Through a `partial` or the like.
    for part in (value, *(value.args if isinstance(value, Call) else ())):
        if isinstance(part, Ref):
            means = isinstance(target, Entered) and place.module.facts.scopes[part.scope] is target.function.scope
        else:
            means = isinstance(part, (Attr, Name)) and last_name(part) == _name_of(target)
        if means:
            yield next((read.guard for read in place.scope.reads if read.attr is part), bound)


def _name_of(target: Target) -> str:
    return target.name.rpartition(".")[2] if isinstance(target, Library) else target.function.scope.name
