"""Paths that lead through one object and come to what another one of its class holds.

Objects of one class are told apart by nothing but where they are made. Where a path makes one, or is given it by who
does, it holds what its constructor is given there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loopsafe.contexts.places.flow import Reached
from loopsafe.contexts.places.place import Hop, State
from loopsafe.facts.schema import Attr, Call, Choice, Expr, Name, Star
from loopsafe.program.program import Program
from loopsafe.program.solver import Node
from loopsafe.program.values import Class, Frame, Instance, Value

_FURTHEST = 8


@dataclass(frozen=True, slots=True)
class Spot:
    """A state on the path and the call by which the path leaves it."""

    state: State
    call: Call


def is_of_another(places: Sequence[Spot], start: Hop, reached: Reached, program: Program) -> bool:
    """Whether an object on the path is made there, and is given nothing of what the path comes to through it."""
    way = _Objects(places, start, reached, program)
    return any(way.is_made_without(number) for number in range(len(places)))


class _Objects:
    def __init__(self, places: Sequence[Spot], start: Hop, reached: Reached, program: Program) -> None:
        self._places, self._start, self._reached, self._program = places, start, reached, program

    def is_made_without(self, number: int) -> bool:
        receiver = self._places[number].state.frame.receiver
        if not isinstance(receiver, Instance):
            return False
        if number and self._places[number - 1].state.frame.receiver is receiver:
            return False
        made = self._maker(number, receiver.cls)
        return made is not None and not self._may_hold(number, receiver, *made)

    def _maker(self, number: int, cls: Class) -> tuple[Frame, Call] | None:
        """The call that makes the object which the path enters at a place, and where that stands."""
        if number:
            func = self._places[number - 1].call.func
            return self._made(number - 1, func.base, cls, _FURTHEST) if isinstance(func, Attr) else None
        started = self._program.index.call_at(self._start.module, self._start.packed_span)
        if started is None:
            return None
        scope, call = started
        frame = self._program.classes.plain_frame(self._start.module, scope)
        given = (*call.args, *(value for _, value in call.keywords))
        method = self._places[0].state.frame.scope.name
        methods = (arg.base for arg in given if isinstance(arg, Attr) and arg.name == method)
        return next((made for base in methods if (made := self._made_in(frame, base, cls))), None)

    def _made(self, at: int, expr: Expr, cls: Class, depth: int) -> tuple[Frame, Call] | None:
        if not isinstance(expr, Name) or not depth:
            return self._made_in(self._places[at].state.frame, expr, cls)
        place = binder(self._places, at, expr.id)
        if place is None:
            return None
        frame = self._places[place].state.frame
        if expr.id in frame.scope.bindings:
            return self._made_in(frame, expr, cls)
        if not place:
            return None
        given = given_for(self._places[place - 1].call, frame, expr.id)
        return self._made(place - 1, given, cls, depth - 1)

    def _made_in(self, frame: Frame, expr: Expr, cls: Class) -> tuple[Frame, Call] | None:
        """The call, where an expression is one, or a name that is bound to one alone."""
        if isinstance(expr, Name) and not any(p.name == expr.id for p in frame.scope.parameters):
            bound = frame.scope.bindings.get(expr.id, ())
            expr = bound[0] if len(bound) == 1 else None
        if not isinstance(expr, Call):
            return None
        makers = self._program.evaluate(frame, expr.func)
        self._program.solver.run()
        return (frame, expr) if cls in makers.values else None

    def _may_hold(self, number: int, receiver: Instance, frame: Frame, made: Call) -> bool:
        """Whether what the path uses of the object next may be what its constructor was given."""
        last = number
        while last + 1 < len(self._places) and self._places[last + 1].state.frame.receiver is receiver:
            last += 1
        at, ended = self._places[last], last + 1 == len(self._places)
        used = self._reached.receiver if ended else self._places[last + 1].state.frame.receiver
        name = _own_attribute(at.call.func, at.state.frame)
        if used is None or not name or name in self._program.index.stores:
            return True
        line = [cls for cls in self._program.classes.mro(receiver.cls) if isinstance(cls, Class)]
        own = self._program.index.own_stores
        stores = [
            (self._program.classes.plain_frame(cls.module, scope), store.value)
            for cls in line
            for scope, store in own.get((cls.module.index, cls.scope.index), {}).get(name, ())
        ]
        return not stores or any(self._gives(value, by, (frame, made), used, name) for by, value in stores)

    def _gives(self, value: Expr, by: Frame, maker: tuple[Frame, Call], used: Value, kept: str) -> bool:
        """Whether what a method stores under a name may be, or belong to, what is used."""
        if isinstance(value, Choice):
            return any(self._gives(option, by, maker, used, kept) for option in value.options)
        attribute = value.name if isinstance(value, Attr) else ""
        name = value.base if isinstance(value, Attr) else value
        of_parameter = isinstance(name, Name) and any(p.name == name.id for p in by.scope.parameters[1:])
        if by.scope.name != "__init__" or not of_parameter:
            bound = by.scope.bindings.get(value.id, ()) if isinstance(value, Name) else ()
            # What was there before is put back.
            again = bool(bound) and all(isinstance(held, Attr) and held.name == kept for held in bound)
            frames = self._program.classes.frames(by.module, by.scope)
            return not again and self._is_in([self._program.evaluate(each, value) for each in frames], used)
        frame, made = maker
        given = given_for(made, by, name.id)  # type: ignore[union-attr]
        if given is None:
            # A default, or stars: those may be anything.
            return any(isinstance(arg, Star) for arg in made.args) or any(key is None for key, _ in made.keywords)
        held = self._program.evaluate(frame, given)
        self._program.solver.run()
        return self._is_in([self._program.attribute(v, attribute) for v in held.values] if attribute else [held], used)

    def _is_in(self, nodes: Sequence[Node], used: Value) -> bool:
        self._program.solver.run()
        return any(v is used or getattr(v, "receiver", None) is used for node in nodes for v in node.values)


def binder(places: Sequence[Spot], at: int, name: str) -> int | None:
    """The place on the path of the function that binds a name seen at a place."""
    frame: Frame | None = places[at].state.frame
    while frame is not None and not _binds(frame, name):
        frame = frame.parent
    return next((number for number in range(at, -1, -1) if places[number].state.frame is frame), None)


def _binds(frame: Frame, name: str) -> bool:
    return name in frame.scope.bindings or any(parameter.name == name for parameter in frame.scope.parameters)


def given_for(call: Call, frame: Frame, name: str) -> Expr:
    """What a call gives for a parameter; None where that is not known."""
    given = next((value for keyword, value in call.keywords if keyword == name), None)
    if given is not None or any(isinstance(arg, Star) for arg in call.args):
        return given
    plain = [p.name for p in frame.scope.parameters if p.kind == "positional"]
    place = plain.index(name) - (frame.receiver is not None) if name in plain else len(call.args)
    return call.args[place] if 0 <= place < len(call.args) else None


def _own_attribute(func: Expr, frame: Frame) -> str:
    """The attribute of the method's own object through which a call goes."""
    parameters = frame.scope.parameters
    while isinstance(func, Attr):
        if isinstance(func.base, Name) and parameters and func.base.id == parameters[0].name:
            return func.name
        func = func.base
    return ""
