"""Where the objects that a path goes through are made: followed back through names, parameters and constructors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from loopsafe.contexts.places.place import Hop, State
from loopsafe.facts.schema import Attr, Call, Collection, Const, Expr, Name, Scope, Star
from loopsafe.facts.spelling import is_none, unpacked
from loopsafe.program.index import last_name
from loopsafe.program.program import Program
from loopsafe.program.values import Class, Frame, Instance

_FURTHEST = 8
_MOST_CALLERS = 20


@dataclass(frozen=True, slots=True)
class Spot:
    """A state on the path and the call by which the path leaves it."""

    state: State
    call: Call


@dataclass(frozen=True, slots=True)
class Maker:
    """A call of a class of the project, and where it stands; of a base's constructor, with the call before it."""

    frame: Frame
    call: Call
    outer: Maker | None = None


class Kept(NamedTuple):
    """What a method stores under a name, and under which guard."""

    frame: Frame
    value: Expr
    guard: int


class Makers:
    """Asks, for one path, which calls make its objects. No answer is empty: then they are not known."""

    def __init__(self, places: Sequence[Spot], start: Hop, program: Program) -> None:
        self._places, self._program = places, program
        found = program.index.call_at(start.module, start.packed_span)
        # The function that starts the thread, and the call that does.
        self.start = (program.classes.plain_frame(start.module, found[0]), found[1]) if found is not None else None

    def of(self, number: int, depth: int = _FURTHEST) -> tuple[Maker, ...]:
        """The calls that may make the object which the path enters at a place."""
        receiver = self._places[number].state.frame.receiver
        if not isinstance(receiver, Instance) or not depth:
            return ()
        if number:
            func = self._places[number - 1].call.func
            return self._behind(number - 1, func.base, receiver, depth - 1) if isinstance(func, Attr) else ()
        return self._of_start(receiver, depth - 1)

    def own_start(self) -> tuple[Frame, Call] | None:
        """Where a method starts another one of its object on a thread, if the path begins so."""
        if self.start is None:
            return None
        frame, call = self.start
        return self.start if is_own(frame.scope, self._started_on(call)) else None

    def given(self, cls: Class, maker: Maker, name: str) -> tuple[Frame, Expr] | None:
        """What an attribute of an object holds that its constructor alone sets, and where that is written."""
        if name in self._program.index.stores:
            return None
        stores = self.stores(cls, name)
        if not stores:
            base = self._program.classes.binding(cls, name)
            bound = base.scope.bindings[name] if base is not None else ()
            if base is None or len(bound) != 1:
                return None
            return self._program.classes.plain_frame(base.module, base.scope), bound[0]
        if len(stores) != 1:
            return None
        setter, value, _ = stores[0]
        made = maker
        for init in constructors_of(cls, self._program):
            if init.scope is setter.scope:
                found = _as_given(init, value, made)
                # What stands in a base's constructor is of its heir's objects there.
                if found is None or made is maker or found[0] is maker.frame or isinstance(found[1], Const):
                    return found
                return None
            inner = _call_of_super(init)
            if inner is None:
                return None
            made = Maker(init, inner, made)
        return None

    def alone(self, cls: Class, name: str) -> Kept | None:
        """What an attribute is set to by the constructor alone, once; None where others set it as well."""
        stores = self.stores(cls, name) if name not in self._program.index.stores else []
        init = next(constructors_of(cls, self._program), None)
        return stores[0] if init is not None and len(stores) == 1 and stores[0].frame.scope is init.scope else None

    def behind(self, frame: Frame, expr: Expr, receiver: Instance) -> tuple[Maker, ...]:
        """The calls that may make what an expression holds."""
        return self._in(frame, expr, receiver, _FURTHEST)

    def of_class(self, receiver: Instance) -> tuple[Maker, ...]:
        """The calls that make objects of a class, wherever they are."""
        program = self._program
        calls = program.index.callers(receiver.cls.scope.name)
        found = []
        for module, scope, call in calls if len(calls) <= _MOST_CALLERS else ():
            frame = program.classes.plain_frame(module, scope)
            made = program.evaluate(frame, call.func)
            program.solver.run()
            if receiver.cls in made.values:
                found.append(Maker(frame, call))
        return tuple(found)

    def stores(self, cls: Class, name: str) -> list[Kept]:
        """What the methods of a class and its bases store on their object under a name, and in which of them."""
        classes, own = self._program.classes, self._program.index.own_stores
        return [
            Kept(classes.plain_frame(base.module, scope), unpacked(store.value), store.guard)
            for base in classes.mro(cls)
            if isinstance(base, Class)
            for scope, store in own.get((base.module.index, base.scope.index), {}).get(name, ())
        ]

    def _of_start(self, receiver: Instance, depth: int) -> tuple[Maker, ...]:
        """The object whose method a thread runs."""
        if self.start is None:
            return self.of_class(receiver)
        frame, call = self.start
        base = self._started_on(call)
        return self._in(frame, call if base is None else base, receiver, depth)

    def _started_on(self, call: Call) -> Expr:
        """The object on which the method is looked up that a call starts on a thread."""
        method = self._places[0].state.frame.scope.name
        given = (*call.args, *(value for _, value in call.keywords))
        base = next((arg.base for arg in given if isinstance(arg, Attr) and arg.name == method), None)
        if base is None and isinstance(call.func, Attr) and call.func.name == "start":
            base = call.func.base
        return base

    def _behind(self, at: int, expr: Expr, receiver: Instance, depth: int) -> tuple[Maker, ...]:
        """The calls that make what an expression holds at a place of the path."""
        frame = self._places[at].state.frame
        if not depth:
            return ()
        if isinstance(expr, Attr):
            if frame.receiver is not None and is_own(frame.scope, expr.base):
                stores = (s.value for s in frame.scope.stores if s.name == expr.name and not is_none(s.value))
                just = list(stores)
                if len(just) == 1 and isinstance(just[0], Call):
                    return self._in(frame, just[0], receiver, depth)
                return tuple(self._of_attribute(at, expr.name, receiver, depth))
            return ()
        if not isinstance(expr, Name):
            return self._in(frame, expr, receiver, depth)
        place = binder(self._places, at, expr.id)
        if place is None:
            return self._in(frame, expr, receiver, depth)
        frame = self._places[place].state.frame
        if expr.id in frame.scope.bindings:
            return self._in(frame, expr, receiver, depth)
        if place:
            given = given_for(self._places[place - 1].call, frame, expr.id)
            return self._behind(place - 1, given, receiver, depth - 1)
        if self.start is None:
            return ()
        around, call = self.start
        return self._in(around, _given_at_start(call, frame, expr.id), receiver, depth - 1)

    def _of_attribute(self, at: int, name: str, receiver: Instance, depth: int) -> Iterator[Maker]:
        """What makes what the object that the path is in holds under a name."""
        holder = self._places[at].state.frame.receiver
        while at and self._places[at - 1].state.frame.receiver is holder:
            at -= 1
        if isinstance(holder, Instance):
            for maker in self.of(at, depth - 1):
                given = self.given(holder.cls, maker, name)
                found = self._in(*given, receiver, depth - 1) if given is not None else ()
                yield from found

    def _in(self, frame: Frame, expr: Expr, receiver: Instance, depth: int) -> tuple[Maker, ...]:
        """The same for an expression anywhere: a call, a name bound to one alone, or `self` where all callers say."""
        expr = unpacked(expr)
        if not depth:
            return ()
        if isinstance(expr, Name):
            at: Frame | None = frame
            while at is not None and not _binds(at, expr.id):
                at = at.parent
            if at is not None and is_own(at.scope, expr):
                return self._of_callers(at, receiver, depth - 1)
            bound = at.scope.bindings.get(expr.id, ()) if at is not None else ()
            if at is None or len(bound) != 1 or any(p.name == expr.id for p in at.scope.parameters):
                return ()
            return self._in(at, bound[0], receiver, depth - 1)
        if not isinstance(expr, Call):
            return ()
        made = self._program.evaluate(frame, expr.func)
        self._program.solver.run()
        return (Maker(frame, expr),) if receiver.cls in made.values else ()

    def _of_callers(self, frame: Frame, receiver: Instance, depth: int) -> tuple[Maker, ...]:
        """The objects on which a method is called, by its name; none where one of them is not known."""
        program = self._program
        found: list[Maker] = []
        calls = program.index.callers(frame.scope.name)
        for module, scope, call in calls if len(calls) <= _MOST_CALLERS else ():
            if not isinstance(call.func, Attr):
                return ()
            by = program.classes.plain_frame(module, scope)
            held = program.evaluate(by, call.func.base)
            program.solver.run()
            if receiver in held.values or not held.values:
                made = self._in(by, call.func.base, receiver, depth)
                if not made:
                    return ()
                found += made
        return tuple(found)


def constructors_of(cls: Class, program: Program) -> Iterator[Frame]:
    """The constructors of the project that a class has, from its own to its furthest base's."""
    for base in program.classes.mro(cls):
        if isinstance(base, Class) and "__init__" in base.scope.bindings:
            own = (scope for scope in program.index.inner.get(base.scope, ()) if scope.name == "__init__")
            yield from (program.classes.plain_frame(base.module, scope) for scope in own)


def _call_of_super(init: Frame) -> Call | None:
    """How a constructor calls the one of its base: `super().__init__(...)`, once and always."""
    found = [
        call
        for call in init.scope.calls
        if isinstance(call.func, Attr) and call.func.name == "__init__" and isinstance(call.func.base, Call)
    ]
    return found[0] if len(found) == 1 and found[0].guard < 0 else None


def _as_given(init: Frame, value: Expr, maker: Maker | None) -> tuple[Frame, Expr] | None:
    """What a constructor stores, followed through what the calls of it were given."""
    while maker is not None and isinstance(value, Name):
        parameter = next((p for p in init.scope.parameters if p.name == value.id), None)
        if parameter is None:
            break
        if value.id in init.scope.bindings:
            return None
        given = given_for(maker.call, init, parameter.name)
        if given is None:
            return None if has_stars(maker.call) else (init, parameter.default)
        init, value, maker = maker.frame, given, maker.outer
    return init, value


def is_own(scope: Scope, expr: Expr) -> bool:
    """Whether it is the first parameter of a function: a method's own object."""
    return isinstance(expr, Name) and bool(scope.parameters) and expr.id == scope.parameters[0].name


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


def _given_at_start(call: Call, frame: Frame, name: str) -> Expr:
    """What the call that starts a thread hands on for a parameter of the function that the thread runs."""
    plain = [p.name for p in frame.scope.parameters if p.kind == "positional"]
    place = plain.index(name) - (frame.receiver is not None) if name in plain else -1
    args = next((value for keyword, value in call.keywords if keyword == "args"), None)
    if isinstance(args, Collection):
        return args.items[place] if not args.keys and 0 <= place < len(args.items) else None
    own = [number for number, arg in enumerate(call.args) if last_name(arg) == frame.scope.name]
    after = call.args[own[0] + 1 :] if own else ()
    return after[place] if 0 <= place < len(after) and not has_stars(call) else None


def has_stars(call: Call) -> bool:
    """Whether some of what a call gives is not written out."""
    return any(isinstance(arg, Star) for arg in call.args) or any(keyword is None for keyword, _ in call.keywords)
