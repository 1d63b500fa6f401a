"""Objects that nobody drives: the project starts the thread of another one of the same class."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from loopsafe.facts.schema import Attr
from loopsafe.program.program import Program
from loopsafe.program.solver import Node
from loopsafe.program.values import Instance, Object, Value


class Driven:
    """Puts off what happens to an object until it is known which objects the methods of its row are called on."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._put_off: list[tuple[tuple[str, ...], Object, Callable[[], None]]] = []
        self._declared: list[tuple[Node, Object, Callable[[], None]]] = []

    def when(self, methods: tuple[str, ...], holder: Value | None, action: Callable[[], None]) -> None:
        """Do it if one of the methods may be called on this object; at once where it is not known where it was made."""
        if methods and isinstance(holder, Object) and holder.site is not None:
            self._put_off.append((methods, holder, action))
        else:
            action()

    def unless_extended(self, held: Node, holder: Value | None, action: Callable[[], None]) -> None:
        """Do it, but not to an object that is only declared where what comes in is of a class of the project's own."""
        if isinstance(holder, Object) and holder.site is None and self._has_heirs(holder):
            self._declared.append((held, holder, action))
        else:
            action()

    def _has_heirs(self, holder: Object) -> bool:
        return holder.type.rpartition(".")[2] in self._program.index.classes_by_base

    def _comes_in(self, held: Node, holder: Object) -> bool:
        """Whether an object of the library's own class may be there."""
        own = [
            v
            for v in held.values
            if isinstance(v, Instance) and holder.type in self._program.classes.library_bases(v.cls)
        ]
        return not own or any(isinstance(value, Object) and value.site is not None for value in held.values)

    def settle(self) -> bool:
        """Do what turns out to be called for, when the program is solved; whether there was anything."""
        called = [action for held, holder, action in self._declared if self._comes_in(held, holder)]
        self._declared = []
        asked = {method for methods, _, _ in self._put_off for method in methods}
        receivers = {method: list(self._receivers(method)) for method in sorted(asked)}
        waiting, self._put_off = self._put_off, []
        for methods, holder, action in waiting:
            if any(_may_be(holder, values) for method in methods for values in receivers[method]):
                called.append(action)
            else:
                self._put_off.append((methods, holder, action))
        for action in called:
            action()
        return bool(called)

    def _receivers(self, method: str) -> Iterator[set[Value]]:
        """What each call of a method is on."""
        program = self._program
        for module, scope, call in program.index.calls.get(method, ()):
            if not isinstance(call.func, Attr):
                yield set()
                continue
            nodes = [program.evaluate(frame, call.func.base) for frame in program.classes.frames(module, scope)]
            program.solver.run()
            yield {value for node in nodes for value in node.values}


def _may_be(holder: Object, values: set[Value]) -> bool:
    """Whether a receiver may be the object: it is not known, of another kind, or the same."""
    return not values or any(
        not isinstance(v, Object) or v.site is None or v.type != holder.type or _is_same(v, holder) for v in values
    )


def _is_same(one: Object, other: Object) -> bool:
    """Whether both are made by the same call, for objects of the same class."""
    if one.site is not other.site or one.frame is None or other.frame is None:
        return one is other
    return one.frame.receiver is other.frame.receiver
