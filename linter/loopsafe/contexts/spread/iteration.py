"""Loops over generators: which statements may run the body of one."""

from __future__ import annotations

from functools import cached_property

from loopsafe.facts.schema import Attr, Call, Expr, Implicit, Name, Scope, Subscript
from loopsafe.program.index import last_name
from loopsafe.program.program import Program
from loopsafe.program.python import GOING_THROUGH

_METHODS = {"iter": ("__iter__", "__next__"), "aiter": ("__aiter__", "__anext__")}


class Iteration:
    """Tells by names alone: most loops go over something else, and what that holds need not be known."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def may_enter(self, implicit: Implicit) -> bool:
        """Whether a `for` or comprehension may go over what the project makes: generators, and its own objects."""
        value = implicit.value
        methods = _METHODS.get(implicit.kind)
        if methods is None:
            return False
        # Where objects of the project are gone through, names do not tell.
        if not self._program.index.busy.isdisjoint(methods) and isinstance(value, (Name, Attr, Call, Subscript)):
            return True
        if isinstance(value, Call):
            # A plain generator is entered where it is called: that is here.
            return implicit.kind == "aiter" and last_name(value.func) in self._generators
        return isinstance(value, (Attr, Name)) and last_name(value) in self._holders

    def gone_through(self, call: Call) -> tuple[Expr, ...]:
        """What a built-in function takes elements of, where that may be a generator that is kept somewhere."""
        if not isinstance(call.func, Name) or not goes_through(call.func.id):
            return ()
        given = call.args[:1]
        return tuple(a for a in given if isinstance(a, (Attr, Name)) and last_name(a) in self._holders)

    @cached_property
    def _generators(self) -> frozenset[str]:
        """The names of all generator functions."""
        scopes = (scope for module in self._program.modules.all for scope in module.facts.scopes)
        return frozenset(scope.name for scope in scopes if scope.is_generator and scope.kind == "function")

    @cached_property
    def _holders(self) -> frozenset[str]:
        """The names and attributes under which generators are kept."""
        found: set[str] = set()
        for name in sorted(self._generators):
            for _, scope, call in self._program.index.callers(name):
                found |= _kept(scope, call)
        return frozenset(found)


def goes_through(name: str) -> bool:
    """Whether a built-in function takes elements of what it is given."""
    return name in GOING_THROUGH or name == "next"


def _kept(scope: Scope, call: Expr) -> set[str]:
    names = {name for name, values in scope.bindings.items() if any(value is call for value in values)}
    return names | {store.name for store in scope.stores if store.name and store.value is call}
