"""What is no mistake though it is reached off a loop: by what it is given, by what it may be, by what comes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loopsafe.contexts.places.flow import Reached
from loopsafe.contexts.places.place import LOOP, Hop, State
from loopsafe.contexts.spread.exclusion import Exclusion, condition, is_under_handler, outwards, surrounds
from loopsafe.contexts.spread.guards import is_under_windows, options
from loopsafe.contexts.spread.handlers import expected_exceptions
from loopsafe.contexts.spread.helpers import Helpers, Spot
from loopsafe.contexts.verdicts.chosen import question
from loopsafe.contexts.verdicts.made import given_for
from loopsafe.facts.enclosing import call_at
from loopsafe.facts.schema import Attr, Call, Guard, Scope, Star
from loopsafe.facts.spelling import is_none, is_same_name
from loopsafe.knowledge.load import Knowledge
from loopsafe.program.index import last_name
from loopsafe.program.program import Program
from loopsafe.program.values import (
    Container,
    Coroutine,
    External,
    Frame,
    Function,
    Instance,
    Member,
    Method,
    Object,
    Value,
)

_ENDING = {"exit", "_exit", "quit", "abort"}
# Through so many functions one is looked for that ends the program.
_DEEPEST = 3
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
    given = (*(keyword for keyword, _ in call.keywords), *map(str, range(len(call.args))))
    if any(name in reached.row.unless_given for name in given):
        return True
    first = call.args[0] if wanted and call.args else None
    if isinstance(first, Star):
        # What is not seen to be a coroutine is a future, which knows its loop.
        return not any(isinstance(v, Coroutine) for v in _elements(first, reached.state.frame, program))
    held = program.evaluate(reached.state.frame, first).values if first else {}
    return any(isinstance(v, Object) and wanted in program.knowledge.lineage(v.type) for v in held)


def is_run_next(reached: Reached, program: Program) -> bool:
    """Whether the function goes on to run the very loop: then nobody runs it yet."""
    scope, call, knowledge = reached.state.frame.scope, reached.call, program.knowledge
    if not isinstance(reached.receiver, Object) or not knowledge.is_a_loop(reached.receiver.type):
        return False
    loop = call.func.base if isinstance(call.func, Attr) else None
    running = [
        one
        for one in scope.calls
        if one.packed_span > call.packed_span
        and isinstance(one.func, Attr)
        and one.func.name in knowledge.running
        and is_same_name(one.func.base, loop)
    ]
    exclusion = Exclusion(scope) if running else None
    return exclusion is not None and not all(exclusion.holds(call.guard, one.guard) for one in running)


def is_never_interrupted(reached: Reached) -> bool:
    """Whether it stands where only Ctrl-C leads, which Python raises on the main thread alone."""
    return any(row.kind == "interrupt" for row in outwards(reached.state.frame.scope, reached.call.guard))


def is_over(reached: Reached) -> bool:
    """Whether what is cancelled has ended: its result was asked for, which raises before that."""
    scope, func, guard = reached.state.frame.scope, reached.call.func, reached.call.guard
    if reached.row.category != "future" or not isinstance(func, Attr) or func.name != "cancel":
        return False
    while guard >= 0:
        row = scope.guards[guard]
        asked = row.test.func if isinstance(row.test, Call) and row.kind in ("test", "after", "try") else None
        if isinstance(asked, Attr) and is_same_name(asked.base, func.base) and _tells_of_an_end(asked.name, row):
            return True
        guard = row.parent
    return False


def _tells_of_an_end(name: str, row: Guard) -> bool:
    if name == "done":
        return row.kind == "test" and row.holds
    return name in ("result", "exception") and (row.kind != "try" or row.holds)


def is_given(reached: Reached, states: Sequence[State], hops: Sequence[Hop]) -> bool:
    """Whether a loop is looked up for want of an argument that the call before gives."""
    frame = reached.state.frame
    before = call_at(states[-2].frame.scope, hops[-1].packed_span) if len(states) > 1 else None
    if before is None:
        return False
    for row in outwards(frame.scope, reached.call.guard):
        asked = question(row.test, frame) if row.kind == "test" else None
        lacks = asked is not None and (asked[1] == row.holds) == asked[0].is_none
        given = given_for(before, frame, asked[0].parameter) if lacks and asked is not None else None
        if given is not None and not is_none(given):
            return True
    return False


def _elements(star: Star, frame: Frame, program: Program) -> set[Value]:
    """What the container behind a star holds."""
    held = program.evaluate(frame, star.value)
    program.solver.run()
    contents = [program.content(value, None) for value in held.values if isinstance(value, Container)]
    program.solver.run()
    return {value for node in contents for value in node.values}


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
    way = _way(reached, states, hops)
    return any(expected_exceptions(frame.scope, call.handler) & _NO_LOOP for frame, call in way)


def is_provided_for(reached: Reached, knowledge: Knowledge) -> bool:
    """Whether what needs a running loop is tried, and where there is none the work goes over to one or is run here."""
    scope, handler = reached.state.frame.scope, reached.call.handler
    if not reached.row.needs_running_loop or "RuntimeError" not in expected_exceptions(scope, handler):
        return False
    others = knowledge.crossings | knowledge.running
    return any(last_name(c.func) in others and is_under_handler(scope, c.guard, handler) for c in scope.calls)


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


def _way(reached: Reached, states: Sequence[State], hops: Sequence[Hop]) -> Iterator[tuple[Frame, Call]]:
    """The calls on the way to an operation, itself the last, and where they are made. `hops` lead to `states`."""
    for state, hop in zip(states, hops[1:], strict=False):
        call = call_at(state.frame.scope, hop.packed_span)
        if call is not None:
            yield state.frame, call
    yield reached.state.frame, reached.call


def needs_a_running_loop(
    reached: Reached, states: Sequence[State], hops: Sequence[Hop], helpers: Helpers, knowledge: Knowledge
) -> bool:
    """Whether it is only done where a loop is seen to run: not by the thread that is to run that loop later.

    `hops` lead to `states`.
    """
    telling = {name.rpartition(".")[2] for name, row in knowledge.tests.items() if row.tells == "running"}
    for frame, call in _way(reached, states, hops):
        for row in outwards(frame.scope, call.guard):
            if row.kind == "test" and row.holds and isinstance(row.test, Call):
                called = helpers.called(Spot(frame.module, frame.scope), row.test.func)
                answers = (row.test, *(answer for helper in called for answer in helper.scope.returns))
                if any(last_name(part) in telling for answer in answers for part in options(answer)):
                    return True
    return False


def ends_the_process(reached: Reached, states: Sequence[State], hops: Sequence[Hop], program: Program) -> bool:
    """Whether a function on the way ends the program right after: then there is nothing left to wake.

    `hops` lead to `states`.
    """
    for frame, call in _way(reached, states, hops):
        scope = frame.scope
        after = (c for c in scope.calls if c.packed_span > call.packed_span)
        sure = (c for c in after if surrounds(scope, condition(scope, c), condition(scope, call)))
        if any(_ends(frame, c, program, _DEEPEST) for c in sure):
            return True
    return False


def _ends(frame: Frame, call: Call, program: Program, depth: int) -> bool:
    """Whether a call ends the program, or enters functions that all do."""
    if last_name(call.func) in _ENDING:
        return True
    called = program.evaluate(frame, call.func) if depth else None
    program.solver.run()
    functions = [v.function if isinstance(v, Method) else v for v in called.values] if called else []
    return bool(functions) and all(isinstance(f, Function) and _ends_always(f, program, depth) for f in functions)


def _ends_always(function: Function, program: Program, depth: int) -> bool:
    calls = [c for c in function.scope.calls if condition(function.scope, c) < 0]
    frames = program.classes.frames(function.module, function.scope)
    return all(any(_ends(frame, call, program, depth - 1) for call in calls) for frame in frames)


def is_for_windows(hop: Hop, program: Program) -> bool:
    """Whether a handler is set under Windows only, where asyncio's usual loop is woken by signals."""
    setting = ((scope, call_at(scope, hop.packed_span)) for scope in hop.module.facts.scopes)
    return any(
        any(isinstance(given, Attr) and given.name == "SIGBREAK" for given in call.args)
        or is_under_windows(scope, call.guard)
        or _is_called_under_windows(scope, program)
        for scope, call in setting
        if call is not None
    )


def _is_called_under_windows(scope: Scope, program: Program) -> bool:
    calls = program.index.callers(scope.name) if scope.kind == "function" else ()
    return bool(calls) and all(is_under_windows(by, call.guard) for _, by, call in calls)


def wakes_itself(program: Program) -> bool:
    """Whether handlers of signals need not wake the loop: the program makes one that wakes itself, or watches some.

    A loop that watches for one signal is woken by all of them.
    """
    watching = program.index.own_callers("add_signal_handler")
    if any(not (m.is_test or any(row.kind == "except" for row in outwards(s, c.guard))) for m, s, c in watching):
        return True
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
