"""Callbacks that are kept in one record with what says how they are called: `self._jobs.append((job, in_thread))`.

Where a branch asks a record for the one and calls the other, only those callbacks get there that were handed over with
an answer that lets them: `add(job, in_thread=True)`, or a decorator that is given it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from loopsafe.contexts.places.place import State
from loopsafe.contexts.spread.exclusion import outwards
from loopsafe.contexts.verdicts.chosen import EQUALS, constant_of
from loopsafe.contexts.verdicts.made import Makers, given_for, has_stars, is_own
from loopsafe.facts.schema import Attr, Call, Collection, Compare, Const, Expr, Guard, Item, Name, Not, Scope, Subscript
from loopsafe.facts.spelling import is_same_name
from loopsafe.program.index import last_name
from loopsafe.program.program import Program
from loopsafe.program.values import Class, Container, Frame, Function, Instance, Method, Value

_MOST_CALLS = 64
# Callbacks are handed on so many times before they are kept.
_FURTHEST = 3


class _Part(NamedTuple):
    """A part of a record: by attribute, position or key."""

    record: Expr
    key: object


class _Pair(NamedTuple):
    """A callback and what is kept with it, by key, as they are written in a function."""

    frame: Frame
    callback: Expr
    beside: dict[object, Expr]


def is_kept_for_others(frame: Frame, call: Call, entered: State, makers: Makers, program: Program) -> bool:
    """Whether a call is for other callbacks than the function that it enters, by what each of them is kept with."""
    tests = [row for row in outwards(frame.scope, call.guard) if row.kind == "test"]
    for expr in (call.func, *call.args, *(value for _, value in call.keywords)) if tests else ():
        part = _part(frame.scope, expr)
        if part is not None and frame.receiver is not None and is_own(frame.scope, part.record):
            continue  # of its own object a method knows more
        asked = [row for row in tests if part is not None and _asks(frame.scope, row.test, part)]
        if part is not None and asked:
            return _Records(program, makers, frame, part, asked).rule_out(entered)
    return False


class _Records:
    """What is known of the records whose parts one branch asks for and calls."""

    def __init__(self, program: Program, makers: Makers, frame: Frame, part: _Part, tests: list[Guard]) -> None:
        self._program, self._makers = program, makers
        self._frame, self._part, self._tests = frame, part, tests

    def rule_out(self, entered: State) -> bool:
        """Whether the function is handed over somewhere, and nowhere with what the tests want."""
        found = [
            any(self._answer(row.test, pair) == (not row.holds) for row in self._tests)
            for kept in self._kept()
            for pair in self._handed(kept, _FURTHEST)
            if self._means(pair, entered)
        ]
        return bool(found) and all(found)

    def _kept(self) -> Iterator[_Pair]:
        """The records that are made, as they are written."""
        node = self._program.evaluate(self._frame, self._part.record)
        self._program.solver.run()
        seen: set[int] = set()
        for value in node.values:
            made = self._displayed(value) if isinstance(value, Container) else self._constructed(value)
            for frame, parts in made:
                callback = parts.get(self._part.key)
                if callback is not None and id(callback) not in seen:
                    seen.add(id(callback))
                    yield _Pair(frame, callback, parts)

    def _displayed(self, value: Container) -> Iterator[tuple[Frame, dict[object, Expr]]]:
        shown = value.display
        if isinstance(shown, Collection) and value.frame is not None:
            frame = self._program.classes.plain_frame(value.frame.module, value.frame.scope)
            keys = [key.value if isinstance(key, Const) else None for key in shown.keys] or range(len(shown.items))
            yield frame, dict(zip(keys, shown.items, strict=True))

    def _constructed(self, value: Value) -> Iterator[tuple[Frame, dict[object, Expr]]]:
        for maker in self._makers.of_class(value) if isinstance(value, Instance) else ():
            cls: Class = value.cls  # type: ignore[attr-defined]
            line = [base for base in reversed(self._program.classes.mro(cls)) if isinstance(base, Class)]
            if any("__init__" in base.scope.bindings for base in line):
                keys = [key for key in (self._part.key, *self._asked()) if self._makers.stores(cls, str(key))]
                held = {key: self._makers.given(cls, maker, str(key)) for key in keys}
                yield maker.frame, {key: given[1] for key, given in held.items() if given is not None}
            else:
                fields = [name for base in line for name in base.scope.annotations]
                given: dict[object, Expr] = {}
                for base in line if not has_stars(maker.call) else ():
                    given.update((name, default) for name, (default, *_) in base.scope.bindings.items())
                given.update(zip(fields, maker.call.args, strict=False))
                given.update(maker.call.keywords)
                yield maker.frame, given

    def _asked(self) -> set[object]:
        return {part.key for row in self._tests for part in _parts(self._frame.scope, row.test)}

    def _handed(self, pair: _Pair, depth: int) -> Iterator[_Pair]:
        """Where a callback that a function is given comes from; else the record itself."""
        owner = _owner(pair.frame, pair.callback)
        if owner is None or not depth:
            yield pair
            return
        assert isinstance(pair.callback, Name)
        for by, call in self._calls_of(owner):
            given = given_for(call, owner, pair.callback.id)
            if given is not None:
                yield from self._handed(_Pair(by, given, _given(call, owner, pair)), depth - 1)
        yield from self._decorated(owner, pair)

    def _calls_of(self, owner: Frame) -> Iterator[tuple[Frame, Call]]:
        index, classes = self._program.index, self._program.classes
        name = owner.scope.name
        if name == "__init__":
            name = owner.module.facts.scopes[owner.scope.parent].name
        sites = index.callers(name)
        for module, scope, call in sites if len(sites) <= _MOST_CALLS else ():
            yield classes.plain_frame(module, scope), call

    def _decorated(self, owner: Frame, pair: _Pair) -> Iterator[_Pair]:
        """What is decorated with the function, or with what makes it: `@job("index", thread=True)`."""
        maker = owner.parent
        scopes = (owner.scope, *((maker.scope,) if maker is not None and maker.scope.kind == "function" else ()))
        for scope in scopes:
            for module, function in self._program.index.decorated.get(scope.name, ()):
                around = self._program.classes.plain_frame(module, module.facts.scopes[function.parent])
                for decorator in function.decorators:
                    if last_name(decorator) == scope.name:
                        with_it = maker is not None and scope is maker.scope and isinstance(decorator, Call)
                        beside = _given(decorator, maker, pair) if with_it else {}  # type: ignore[arg-type]
                        yield _Pair(around, Name(function.name), beside)

    def _means(self, pair: _Pair, entered: State) -> bool:
        """Whether a callback is the function that the path enters."""
        held = self._program.evaluate(pair.frame, pair.callback)
        self._program.solver.run()
        receiver = entered.frame.receiver
        for value in held.values:
            if isinstance(value, Method) and value.receiver is receiver and value.function.scope is entered.frame.scope:
                return True
            if isinstance(value, Function) and value.scope is entered.frame.scope:
                return True
        return False

    def _answer(self, test: Expr, pair: _Pair) -> bool | None:
        """What a test gives for a record; None where that is not known."""
        if isinstance(test, Not):
            answer = self._answer(test.value, pair)
            return None if answer is None else not answer
        if isinstance(test, Compare) and test.operator in EQUALS:
            left, right = (self._constant(side, pair) for side in (test.left, test.right))
            if left is None or right is None or left[0] != right[0]:
                return None
            return (left[1] == right[1]) == EQUALS[test.operator]
        held = self._constant(test, pair)
        return bool(held[1]) if held is not None and not held[0] else None

    def _constant(self, expr: Expr, pair: _Pair) -> tuple[str, object] | None:
        part = _part(self._frame.scope, expr)
        if part is not None and _is_same(part.record, self._part.record):
            return constant_of(pair.beside.get(part.key))
        return constant_of(expr)


def _asks(scope: Scope, test: Expr, part: _Part) -> bool:
    return any(_is_same(other.record, part.record) and other.key != part.key for other in _parts(scope, test))


def _parts(scope: Scope, test: Expr) -> Iterator[_Part]:
    """The parts of records that a test is about."""
    if isinstance(test, Not):
        yield from _parts(scope, test.value)
    for side in (test.left, test.right) if isinstance(test, Compare) else (test,):
        found = _part(scope, side)
        if found is not None:
            yield found


def _part(scope: Scope, expr: Expr) -> _Part | None:
    """The part of a record that an expression is, itself or by a variable that is bound once."""
    if isinstance(expr, Name):
        bound = scope.bindings.get(expr.id, ())
        expr = bound[0] if len(bound) == 1 and not isinstance(bound[0], Name) else None
    if isinstance(expr, Attr):
        return _Part(expr.base, expr.name)
    is_item = isinstance(expr, Item | Subscript) and isinstance(expr.index, Const)
    return _Part(expr.base, expr.index.value) if is_item else None  # type: ignore[union-attr]


def _is_same(one: Expr, other: Expr) -> bool:
    return one is other or is_same_name(one, other)


def _owner(frame: Frame, expr: Expr) -> Frame | None:
    """The function of which an expression is a parameter, never bound anew."""
    at: Frame | None = frame if isinstance(expr, Name) else None
    while at is not None and isinstance(expr, Name):
        if expr.id in at.scope.bindings:
            return None
        if any(parameter.name == expr.id for parameter in at.scope.parameters):
            return at
        at = at.parent
    return None


def _given(call: Call, owner: Frame, pair: _Pair) -> dict[object, Expr]:
    """What is kept beside a callback, as a call gives it to a function: its own constants, and what it is given."""
    found: dict[object, Expr] = {}
    for key, expr in pair.beside.items():
        if isinstance(expr, Name):
            parameter = next((p for p in owner.scope.parameters if p.name == expr.id), None)
            if parameter is not None and expr.id not in owner.scope.bindings:
                given = given_for(call, owner, expr.id)
                found[key] = parameter.default if given is None and not has_stars(call) else given
        else:
            found[key] = expr
    return found
