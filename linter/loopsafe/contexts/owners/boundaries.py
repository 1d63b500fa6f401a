"""Boundaries: where thread-only code calls into a class that loop code uses too.

A project's own channel wakes its waiters deep inside; the fix belongs where the channel is called from the thread.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from msgspec import structs

from loopsafe.contexts.places.flow import Reached
from loopsafe.contexts.places.place import Hop, State
from loopsafe.facts.enclosing import call_at
from loopsafe.facts.parts import expressions_in
from loopsafe.facts.schema import Attr, Expr, Name, Subscript
from loopsafe.facts.spelling import spell
from loopsafe.program.classes import Classes
from loopsafe.program.values import Class, Frame, Instance

_INNER = ("future", "sync-primitive")
_OF_CHANNELS = ("send_nowait", "recv_nowait", "receive_nowait", "close")


@dataclass(frozen=True, slots=True)
class Boundary:
    """The call that leaves thread-only code, in the state that makes it, with the hops that lead to that state."""

    reached: Reached
    hops: tuple[Hop, ...]


class Boundaries:
    """Finds the boundary of an operation that a class does on what it holds."""

    def __init__(self, classes: Classes) -> None:
        self._classes = classes

    def of(self, reached: Reached, states: tuple[State, ...], hops: tuple[Hop, ...]) -> Boundary | None:
        """The boundary on the way to `reached`; None where the thread starts inside the class, or there is no class.

        `states` and `hops` are the way from the start: `hops[i]` enters `states[i]`.
        """
        if reached.row.category not in _INNER or not _on_own_state(reached):
            return None
        found, first, kept = None, len(states), _kept_as(reached)
        while first > 0:
            cls = self._class_of(states[first - 1])
            if cls is None or not self._is_shared(cls, kept if first == len(states) else set()):
                break
            first = self._first_of(cls, states, first - 1)
            found = self._at(reached, states, hops, first) or found
        return found

    def _first_of(self, cls: Class, states: tuple[State, ...], at: int) -> int:
        """Where the run of states of this class that ends at `at` begins."""
        while at > 0 and self._class_of(states[at - 1]) is cls:
            at -= 1
        return at

    def _at(self, reached: Reached, states: tuple[State, ...], hops: tuple[Hop, ...], first: int) -> Boundary | None:
        """The boundary before `states[first]`."""
        call = call_at(states[first - 1].frame.scope, hops[first].packed_span) if first > 0 else None
        # What `create_task` or `asyncio.run` is given enters the class too, but not by a call of its own.
        if call is None or not isinstance(call.func, Attr) or hops[first].kind != "calls":
            return None
        if states[first - 1].place != states[first].place:
            return None
        category: Literal["channel", "project"] = "channel" if call.func.name in _OF_CHANNELS else "project"
        row = structs.replace(reached.row, category=category, fix="pass", twin="", expects=())
        moved = replace(reached, state=states[first - 1], call=call, row=row, receiver=None, name=spell(call.func))
        return Boundary(moved, hops[:first])

    def _class_of(self, state: State) -> Class | None:
        """The class that the function belongs to, as a method or as a closure of one."""
        at: Frame | None = state.frame
        while at is not None and not isinstance(at.receiver, Instance):
            at = at.parent
        return at.receiver.cls if at is not None and isinstance(at.receiver, Instance) else None

    def _is_shared(self, cls: Class, kept: set[str]) -> bool:
        """Whether loop code uses the class too: it has coroutine methods that wait, and that have to do with `kept`.

        A task that the class only starts and cancels wakes nobody who waits there.
        """
        for base in self._classes.mro(cls):
            if isinstance(base, Class):
                for scope in base.module.facts.scopes:
                    waits = scope.parent == base.scope.index and scope.is_async and scope.awaits
                    if waits and (not kept or kept & _attributes_in(scope.awaits, scope.calls, scope.blocks)):
                        return True
        return False


def _kept_as(reached: Reached) -> set[str]:
    """The attributes that the receiver is taken from, also by way of a variable."""
    func, scope = reached.call.func, reached.state.frame.scope
    assert isinstance(func, Attr)
    local = [
        value
        for part in expressions_in(func.base)
        if isinstance(part, Name)
        for value in scope.bindings.get(part.id, ())
    ]
    return _attributes_in(func.base, local)


def _attributes_in(*things: object) -> set[str]:
    return {part.name for part in expressions_in(*things) if isinstance(part, Attr)}


def _on_own_state(reached: Reached) -> bool:
    """Whether the class holds the receiver: `self.x.set()`, or something taken from `self.x`."""
    func, scope = reached.call.func, reached.state.frame.scope
    if not isinstance(func, Attr) or not scope.parameters:
        return False
    base: Expr = func.base
    while isinstance(base, (Attr, Subscript)):
        base = base.base
    return isinstance(base, Name) and (base.id == scope.parameters[0].name or base.id in scope.bindings)
