"""Loops over generators: which statements may run the body of one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from loopsafe.facts.schema import Attr, Call, Collection, Expr, Implicit, Name, Scope
from loopsafe.program.index import last_name
from loopsafe.program.program import Program

# A generator is handed on so many times, to functions of so many parameters.
_FURTHEST = 2
_MOST_PARAMETERS = 8


class Iteration:
    """Tells by names alone: most loops go over something else, and what that holds need not be known."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def may_enter(self, implicit: Implicit) -> bool:
        """Whether a `for` or comprehension goes over what a generator function of the project gives."""
        value = implicit.value
        if isinstance(value, Call):
            # A plain generator is entered where it is called: that is here.
            return implicit.kind == "aiter" and last_name(value.func) in self._generators
        return isinstance(value, (Attr, Name)) and last_name(value) in self._holders

    @cached_property
    def _generators(self) -> frozenset[str]:
        """The names of all generator functions."""
        scopes = (scope for module in self._program.modules.all for scope in module.facts.scopes)
        return frozenset(scope.name for scope in scopes if scope.is_generator and scope.kind == "function")

    @cached_property
    def _holders(self) -> frozenset[str]:
        """The names, attributes and parameters under which generators are kept."""
        found: set[str] = set()
        for name in sorted(self._generators):
            for _, scope, call in self._program.index.callers(name):
                found |= _kept(scope, call)
                found |= {taken for taker in self._given(scope, call) for taken in self._parameters(taker)}
        # Those who take one may hand it on.
        for _ in range(_FURTHEST):
            found |= {taken for taker in self._handing_on(found) for taken in self._parameters(taker)}
        return frozenset(found)

    def _given(self, scope: Scope, made: Expr) -> Iterator[Call]:
        """The calls of a function that are given what a call makes, by itself or in a tuple."""
        for call in scope.calls:
            if any(part is made for part in _parts(call)):
                yield call

    def _handing_on(self, names: set[str]) -> Iterator[Call]:
        for module in self._program.modules.all:
            for scope in module.facts.scopes:
                taken = names.intersection(p.name for p in scope.parameters)
                for call in scope.calls if taken else ():
                    if any(isinstance(part, Name) and part.id in taken for part in _parts(call)):
                        yield call

    def _parameters(self, call: Call) -> Iterator[str]:
        """The parameters of the function that is called, or of one that is handed over beside."""
        named = [call.func, *call.args, *(value for _, value in call.keywords)]
        for name in {last_name(expr) for expr in named if isinstance(expr, (Attr, Name))}:
            for _, scope in self._program.index.functions.get(name, ()):
                yield from (parameter.name for parameter in scope.parameters[:_MOST_PARAMETERS])


def _parts(call: Call) -> Iterator[Expr]:
    """The arguments of a call, and what stands in those that are displays."""
    for argument in (*call.args, *(value for _, value in call.keywords)):
        yield argument
        if isinstance(argument, Collection):
            yield from argument.items


def _kept(scope: Scope, call: Expr) -> set[str]:
    names = {name for name, values in scope.bindings.items() if any(value is call for value in values)}
    return names | {store.name for store in scope.stores if store.name and store.value is call}
