"""Names that are bound anew for good by what they held before: `fn = functools.partial(cross, fn)`."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import NamedTuple

from loopsafe.facts.enclosing import loops_around
from loopsafe.facts.schema import Call, Collection, Expr, Name, Scope
from loopsafe.program.index import last_name


class Rebound(NamedTuple):
    """Of one function: which of a name's bindings is the one, and the names in the text of such bindings."""

    last: dict[str, int]
    inside: frozenset[Name]


_NOTHING = Rebound({}, frozenset())


def rebound(scope: Scope, defined: Container[str]) -> Rebound:
    """The names that a function binds so, whatever happens in it: under no test, and in no loop.

    What a call gives must be known: that of a partial, or of a function or class that the project has `defined`.
    """
    last: dict[str, int] = {}
    inside: set[Name] = set()
    parameters = {parameter.name for parameter in scope.parameters}
    for name, values in scope.bindings.items() if scope.kind in ("function", "lambda") else ():
        under = scope.bound_under.get(name, (-1,) * len(values))
        for position, value in enumerate(values):
            known = position > 0 or name in parameters
            if known and under[position] < 0 and isinstance(value, Call) and not loops_around(scope, value.span):
                if last_name(value.func) != "partial" and last_name(value.func) not in defined:
                    continue
                names = names_in(value, name)
                if names:
                    last[name] = position
                    inside.update(names)
    return Rebound(last, frozenset(inside)) if last else _NOTHING


def bound_again_in(scope: Scope, guard: int, name: str) -> frozenset[Name]:
    """What still is what a guard has tested: the name in the text of its first binding there, in no loop."""
    for value, under in zip(scope.bindings.get(name, ()), scope.bound_under.get(name, ()), strict=False):
        if _stands_under(scope, under, guard):
            if isinstance(value, Call) and not loops_around(scope, value.span):
                return frozenset(names_in(value, name))
            break
    return frozenset()


def _stands_under(scope: Scope, inner: int, outer: int) -> bool:
    while inner > outer:
        inner = scope.guards[inner].parent
    return inner == outer


def names_in(call: Call, name: str) -> list[Name]:
    """Where a name stands among the arguments of a call, also of those that stand in it."""
    return [part for part in _names(call) if part.id == name]


def _names(call: Call) -> Iterator[Name]:
    pending: list[Expr] = [*call.args, *(value for _, value in call.keywords)]
    while pending:
        part = pending.pop()
        if isinstance(part, Name):
            yield part
        elif isinstance(part, Call):
            pending += [*part.args, *(value for _, value in part.keywords)]
        elif isinstance(part, Collection):
            pending += part.items
