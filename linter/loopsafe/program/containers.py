"""What lists, tuples, sets, dicts and queues hold, key by key as far as keys are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from loopsafe.program.solver import Node, Solver
from loopsafe.program.values import Value


@dataclass(slots=True, eq=False)
class _Contents:
    slots: dict[object, Node] = field(default_factory=dict)
    reads: dict[object, Node] = field(default_factory=dict)
    included: list[Node] = field(default_factory=list)


class Containers:
    """Slots are written to, reads collect what may come out. Key `None` is an unknown key: it meets every other."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self._contents: dict[Value, _Contents] = {}

    def slot(self, container: Value, key: object) -> Node:
        """The node to put things in under this key."""
        contents = self._contents.setdefault(container, _Contents())
        node = contents.slots.get(key)
        if node is None:
            node = contents.slots[key] = Node()
            for wanted, read in contents.reads.items():
                if wanted is None or key is None or wanted == key:
                    self._solver.link(node, read)
        return node

    def read(self, container: Value, key: object) -> Node:
        """The node of what may come out under this key."""
        contents = self._contents.setdefault(container, _Contents())
        node = contents.reads.get(key)
        if node is None:
            node = contents.reads[key] = Node()
            for stored, slot in contents.slots.items():
                if key is None or stored is None or stored == key:
                    self._solver.link(slot, node)
            for included in contents.included:
                self._solver.listen(included, self._reader(key, node))
        return node

    def include(self, container: Value, node: Node) -> None:
        """Whatever the containers in `node` hold, this one holds."""
        contents = self._contents.setdefault(container, _Contents())
        if node not in contents.included:
            contents.included.append(node)
            for key, read in contents.reads.items():
                self._solver.listen(node, self._reader(key, read))

    def _reader(self, key: object, into: Node) -> Callable[[Value], None]:
        return lambda value: self._solver.link(self.read(value, key), into)
