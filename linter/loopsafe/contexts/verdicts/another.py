"""Paths that lead through one object and come to what another one of its class holds, or does.

Objects of one class are told apart by nothing but where they are made. Where a path makes one, or is given it by who
does, it holds what its constructor is given there: other things than that, and branches that its constants rule out,
are not on the path.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from loopsafe.contexts.places.flow import Reached
from loopsafe.contexts.spread.exclusion import outwards
from loopsafe.contexts.verdicts.chosen import EQUALS, Answers, Chosen, answers_to, constant_of
from loopsafe.contexts.verdicts.made import Kept, Maker, Makers, Spot, given_for, has_stars, is_own
from loopsafe.facts.schema import Attr, Call, Choice, Compare, Expr, Name, Not, Scope
from loopsafe.program.index import last_name
from loopsafe.program.program import Program
from loopsafe.program.solver import Node
from loopsafe.program.values import Frame, Function, Instance, Member, Method, Value


def is_of_another(places: Sequence[Spot], makers: Makers, reached: Reached, program: Program) -> bool:
    """Whether an object on the path is made there, and is given nothing of what the path comes to through it."""
    return _Objects(places, makers, reached, program).are_others()


class _Objects:
    def __init__(self, places: Sequence[Spot], makers: Makers, reached: Reached, program: Program) -> None:
        self._places, self._makers, self._reached, self._program = places, makers, reached, program

    def are_others(self) -> bool:
        """Whether all objects that the path may enter at some place are other ones."""
        for number, place in enumerate(self._places):
            receiver = place.state.frame.receiver
            if isinstance(receiver, Instance) and not self._is_entered(number, receiver):
                answers = self._answers(number, receiver)
                if answers is None or self._is_through_another(number, receiver, answers):
                    return True
        return False

    def _is_through_another(self, number: int, receiver: Instance, answers: Answers) -> bool:
        made = self._makers.of(number)
        if made:
            return all(self._is_other(number, receiver, maker, answers) for maker in made)
        if answers and not self._may_hold(number, receiver, None, answers):
            return True
        # By what its class is given wherever it is called, only constants can tell.
        everywhere = self._makers.of_class(receiver)
        return bool(everywhere) and all(self._is_ruled_out(number, receiver, maker) for maker in everywhere)

    def _answers(self, number: int, receiver: Instance) -> Answers | None:
        """What the branches that the path takes in an object say of how it was made; None where that cannot be."""
        tests = [
            (row.test, row.holds, frame.scope.parameters[0].name)
            for frame, call in self._ways(number, receiver)
            for row in outwards(frame.scope, call.guard)
            if row.kind == "test" and frame.scope.parameters
        ]
        return answers_to(tests, self._makers, receiver.cls)

    def _is_entered(self, number: int, receiver: Instance) -> bool:
        """Whether the path has come to the object before."""
        return bool(number) and self._places[number - 1].state.frame.receiver is receiver

    def _is_other(self, number: int, receiver: Instance, maker: Maker, answers: Answers) -> bool:
        if self._is_ruled_out(number, receiver, maker):
            return True
        return not self._may_hold(number, receiver, maker, answers)

    def _last_in(self, number: int, receiver: Instance) -> int:
        """The last place before the path leaves an object that it has come to."""
        while number + 1 < len(self._places) and self._places[number + 1].state.frame.receiver is receiver:
            number += 1
        return number

    def _is_ruled_out(self, number: int, receiver: Instance, maker: Maker) -> bool:
        """Whether the path cannot go through an object that is made so: not by the branches that it takes there."""
        return any(self._rules_out(frame, call, receiver, maker) for frame, call in self._ways(number, receiver))

    def _ways(self, number: int, receiver: Instance) -> list[tuple[Frame, Call]]:
        """The calls by which the path goes through an object, and that by which the object has started the thread."""
        through = self._places[number : self._last_in(number, receiver) + 1]
        ways = [(at.state.frame, at.call) for at in through]
        if not number and (start := self._makers.own_start()) is not None:
            ways.append(start)
        return ways

    def _rules_out(self, frame: Frame, call: Call, receiver: Instance, maker: Maker) -> bool:
        """Whether a test on the way asks the object for a constant, and gets another answer than the path needs."""
        tests = (row for row in outwards(frame.scope, call.guard) if row.kind == "test")
        return any(self._answer(row.test, frame, receiver, maker) == (not row.holds) for row in tests)

    def _answer(self, test: Expr, frame: Frame, receiver: Instance, maker: Maker) -> bool | None:
        """What a test of an attribute of the object gives; None where that is not known."""
        if isinstance(test, Not):
            answer = self._answer(test.value, frame, receiver, maker)
            return None if answer is None else not answer
        if isinstance(test, Compare) and test.operator in EQUALS:
            left, right = (self._constant(side, frame, receiver, maker) for side in (test.left, test.right))
            if left is None or right is None or left[0] != right[0]:
                return None
            return (left[1] == right[1]) == EQUALS[test.operator]
        if isinstance(test, Call) and len(test.args) == 1 and last_name(test.func) == "iscoroutinefunction":
            return self._is_coroutine(test.args[0], frame, receiver, maker)
        held = self._constant(test, frame, receiver, maker) if isinstance(test, Attr) else None
        return held[1] if held is not None and not held[0] and isinstance(held[1], bool) else None

    def _is_coroutine(self, expr: Expr, frame: Frame, receiver: Instance, maker: Maker) -> bool | None:
        """Whether the function that the object was given is a coroutine function."""
        if not isinstance(expr, Attr) or not is_own(frame.scope, expr.base):
            return None
        given = self._makers.given(receiver.cls, maker, expr.name)
        if given is None:
            return None
        held = self._program.evaluate(*given)
        self._program.solver.run()
        functions = [value.function if isinstance(value, Method) else value for value in held.values]
        kinds = {f.scope.is_async for f in functions if isinstance(f, Function)}
        return kinds.pop() if len(kinds) == 1 and all(isinstance(f, Function) for f in functions) else None

    def _constant(self, expr: Expr, frame: Frame, receiver: Instance, maker: Maker) -> tuple[str, object] | None:
        """What an expression or an attribute of the object is: a constant, or a member of what is named first."""
        if isinstance(expr, Attr) and is_own(frame.scope, expr.base):
            given = self._makers.given(receiver.cls, maker, expr.name)
            expr = given[1] if given is not None else None
        return constant_of(expr)

    def _may_hold(self, number: int, receiver: Instance, maker: Maker | None, answers: Answers) -> bool:
        """Whether what the path uses of the object next may be what its constructor was given."""
        last = self._last_in(number, receiver)
        at = self._places[last]
        chosen = Chosen(self._makers, receiver.cls, maker, answers)
        ways = [(last, at.call.func), (last + 1, self._called_back(last))]
        return all(
            self._may_give(to, _own_attributes(func, at.state.frame), receiver, maker, chosen) for to, func in ways
        )

    def _called_back(self, last: int) -> Expr:
        """What the path gives to the next function for a parameter that this one calls."""
        at, to = self._places[last], self._places[last + 1] if last + 1 < len(self._places) else None
        if to is None or not isinstance(to.call.func, Name):
            return None
        name, scope = to.call.func.id, to.state.frame.scope
        taken = any(p.name == name for p in scope.parameters) and name not in scope.bindings
        return given_for(at.call, to.state.frame, name) if taken else None

    def _may_give(self, at: int, by: tuple[str, ...], receiver: Instance, maker: Maker | None, chosen: Chosen) -> bool:
        """Whether what the path comes to from a place on may be what an object holds, `by` these attributes."""
        name, *further = by or ("",)
        if not name or name in self._program.index.stores or not self._makers.stores(receiver.cls, name):
            return True
        frame = None if at + 1 == len(self._places) else self._places[at + 1].state.frame
        used = self._reached.receiver if frame is None else frame.receiver
        scope = frame.scope if frame is not None and used is None else None
        if used is None and scope is None:
            return True
        if frame is not None and self._is_handed(self._places[at], _Used(used, scope, (), "", None, "")):
            return True
        entered = None if frame is None else frame.scope
        operation = self._reached.name.rpartition(".")[2] if frame is None and not further else ""
        wanted = _Used(used, scope, tuple(further[:-1]), "".join(further[-1:]), entered, operation)
        return any(self._gives(kept, chosen, maker, wanted, name) for kept in chosen.stores(name))

    def _is_handed(self, place: Spot, used: _Used) -> bool:
        """Whether what the path enters is an argument of the call: a library calls it back."""
        given = (*place.call.args, *(value for _, value in place.call.keywords))
        nodes = [self._program.evaluate(place.state.frame, argument) for argument in given]
        self._program.solver.run()
        return any(used.is_it(value) for node in nodes for value in node.values)

    def _gives(self, kept: Kept, chosen: Chosen, maker: Maker | None, used: _Used, under: str) -> bool:
        """Whether what a method stores under a name may be, or belong to, what is used."""
        by, value, _ = kept
        if isinstance(value, Choice):
            options = chosen.options(value, by)
            return any(self._gives(kept._replace(value=option), chosen, maker, used, under) for option in options)
        attribute = value.name if isinstance(value, Attr) else ""
        name = value.base if isinstance(value, Attr) else value
        of_parameter = isinstance(name, Name) and any(p.name == name.id for p in by.scope.parameters[1:])
        if by.scope.name != "__init__" or not of_parameter:
            bound = by.scope.bindings.get(value.id, ()) if isinstance(value, Name) else ()
            # What was there before is put back.
            again = bool(bound) and all(isinstance(held, Attr) and held.name == under for held in bound)
            return not again and self._is_stored(by, [value], used)
        rebound, always = chosen.rebound(name.id, by)  # type: ignore[union-attr]
        if rebound and self._is_stored(by, rebound, used):
            return True
        if always or maker is None:
            return not always
        given, giver = given_for(maker.call, by, name.id), maker.frame  # type: ignore[union-attr]
        if given is None:
            if has_stars(maker.call):
                return True
            default = (p.default for p in by.scope.parameters if p.name == name.id)  # type: ignore[union-attr]
            given, giver = next(default), by.parent or by
        held = self._program.evaluate(giver, given)
        self._program.solver.run()
        nodes = [self._program.attribute(v, attribute) for v in held.values] if attribute else [held]
        if used.through or attribute or not used.called:
            return self._is_in(nodes, used)
        # What is called last may be a method of the object, or what the object was given.
        inner = [node for v in list(held.values) for node in self._kept(v, giver, given, used.called)]
        return self._is_in(nodes, used._replace(called="")) or self._is_among(inner, used)

    def _is_stored(self, by: Frame, values: Sequence[Expr], used: _Used) -> bool:
        """Whether one of some expressions of a method is what is used, for any object of its class."""
        frames = self._program.classes.frames(by.module, by.scope)
        return self._is_in([self._program.evaluate(each, value) for each in frames for value in values], used)

    def _kept(self, value: Value, frame: Frame, given: Expr, name: str) -> Iterator[Node]:
        """What an object keeps under a name: of all of its class, that which is written there."""
        made = self._makers.behind(frame, given, value) if isinstance(value, Instance) else ()
        known = [self._makers.given(value.cls, maker, name) for maker in made] if isinstance(value, Instance) else []
        if known and None not in known:
            yield from (self._program.evaluate(*each) for each in known if each is not None)
        else:
            yield self._program.attribute(value, name)

    def _is_in(self, nodes: Sequence[Node], used: _Used) -> bool:
        for name in used.through:
            nodes = self._under(name, nodes)
        self._program.solver.run()
        if any(used.is_it(value) for node in nodes for value in node.values):
            return True
        return self._is_among(self._under(used.called, nodes) if used.called else (), used)

    def _is_among(self, kept: Sequence[Node], used: _Used) -> bool:
        self._program.solver.run()
        return any(used.is_kept(value) for node in kept for value in node.values)

    def _under(self, name: str, nodes: Sequence[Node]) -> Sequence[Node]:
        """What all that nodes hold has under a name."""
        self._program.solver.run()
        return [self._program.attribute(value, name) for node in nodes for value in list(node.values)]


class _Used(NamedTuple):
    """What the path comes to by an attribute: an object, or a function, maybe through attributes of what that holds.

    `called` is the last of those, by which the call is made, and `entered` the function that it enters. `operation` is
    the method that is kept itself, if one is.
    """

    thing: Value | None
    scope: Scope | None
    through: tuple[str, ...]
    called: str
    entered: Scope | None
    operation: str

    def is_kept(self, value: Value) -> bool:
        """Whether a value is the callback that the path enters, or belongs to the thing it comes to."""
        return self.is_it(value) and (not isinstance(value, Method) or value.function.scope is self.entered)

    def is_it(self, value: Value) -> bool:
        """Whether a value is it, or belongs to it."""
        if self.thing is not None:
            if self.operation and isinstance(value, Member) and value.name != self.operation:
                return False
            return value is self.thing or getattr(value, "receiver", None) is self.thing
        function = value.function if isinstance(value, Method) else value
        return isinstance(function, Function) and function.scope is self.scope


def _own_attributes(func: Expr, frame: Frame) -> tuple[str, ...]:
    """The attributes by which a call goes through the method's own object, in order; none where it does not."""
    names: list[str] = []
    while isinstance(func, Attr):
        names.append(func.name)
        func = func.base
    return tuple(reversed(names)) if is_own(frame.scope, func) else ()
