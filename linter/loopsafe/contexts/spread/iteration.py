"""Loops over generators: which statements may run the body of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

from loopsafe.facts.schema import Attr, Call, Collection, Expr, Implicit, Name, Scope
from loopsafe.program.index import last_name
from loopsafe.program.program import Program

# A generator is handed on so many times.
_FURTHEST = 2
_MOST_GIVEN = 20


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
        return frozenset(scope.name for scope in self._functions)

    @cached_property
    def _asynchronous(self) -> frozenset[str]:
        return frozenset(scope.name for scope in self._functions if scope.is_async)

    @cached_property
    def _functions(self) -> list[Scope]:
        scopes = (scope for module in self._program.modules.all for scope in module.facts.scopes)
        return [scope for scope in scopes if scope.is_generator and scope.kind == "function"]

    @cached_property
    def _holders(self) -> frozenset[str]:
        """The names, attributes and parameters under which generators are kept."""
        found, given = set[str](), set[str]()
        for name in sorted(self._generators):
            for _, scope, call in self._program.index.callers(name):
                found |= _kept(scope, call)
                # Plain generators are all kinds of things: what takes them mostly takes others.
                if name in self._asynchronous:
                    given |= set(self._given(scope, lambda part, made=call: part is made))  # type: ignore[misc]
        # Those who take one may hand it on. Where they are many, their names mean all kinds of things.
        for _ in range(_FURTHEST if len(given) <= _MOST_GIVEN else 0):
            given |= set(self._handed_on(given))
        return frozenset(found | given)

    def _handed_on(self, names: set[str]) -> Iterator[str]:
        for module in self._program.modules.all:
            for scope in module.facts.scopes:
                taken = names.intersection(p.name for p in scope.parameters)
                if taken:
                    yield from self._given(scope, lambda part, taken=taken: isinstance(part, Name) and part.id in taken)  # type: ignore[misc]

    def _given(self, scope: Scope, is_meant: Callable[[Expr], bool]) -> Iterator[str]:
        """The parameters for which the calls of a function give something, by itself or in a tuple of arguments."""
        for call in scope.calls:
            for position, argument in enumerate(call.args):
                if is_meant(argument):
                    yield from self._parameters(call.func, position)
            for keyword, argument in call.keywords:
                if keyword and is_meant(argument):
                    yield keyword
            beside = (*call.args, *(value for _, value in call.keywords))
            for display in (given for given in beside if isinstance(given, Collection)):
                for position, argument in enumerate(display.items):
                    if is_meant(argument):
                        yield from (name for given in beside for name in self._parameters(given, position))

    def _parameters(self, function: Expr, position: int) -> Iterator[str]:
        """The parameter at a position of the functions of a name; of methods, after the first."""
        for _, scope in self._program.index.functions.get(last_name(function), ()):
            names = [p.name for p in scope.parameters if p.kind == "positional"]
            names = names[1:] if names[:1] in (["self"], ["cls"]) else names
            yield from names[position : position + 1]


def _kept(scope: Scope, call: Expr) -> set[str]:
    names = {name for name, values in scope.bindings.items() if any(value is call for value in values)}
    return names | {store.name for store in scope.stores if store.name and store.value is call}
