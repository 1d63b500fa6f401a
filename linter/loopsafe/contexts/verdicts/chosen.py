"""What a constructor stores, by what it was given and by what tests on the path say of that.

`if threaded:` in a constructor is answered where `threaded` is a constant in the call that makes the object, and where
the path has passed a test of the attribute under which it was stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from loopsafe.contexts.spread.exclusion import outwards
from loopsafe.contexts.verdicts.made import Kept, Maker, Makers, given_for
from loopsafe.facts.schema import Attr, Call, Choice, Compare, Const, Expr, Name, Not, Parameter
from loopsafe.facts.spelling import is_exact, is_none, spell
from loopsafe.program.index import last_name
from loopsafe.program.values import Class, Frame

# What compares with one thing alone, and whether it holds where both are the same.
EQUALS = {"is": True, "==": True, "is not": False, "!=": False}
_FLAGS = ("bool", "Optional", "None")


class Asked(NamedTuple):
    """A question about a parameter, or an attribute with a dot before it: whether it is true, or whether it is None."""

    parameter: str
    is_none: bool


Answers = Mapping[Asked, bool]


class Chosen:
    """Answers for the objects of one class, of one call that makes them, or of any where it is not known."""

    def __init__(self, makers: Makers, cls: Class, maker: Maker | None, answers: Answers) -> None:
        self._makers, self._cls, self._maker, self._answers = makers, cls, maker, answers

    def stores(self, name: str) -> Iterator[Kept]:
        """What is stored under a name, without what stands in branches of the constructor that are not taken."""
        kept = self._makers.stores(self._cls, name)
        return (one for one in kept if self.is_taken(one.frame, one.guard) is not False)

    def options(self, value: Choice, by: Frame) -> tuple[Expr, ...]:
        """The options of a condition that are left."""
        answer = self._answer(value.test, by) if len(value.options) == 2 else None
        return value.options if answer is None else value.options[:1] if answer else value.options[1:]

    def rebound(self, name: str, by: Frame) -> tuple[list[Expr], bool]:
        """What else a parameter is bound to, and whether it always is."""
        bound = by.scope.bindings.get(name, ())
        guards = by.scope.bound_under.get(name, (-1,) * len(bound))
        taken = [self.is_taken(by, guard) for guard in guards]
        return [expr for expr, is_ in zip(bound, taken, strict=True) if is_ is not False], any(taken)

    def is_taken(self, by: Frame, guard: int) -> bool | None:
        """Whether control comes past a guard; None where that is not known."""
        answers = [
            None if row.kind != "test" or (answer := self._answer(row.test, by)) is None else answer == row.holds
            for row in outwards(by.scope, guard)
        ]
        return False if False in answers else None if None in answers else True

    def _answer(self, test: Expr, by: Frame) -> bool | None:
        asked = question(test, by)
        if asked is None or by.scope.name != "__init__":
            return None
        found, holds = asked
        answer = self._answers.get(found)
        if answer is None and self._maker is not None and self._maker.outer is None:
            answer = answer_of(found, given_for(self._maker.call, by, found.parameter))
        return None if answer is None else answer == holds


def answers_to(tests: Iterable[tuple[Expr, bool, str]], makers: Makers, cls: Class) -> dict[Asked, bool] | None:
    """What the tests of a path say of what the constructor was given; None where they contradict each other.

    Only of attributes that the constructor alone stores, and of parameters that are flags or may be None.
    """
    found: dict[Asked, bool] = {}
    for test, holds, own in tests:
        asked = _asked_of(test, own, makers, cls)
        if asked is not None and found.setdefault(asked[0], asked[1] == holds) != (asked[1] == holds):
            return None
    return found


def _asked_of(test: Expr, own: str, makers: Makers, cls: Class) -> tuple[Asked, bool] | None:
    """What a test of an attribute asks of the parameter that is stored there."""
    inner, wanted = unwrapped(test)
    if not isinstance(inner[0], Attr) or not isinstance(inner[0].base, Name) or inner[0].base.id != own:
        return None
    kept = makers.alone(cls, inner[0].name)
    if kept is None:
        return None
    if isinstance(kept.value, Compare | Not | Const):
        return Asked(f".{inner[0].name}", inner[1]), wanted
    parameter = _parameter(kept.value.id, kept.frame) if isinstance(kept.value, Name) and kept.guard < 0 else None
    return (Asked(parameter.name, inner[1]), wanted) if parameter is not None and _is_flag(parameter) else None


def question(test: Expr, by: Frame) -> tuple[Asked, bool] | None:
    """The question to a parameter that a test is, and the answer for which it holds."""
    inner, wanted = unwrapped(test)
    parameter = _parameter(inner[0].id, by) if isinstance(inner[0], Name) else None
    return (Asked(parameter.name, inner[1]), wanted) if parameter is not None else None


def unwrapped(test: Expr) -> tuple[tuple[Expr, bool], bool]:
    """What is asked about, whether it is asked for being None, and the answer for which the test holds."""
    holds = True
    while isinstance(test, Not):
        test, holds = test.value, not holds
    if isinstance(test, Compare) and test.operator in EQUALS and is_none(test.right):
        return (test.left, True), holds == EQUALS[test.operator]
    return (test, False), holds


def _parameter(name: str, by: Frame) -> Parameter | None:
    return next((p for p in by.scope.parameters if p.name == name), None)


def _is_flag(parameter: Parameter) -> bool:
    """Whether its truth stays what it is: of a container it would not."""
    default = parameter.default
    if isinstance(default, Const) and (default.value is None or isinstance(default.value, bool)):
        return True
    return parameter.annotation is not None and any(word in spell(parameter.annotation) for word in _FLAGS)


def answer_of(asked: Asked, given: Expr) -> bool | None:
    """The answer for an argument, where it is written out."""
    if isinstance(given, Const):
        return given.value is None if asked.is_none else bool(given.value)
    # What a call makes is something; whether it counts as true is not known.
    return False if asked.is_none and isinstance(given, Call) else None


def constant_of(expr: Expr) -> tuple[str, object] | None:
    """What an expression is: a constant, or a member of what is named first."""
    if isinstance(expr, Const):
        return "", expr.value
    # Members are told apart by their names.
    is_member = isinstance(expr, Attr) and is_exact(expr) and expr.name.isupper()
    return (last_name(expr.base), expr.name) if is_member else None  # type: ignore[union-attr]
