"""Special methods of the project that operators, items and built-in functions call without naming them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from loopsafe.facts.schema import Attr, Call, Expr, Name, Scope, Subscript
from loopsafe.program.python import CALLED_BY, GOING_THROUGH, IDLE_FUNCTIONS, IDLE_METHODS

_BINARY = ("add", "sub", "mul", "matmul", "truediv", "mod", "floordiv", "pow", "lshift", "rshift", "or", "xor", "and")
_IN_PLACE = frozenset(f"__i{name}__" for name in _BINARY)
_UNARY = ("neg", "pos", "invert", "getitem", "setitem", "delitem")
# All of them that are found here.
CALLED = frozenset(("__next__", *_IN_PLACE, *CALLED_BY.values(), *(f"__{name}__" for name in (*_BINARY, *_UNARY))))
# The role of the call of an iterator's methods, all of them.
ITERATED = "iterated"
_NAMED = (Name, Attr, Call, Subscript)
_SET, _GET = "__setitem__", "__getitem__"


def is_special(name: str) -> bool:
    """Whether Python itself may call a method of this name."""
    return name.startswith("__") and name.endswith("__")


def is_busy(scope: Scope) -> bool:
    """Whether a method does more than look at what its object holds."""
    return any(_does_something(call.func) for call in scope.calls)


def _does_something(func: Expr) -> bool:
    if isinstance(func, Name):
        return func.id not in IDLE_FUNCTIONS and not func.id.endswith(("Error", "Exception", "Iteration"))
    if not isinstance(func, Attr):
        return True
    is_inherited = isinstance(func.base, Call) and isinstance(func.base.func, Name) and func.base.func.id == "super"
    return not is_inherited and func.name not in IDLE_METHODS


def special_calls(scope: Scope, busy: frozenset[str]) -> Iterator[Call]:
    """The calls of these methods that stand in a function without being written."""
    for implicit in scope.implicit:
        value = implicit.value
        if implicit.kind == "operator" and isinstance(value, Call) and isinstance(value.func, Attr):
            if not busy.isdisjoint(in_turn(value.func.name)):
                yield value
        elif implicit.kind == "item" and isinstance(value, Subscript) and _GET in busy:
            yield _call(value.base, _GET, (value.index,), implicit.packed_span, implicit.guard)
    for store in scope.stores if _SET in busy else ():
        if store.name is None and isinstance(store.base, _NAMED):
            yield _call(store.base, _SET, (store.index, store.value), store.packed_span, store.guard)
    yield from _by_functions(scope, busy)


def _by_functions(scope: Scope, busy: frozenset[str]) -> Iterator[Call]:
    """Those that built-in functions call."""
    iterates = not busy.isdisjoint(("__iter__", "__next__"))
    for call in scope.calls:
        name = call.func.id if isinstance(call.func, Name) else ""
        if len(call.args) != 1 or not isinstance(call.args[0], _NAMED):
            continue
        if iterates and name in GOING_THROUGH:
            yield replace(_call(call.args[0], "__iter__", (), call.packed_span, call.guard), role=ITERATED)
        elif (method := CALLED_BY.get(name, "")) in busy:
            yield _call(call.args[0], method, (), call.packed_span, call.guard)


def in_turn(method: str) -> tuple[str, ...]:
    """The methods that an operator looks for, one after the other: `+=` for `__iadd__`, then for `__add__`."""
    return (method, f"__{method[3:]}") if method in _IN_PLACE else (method,)


def _call(base: Expr, method: str, given: Iterable[Expr], packed_span: int, guard: int) -> Call:
    return Call(Attr(base, method), tuple(given), (), packed_span, guard, -1, "value")
