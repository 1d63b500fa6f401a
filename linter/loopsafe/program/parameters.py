"""What functions do with their parameters, where that is not the same for each call."""

from __future__ import annotations

from collections.abc import Container

from loopsafe.facts.schema import Attr, Call, Expr, Item, Name, Scope
from loopsafe.knowledge.schema import Callable
from loopsafe.program.index import last_name


def depends_on_call(scope: Scope, onto_loops: Container[str]) -> bool:
    """Whether a function calls or returns its parameters, or what is in them, or hands one of them to another.

    `onto_loops` are the last names of what hands work to a loop.
    """
    names = {p.name for p in scope.parameters}
    called = {c.func.id for c in scope.calls if isinstance(c.func, Name)}
    if any(name in names or _goes_through(scope, name, names) for name in called):
        return True
    return any(isinstance(r, Name) and r.id in names for r in scope.returns) or pairs_up(scope, onto_loops)


def _goes_through(scope: Scope, name: str, parameters: set[str]) -> bool:
    """Whether a name holds the elements of a parameter: `for each in parameter`, or of a copy of it."""
    for value in scope.bindings.get(name, ()):
        base = value.base if isinstance(value, Item) else None
        whole = base.args[0] if isinstance(base, Call) and len(base.args) == 1 else base
        if isinstance(whole, Name) and whole.id in parameters:
            return True
    return False


def pairs_up(scope: Scope, words: Container[str]) -> bool:
    """Whether a function hands one of its parameters to another, by a call of one of these last names."""
    names = {p.name for p in scope.parameters}
    for call in scope.calls:
        if last_name(call.func) in words:
            base = (call.func.base,) if isinstance(call.func, Attr) else ()
            given = (*base, *call.args, *(value for _, value in call.keywords))
            if len(names & {expr.id for expr in given if isinstance(expr, Name)}) > 1:
                return True
    return False


def argument(call: Call, wanted: Callable) -> Expr:
    """The argument of a call that a row means, as it is written."""
    given = dict(call.keywords).get(wanted.keyword)
    at = wanted.position
    return call.args[at] if given is None and at is not None and at < len(call.args) else given
