"""The engine under the program: sets of values that grow, and what must happen when they do.

A node is a set of values, with targets that hold all it holds, and with listeners. Values are only ever added, so the
state reached when nothing is left to do is the same in whatever order the work was done. Two things depend on the
order: a node with too many values to mean anything stops taking more, and what is done when idle goes by what is known
by then. As work is done in a fixed order, findings are deterministic all the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from types import MethodType
from typing import Any, TypeVar

from loopsafe.program.values import Value

# A node with more values than this may be anything; literals and containers say so earlier.
_MOST_LIGHT = 24
_MOST = 128
Listener = Callable[[Value], None]
# What to call, and what to give it before the value: a partial of the same takes twice the memory.
_Heard = tuple[Any, ...]
_Queue = deque[tuple[Callable[..., None], tuple[object, ...]]]

# Work takes microseconds a piece: often enough for who looks on, and too seldom to be felt.
_BETWEEN_BEATS = 4096

_FEW = 6
_Element = TypeVar("_Element")


class Node:
    """The values that one expression, name, attribute or result may have."""

    __slots__ = ("listeners", "targets", "values")

    def __init__(self) -> None:
        # Most nodes have few or none of each, and there are too many nodes to give each a dict.
        self.values: tuple[Value, ...] | dict[Value, None] = ()
        self.targets: tuple[Node, ...] | dict[Node, None] = ()
        self.listeners: tuple[_Heard, ...] | list[_Heard] = ()


class Solver:
    """The worklist. Nothing recurses: building a node is work like any other.

    `budgets` are how many pieces of work are done for each owner, until they are given anew: for the project (empty)
    and for each installed library, so that one that is hard to follow takes nothing from the rest. What comes of a
    piece of work is of the same owner. `beat` hears now and then how many pieces were done.
    """

    def __init__(self, budgets: Mapping[str, int]) -> None:
        self._budgets, self._left = budgets, dict(budgets)
        self._beats = 0
        self.beat: Callable[[int], None] = lambda _: None
        self._queues: dict[str, _Queue] = {"": deque()}
        self._owner, self._work = "", self._queues[""]
        self._idle: _Queue = deque()
        # Whose work was left undone.
        self.spent: set[str] = set()
        self._methods: dict[Callable[..., None], Callable[..., None]] = {}

    def refill(self) -> None:
        """A question of another kind comes, which has the whole budgets again."""
        self._left = dict(self._budgets)

    def later(self, action: Callable[..., None], *args: object) -> None:
        """Do this before run() returns."""
        self._work.append((action, args))

    def later_for(self, owner: str, action: Callable[..., None], *args: object) -> None:
        """The same as work of this owner."""
        work = self._work if owner == self._owner else self._queues.setdefault(owner, deque())
        work.append((action, args))

    def at_once_or_for(self, owner: str, action: Callable[..., None], *args: object) -> None:
        """Do what is the project's now, and what is a library's as its work."""
        if owner:
            self.later_for(owner, action, *args)
        else:
            action(*args)

    def when_idle(self, action: Callable[..., None], *args: object) -> None:
        """Do this before run() returns, but only once there is nothing else to do."""
        self._idle.append((action, args))

    def add(self, node: Node, value: Value) -> None:
        """Add a value, also to what holds all that the node holds; listeners hear of it once."""
        most = _MOST_LIGHT if value.is_light else _MOST
        pending, work = [node], self._work
        while pending:
            at = pending.pop()
            values = at.values
            if value in values or len(values) >= most:
                continue
            if type(values) is dict:
                values[value] = None
            else:  # as `with_one`, without a call: nothing is done as often
                at.values = (*values, value) if len(values) < _FEW else dict.fromkeys((*values, value))
            if at.targets:
                pending += [t for t in at.targets if len(t.values) < most and value not in t.values]
            for action, *first in at.listeners:
                work.append((action, (*first, value)))

    def listen(self, node: Node, listener: Callable[..., None], *first: object) -> None:
        """Call `listener`, after what comes `first`, with every value the node has and will have."""
        # A bound method is an object of its own each time it is asked for.
        if type(listener) is MethodType:
            listener = self._methods.setdefault(listener, listener)
        heard: _Heard = (listener, *first)
        if isinstance(node.listeners, list):
            node.listeners.append(heard)
        elif len(node.listeners) < _FEW:
            node.listeners = (*node.listeners, heard)
        else:
            node.listeners = [*node.listeners, heard]
        for value in node.values:
            self._work.append((listener, (*first, value)))

    def link(self, source: Node, target: Node) -> None:
        """Whatever `source` holds, `target` holds."""
        # A target that is full takes no more.
        if source is target or target in source.targets or len(target.values) >= _MOST:
            return
        source.targets = with_one(source.targets, target)
        if not (target.values or target.targets or target.listeners) and isinstance(source.values, tuple):
            target.values = source.values
            return
        for value in list(source.values):
            if value not in target.values:
                self.add(target, value)

    def run(self) -> None:
        """Work until nothing changes any more, or the budgets are spent: what is known by then stands."""
        while (owner := self._next_owner()) is not None:
            self._owner, self._work = owner, self._queues[owner]
            self._run_of(owner)
        for owner, queue in self._queues.items():
            if queue:
                self.spent.add(owner)
            queue.clear()
        if self._idle:
            self.spent.add("")
        self._idle.clear()
        self._owner, self._work = "", self._queues[""]

    def _next_owner(self) -> str | None:
        """Whose work comes next; the project's comes first, and what waits for idleness, which is its own, last."""
        busy = (owner for owner, queue in self._queues.items() if queue and self._left[owner])
        return next(busy, "" if self._idle and self._left[""] else None)

    def _run_of(self, owner: str) -> None:
        work, left = self._work, self._left[owner]
        if not work:
            work.append(self._idle.popleft())
        while left and work:
            action, args = work.popleft()
            action(*args)
            left -= 1
            if not left % _BETWEEN_BEATS:
                self._beats += 1
                self.beat(self._beats * _BETWEEN_BEATS)
        self._left[owner] = left


def with_one(
    these: tuple[_Element, ...] | dict[_Element, None], one: _Element
) -> tuple[_Element, ...] | dict[_Element, None]:
    """These and one more, in order: a tuple of a few, a dict of many."""
    if isinstance(these, dict):
        these[one] = None
        return these
    return (*these, one) if len(these) < _FEW else dict.fromkeys((*these, one))
