"""Objects that are nobody else's business: made by the code that uses them, and not known to others yet."""

from __future__ import annotations

from collections.abc import Callable

from loopsafe.contexts.places.flow import Reached, Waited
from loopsafe.contexts.places.paths import Paths
from loopsafe.contexts.places.place import LOOK_UPS
from loopsafe.contexts.spread.exclusion import condition, outwards, surrounds
from loopsafe.contexts.spread.helpers import Spot
from loopsafe.contexts.spread.thread_tests import given_values
from loopsafe.facts.schema import Attr, Await, Call, Compare, Expr, Name, Scope
from loopsafe.facts.spelling import is_none
from loopsafe.program.index import last_name
from loopsafe.program.modules import Module
from loopsafe.program.program import Program
from loopsafe.program.values import Class, External, Instance, Method, Object, Value


def is_just_made(reached: Reached, program: Program) -> bool:
    """Whether the function has made the object right before, and did nothing since but use it."""
    frame, call = reached.state.frame, reached.call
    base = call.func.base if isinstance(call.func, Attr) else None
    before = [
        (value, guard)
        for value, guard in given_values(Spot(frame.module, frame.scope), base)
        if isinstance(value, Call) and value.packed_span < call.packed_span
    ]
    if reached.started is not None or not before:
        return False
    made, guard = max(before, key=lambda item: item[0].packed_span)
    makes = any(_is_class(value, program) for value in program.evaluate(frame, made.func).values)
    return makes and surrounds(frame.scope, guard, call.guard) and not _others(frame.scope, made, call, base)


def holds_its_own(scope: Scope, call: Call, base: Expr) -> bool:
    """Whether an attribute holds what this very function has stored there last, before the call."""
    if not isinstance(base, Attr) or not isinstance(base.base, Name):
        return False
    stored = [s for s in scope.stores if s.name == base.name and _is_same(s.base, base.base)]
    before = [s for s in stored if s.packed_span < call.packed_span]
    if not before:
        return False
    last = max(before, key=lambda store: store.packed_span)
    return isinstance(last.value, Call) and surrounds(scope, last.guard, condition(scope, call))


def makes_its_own(done: Reached | Waited, program: Program) -> bool:
    """Whether the function itself has made what it does something to, by a class or a class's own method."""
    call, frame = done.call if isinstance(done, Reached) else None, done.state.frame
    base = call.func.base if call is not None and isinstance(call.func, Attr) else None
    values = frame.scope.bindings.get(base.id, ()) if isinstance(base, Name) else ()
    made = [value.value if isinstance(value, Await) else value for value in values]
    return bool(made) and all(
        isinstance(value, Call)
        and any(
            isinstance(v, Class) or (isinstance(v, Method) and isinstance(v.receiver, Class))
            for v in program.evaluate(frame, value.func).values
        )
        for value in made
    )


def made_there(reached: Reached, paths: Paths) -> bool:
    """Whether the object is made by the very code that runs on the thread: nobody else need know it.

    Not so where its maker is what starts the thread: then it was there before.
    """
    receiver = reached.receiver
    if not isinstance(receiver, Object) or receiver.frame is None:
        return False
    # A signal's handler that looks for a loop finds the one that it has interrupted.
    looked_up = receiver.site is not None and last_name(receiver.site.func) in LOOK_UPS
    if looked_up and reached.state.place.kind == "signal":
        return False
    if not paths.lead_into(receiver.frame.module, receiver.frame.scope):
        return False
    start = paths.to(reached.state)[0]
    return not any(call.packed_span == start.packed_span for call in receiver.frame.scope.calls)


def made_by_the_first(thing: Value | None, program: Program) -> bool:
    """Whether whoever comes first makes a module's object, a coroutine among them: `if queue is None: queue = Queue()`.

    An object that keeps such a thing for itself is often a new one, which nobody waits for yet.
    """
    if not isinstance(thing, Object) or thing.frame is None or thing.site is None:
        return False
    scope, site = thing.frame.scope, thing.site
    shared = any(scope.outer_names.get(name) == "global" and site in values for name, values in scope.bindings.items())
    if not shared or not _is_made_once(scope, site.guard):
        return False
    return any(by.is_async for _, by, _ in program.index.callers(scope.name))


def keeper_is_made(thing: Value | None, among: Callable[[Module, Scope], bool], program: Program) -> bool:
    """Whether objects of the class that keeps this one are made in one of these functions.

    If these are a thread's, which of the objects it comes to is not known.
    """
    if not isinstance(thing, Object) or thing.frame is None or not _is_kept(thing.frame.scope, thing.site):
        return False
    keeper = thing.frame.receiver
    if not isinstance(keeper, Instance):
        return False
    cls = keeper.cls
    sites = program.index.callers(cls.scope.name)
    return any(among(module, scope) and _makes(program, module, scope, call, cls) for module, scope, call in sites)


def _is_kept(scope: Scope, made: Call | None) -> bool:
    """Whether what a function makes is more than a variable of its own."""
    if made is None or scope.kind != "function":
        return True
    names = {name for name, values in scope.bindings.items() if made in values}
    stored = (store.value for store in scope.stores)
    return not names or any(isinstance(value, Name) and value.id in names for value in stored)


def _makes(program: Program, module: Module, scope: Scope, call: Call, cls: Class) -> bool:
    """Whether a call makes objects of a class; where nothing is known of it, a plain name is enough."""
    if _is_made_once(scope, call.guard):
        return False
    values = [v for frame in program.classes.frames(module, scope) for v in program.evaluate(frame, call.func).values]
    if not values:
        return isinstance(call.func, Name)
    return cls in values


def _is_made_once(scope: Scope, guard: int) -> bool:
    """Whether a guard asks whether there is such an object yet: all who come later have the same."""
    for at in outwards(scope, guard):
        nothing = isinstance(at.test, Compare) and any(is_none(side) for side in (at.test.left, at.test.right))
        missing = isinstance(at.test, Call) and last_name(at.test.func) == "hasattr"
        if at.kind == "test" and (nothing or missing or (isinstance(at.test, (Name, Attr)) and not at.holds)):
            return True
    return False


def _is_class(value: Value, program: Program) -> bool:
    return isinstance(value, Class) or (
        isinstance(value, External) and program.knowledge.is_known(program.knowledge.canonical(value.name))
    )


def _others(scope: Scope, made: Call, call: Call, base: Expr) -> bool:
    """Whether anything else is called between the making and the operation, with or without the object."""
    end = (made.span.end_row, made.span.end_column)
    between = [c for c in scope.calls if (c.span.row, c.span.column) >= end and c.packed_span < call.packed_span]
    return any(not (isinstance(c.func, Attr) and _is_same(c.func.base, base)) for c in between)


def _is_same(one: Expr, other: Expr) -> bool:
    if isinstance(one, Attr) and isinstance(other, Attr):
        return one.name == other.name and _is_same(one.base, other.base)
    return isinstance(one, Name) and isinstance(other, Name) and one.id == other.id
