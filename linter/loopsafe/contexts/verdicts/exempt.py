"""What is no mistake though it is reached off a loop: by what it is given, by what it may be, by what comes next."""

from __future__ import annotations

from collections.abc import Sequence

from loopsafe.contexts.places.flow import Reached
from loopsafe.contexts.places.place import LOOP, Hop, State
from loopsafe.contexts.spread.exclusion import condition, surrounds
from loopsafe.contexts.spread.handlers import expected_exceptions
from loopsafe.contexts.spread.helpers import Helpers, Spot
from loopsafe.facts.schema import Attr, Call, Choice, Compare, Const, Expr, Scope
from loopsafe.program.index import last_name
from loopsafe.program.program import Program
from loopsafe.program.values import External, Frame, Instance, Member, Object

_ENDING = {"exit", "_exit", "quit", "abort"}
_WINDOWS = {"win32", "nt", "Windows"}
_NO_LOOP = {"RuntimeError", "Exception", "BaseException"}


def is_ambiguous(reached: Reached, program: Program) -> bool:
    """Whether the receiver may as well be of a library class known not to belong to a loop."""
    func, frame, guard = reached.call.func, reached.state.frame, reached.call.guard
    if reached.started is not None:
        return False
    if isinstance(func, Attr):
        receivers = list(program.under(frame, func.base, guard).values)
    else:
        receivers = [v.receiver for v in program.under(frame, func, guard).values if isinstance(v, Member)]
    held = [value for value in receivers if isinstance(value, Object)]
    # What is declared does not count where something comes along.
    held = [v for v in held if v.frame is not None] or held
    return any(not program.knowledge.is_loop_bound(v.type) for v in held)


def is_harmless(reached: Reached, program: Program) -> bool:
    """Whether the operation only hands its argument back, or looks up a loop that nobody asks for on this thread."""
    wanted, call = reached.row.harmless_with, reached.call
    if reached.started is not None:
        return reached.row.category == "lookup"
    if any(keyword in reached.row.unless_given for keyword, _ in call.keywords):
        return True
    given = program.evaluate(reached.state.frame, call.args[0]).values if wanted and call.args else {}
    return any(isinstance(v, Object) and wanted in program.knowledge.lineage(v.type) for v in given)


def is_a_loop(frame: Frame, program: Program) -> bool:
    """Whether the code is part of an event loop: a class that extends asyncio's."""
    at: Frame | None = frame
    while at is not None and not isinstance(at.receiver, Instance):
        at = at.parent
    if at is None or not isinstance(at.receiver, Instance):
        return False
    bases = program.classes.library_bases(at.receiver.cls)
    return any(LOOP in program.knowledge.lineage(base) for base in bases)


def is_expected_to_fail(reached: Reached, states: Sequence[State], hops: Sequence[Hop]) -> bool:
    """Whether the code that looks for a loop, or who calls it on the way, knows that there may be none.

    `hops` lead to `states`. Handlers of signals run on the main thread, where the loop usually is.
    """
    if reached.state.place.kind == "signal":
        return True
    left = ((state.frame.scope, _call_at(state.frame.scope, hop)) for state, hop in zip(states, hops[1:], strict=False))
    way = [*left, (reached.state.frame.scope, reached.call)]
    return any(call is not None and expected_exceptions(scope, call.handler) & _NO_LOOP for scope, call in way)


def has_a_policy(reached: Reached, program: Program) -> bool:
    """Whether the file sets a policy that is none of a library's, and may give every thread a loop."""
    module = reached.state.frame.module
    if last_name(reached.call.func) == "get_running_loop":
        return False
    made = [
        program.classes.resolve(frame, argument.func)
        for at, scope, call in program.index.callers("set_event_loop_policy")
        if at is module
        for frame in program.classes.frames(module, scope)
        for argument in call.args
        if isinstance(argument, Call)
    ]
    # What no import gives is none of a library's.
    return any(not isinstance(policy, External) or policy.name.startswith("builtins.") for policy in made)


def _call_at(scope: Scope, hop: Hop) -> Call | None:
    return next((call for call in scope.calls if call.packed_span == hop.packed_span), None)


def needs_a_running_loop(reached: Reached, states: Sequence[State], hops: Sequence[Hop], program: Program) -> bool:
    """Whether it is only done where a loop is seen to run: not by the thread that is to run that loop later.

    `hops` lead to `states`.
    """
    left = (_call_at(state.frame.scope, hop) for state, hop in zip(states, hops[1:], strict=False))
    calls = [*zip(states, left, strict=False), (reached.state, reached.call)]
    return any(call is not None and _asks_for_a_running_loop(state.frame, call.guard, program) for state, call in calls)


def _asks_for_a_running_loop(frame: Frame, guard: int, program: Program) -> bool:
    telling = {name.rpartition(".")[2] for name, row in program.knowledge.tests.items() if row.tells == "running"}
    while guard >= 0:
        at = frame.scope.guards[guard]
        if at.kind == "test" and at.holds and isinstance(at.test, Call):
            helpers = Helpers(program.modules, program.index).called(Spot(frame.module, frame.scope), at.test.func)
            answers = [answer for helper in helpers for answer in helper.scope.returns]
            if any(last_name(part) in telling for answer in (at.test, *answers) for part in _options(answer)):
                return True
        guard = at.outer
    return False


def _options(expr: Expr) -> Sequence[Expr]:
    return expr.options if isinstance(expr, Choice) else (expr,)


def ends_the_process(reached: Reached) -> bool:
    """Whether the function ends the program right after: then there is nothing left to wake."""
    scope, call = reached.state.frame.scope, reached.call
    after = (c for c in scope.calls if last_name(c.func) in _ENDING and c.packed_span > call.packed_span)
    return any(surrounds(scope, condition(scope, c), condition(scope, call)) for c in after)


def is_for_windows(hop: Hop) -> bool:
    """Whether a handler is set under Windows only, where asyncio's usual loop is woken by signals."""
    for scope in hop.module.facts.scopes:
        for call in scope.calls:
            if call.packed_span == hop.packed_span:
                named = any(isinstance(given, Attr) and given.name == "SIGBREAK" for given in call.args)
                return named or _is_under_windows(scope, call.guard)
    return False


def _is_under_windows(scope: Scope, guard: int) -> bool:
    while guard >= 0:
        at = scope.guards[guard]
        sides = (at.test.left, at.test.right) if isinstance(at.test, Compare) else ()
        windows = any(isinstance(side, Const) and side.value in _WINDOWS for side in sides)
        if at.kind == "test" and windows and isinstance(at.test, Compare):
            return (at.test.operator in ("==", "is")) == at.holds
        guard = at.outer
    return False


def wakes_itself(program: Program) -> bool:
    """Whether the program makes a loop that needs no waking by handlers of signals."""
    types = {name for name, row in program.knowledge.classes.items() if row.wakes_itself}
    sites = [site for name in sorted(types) for site in program.index.callers(name.rpartition(".")[2])]
    made = [program.evaluate(program.classes.plain_frame(module, scope), call) for module, scope, call in sites]
    program.solver.run()
    return any(isinstance(value, Object) and value.type in types for node in made for value in node.values)


def is_woken(reached: Reached, program: Program) -> bool:
    """Whether the function goes on to wake the loop: in a signal handler on its thread that is all that lacks."""
    scope, call = reached.state.frame.scope, reached.call
    knowledge = program.knowledge
    crossing = {name for name, rows in knowledge.runs.items() if any(row.crossing for row in rows)}
    wakers = {name.rpartition(".")[2] for name in crossing - knowledge.operations.keys()}
    after = (c for c in scope.calls if last_name(c.func) in wakers and c.packed_span > call.packed_span)
    return any(surrounds(scope, condition(scope, c), condition(scope, call)) for c in after)
