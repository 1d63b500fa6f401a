"""Branches that a path cannot take, by what it has tested before, and by what its own calls give.

A constant of a module is true or false for all of the path. A parameter that is tested is what the call before has
given for it, where that is written out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from loopsafe.contexts.spread.exclusion import outwards
from loopsafe.contexts.verdicts.chosen import answer_of, question, unwrapped
from loopsafe.contexts.verdicts.made import Spot, given_for, has_stars
from loopsafe.facts.schema import Attr, Call, Const, Expr, Import, Name
from loopsafe.program.index import last_name
from loopsafe.program.values import Frame

_Place = tuple[Frame, Call]
_Constant = tuple[str, str]


def contradicts_itself(places: Sequence[Spot], start: _Place | None) -> bool:
    """Whether tests on the path want a constant of a module to be true and false."""
    found: dict[_Constant, bool] = {}
    ways = [*([start] if start is not None else ()), *((place.state.frame, place.call) for place in places)]
    for frame, call in ways:
        for constant, holds in _constants(frame, call):
            if found.setdefault(constant, holds) != holds:
                return True
    return False


def is_answered(places: Sequence[Spot]) -> bool:
    """Whether a parameter is tested on the path that its call gives another value than the path needs."""
    return any(shuts_out(before.call, at.state.frame, at.call.guard) for before, at in pairwise(places))


def shuts_out(call: Call, frame: Frame, guard: int) -> bool:
    """Whether what a call gives to a function keeps control from what stands under a guard there."""
    rows = (row for row in outwards(frame.scope, guard) if row.kind == "test")
    return any(_answer(row.test, call, frame) == (not row.holds) for row in rows)


def _constants(frame: Frame, call: Call) -> Iterator[tuple[_Constant, bool]]:
    for row in outwards(frame.scope, call.guard):
        (tested, is_none), wanted = unwrapped(row.test)
        if row.kind == "test" and not is_none and isinstance(tested, Name) and tested.id.isupper():
            constant = _constant(frame, tested.id)
            if constant is not None:
                yield constant, wanted == row.holds


def _constant(frame: Frame, name: str) -> _Constant | None:
    """The module in which a constant is bound, and its name there."""
    at: Frame | None = frame
    while at is not None and at.parent is not None:
        if name in at.scope.bindings or any(p.name == name for p in at.scope.parameters):
            return None
        at = at.parent
    bound = frame.module.facts.scopes[0].bindings.get(name, ())
    if len(bound) == 1 and isinstance(bound[0], Import):
        return (bound[0].module, bound[0].name or name) if not bound[0].level else (f"{bound[0].level}", name)
    return (frame.module.name, name) if len(bound) == 1 else None


def _answer(test: Expr, call: Call, frame: Frame) -> bool | None:
    """What a test of a parameter gives where the function is entered by a call; None where that is not known."""
    kind = _is_of_type(test)
    asked = question(kind if kind is not None else test, frame)
    # A decorator may give something by itself.
    if asked is None or asked[0].parameter in frame.scope.bindings or frame.scope.decorators:
        return None
    found, holds = asked
    given, is_known = _given(call, frame, found.parameter)
    if not is_known:
        return None
    if kind is not None:
        return isinstance(given.value, bool) if isinstance(given, Const) else None
    answer = answer_of(found, given)
    return None if answer is None else answer == holds


def _is_of_type(test: Expr) -> Expr:
    """What is asked for being a bool."""
    is_test = isinstance(test, Call) and last_name(test.func) == "isinstance" and len(test.args) == 2
    return test.args[0] if is_test and last_name(test.args[1]) == "bool" else None  # type: ignore[union-attr]


def _given(call: Call, frame: Frame, name: str) -> tuple[Expr, bool]:
    """What a call gives for a parameter, its default where it gives nothing, and whether that is known."""
    parameter = next(p for p in frame.scope.parameters if p.name == name)
    if frame.receiver is not None and parameter is frame.scope.parameters[0]:
        return None, False
    called = frame.scope.qualname.split(".")[-2] if frame.scope.name == "__init__" else frame.scope.name
    if last_name(call.func) == called:
        given = given_for(call, frame, name)
        return (parameter.default if given is None else given), given is not None or not has_stars(call)
    # A library calls what it was given last, and has nothing to give.
    alone = call.args[-1] if call.args and not call.keywords else None
    handed = isinstance(alone, Attr | Name) and last_name(alone) == called
    return parameter.default, handed and parameter.default is not None
