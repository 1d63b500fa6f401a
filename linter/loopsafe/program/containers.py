"""What lists, tuples, sets, dicts and queues hold, key by key as far as keys are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from loopsafe.facts.schema import Collection, Star
from loopsafe.program.solver import Node, Solver
from loopsafe.program.values import Container, Value


@dataclass(slots=True, eq=False)
class _Contents:
    slots: dict[object, Node] = field(default_factory=dict)
    reads: dict[object, Node] = field(default_factory=dict)
    included: dict[tuple[Node, int | None], None] = field(default_factory=dict)


# Nobody hands on more arguments than this one by one.
_LAST_POSITION = 16


class Containers:
    """Slots are written to, reads collect what may come out. Key `None` is an unknown key: it meets every other."""

    def __init__(self, solver: Solver, on_read: Callable[[Value], None]) -> None:
        self._solver, self._on_read = solver, on_read
        self._contents: dict[Value, _Contents] = {}

    def _of(self, container: Value) -> _Contents:
        contents = self._contents.get(container)
        if contents is None:
            contents = self._contents[container] = _Contents()
        return contents

    def slot(self, container: Value, key: object) -> Node:
        """The node to put things in under this key."""
        contents = self._of(container)
        node = contents.slots.get(key)
        if node is None:
            node = contents.slots[key] = Node()
            # Whoever has read before must see the new slot too.
            for wanted, read in contents.reads.items():
                if wanted is None or key is None or wanted == key:
                    self._solver.link(node, read)
        return node

    def read(self, container: Value, key: object) -> Node:
        """The node of what may come out under this key."""
        contents = self._of(container)
        key = _from_the_start(container, key)
        node = contents.reads.get(key)
        if node is None:
            node = contents.reads[key] = Node()
            self._solver.later(self._on_read, container)
            for stored, slot in contents.slots.items():
                if key is None or stored is None or stored == key:
                    self._solver.link(slot, node)
            for included, shift in contents.included:
                self._include(included, key, shift, node)
        return node

    def include(self, container: Value, node: Node, shift: int | None) -> None:
        """Whatever the containers in `node` hold, this one holds: under a position less by `shift`, any where None."""
        contents = self._of(container)
        if (node, shift) not in contents.included:
            contents.included[node, shift] = None
            for key, read in contents.reads.items():
                self._include(node, key, shift, read)

    def _include(self, included: Node, key: object, shift: int | None, into: Node) -> None:
        if shift is None:
            key = None
        elif shift and isinstance(key, int):
            key += shift
            # It lies before what is included; or a list includes its own rest (`args = args[1:]`), without end.
            if not 0 <= key <= _LAST_POSITION:
                return
        self._solver.listen(included, self._read_into, key, into)

    def _read_into(self, key: object, into: Node, value: Value) -> None:
        self._solver.link(self.read(value, key), into)


def _from_the_start(container: Value, key: object) -> object:
    """A position counted from the end as one from the start, for a display of known length; else any position."""
    if not isinstance(key, int) or key >= 0 or not isinstance(container, Container) or container.kind == "dict":
        return key
    display = container.display
    if not isinstance(display, Collection) or display.keys or any(isinstance(i, Star) for i in display.items):
        return None
    return key + len(display.items)
