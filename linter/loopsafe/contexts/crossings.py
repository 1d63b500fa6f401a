"""Which loop to cross to: the expressions in scope at a place that hold a loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from loopsafe.program.program import Program
from loopsafe.program.solver import Node
from loopsafe.program.values import Class, Frame, Instance, Object, Value

LOOP = "asyncio.AbstractEventLoop"
_USUAL = ("_loop", "loop", "_event_loop", "event_loop")


class Crossings:
    """Collects, for each frame with an operation, the candidates; asks what they hold once everything is known."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._candidates: dict[Frame, list[tuple[str, Node]]] = {}

    def prepare(self, frame: Frame) -> None:
        """Ask for what the candidates in scope hold, so that it is known in the end."""
        if frame not in self._candidates:
            self._candidates[frame] = [*self._of_receiver(frame), *self._of_scopes(frame)]

    def loop_in_scope(self, frame: Frame, wanted: str = LOOP, avoid: Callable[[Value], bool] | None = None) -> str:
        """The text of the nearest expression that holds a loop of the `wanted` class; empty where there is none.

        It must not hold one to `avoid`.
        """
        for text, node in self._candidates.get(frame, ()):
            held = [v for v in node.values if isinstance(v, Object) and wanted in self._lineage(v)]
            if held and not (avoid and any(map(avoid, held))):
                return text
        return ""

    def _lineage(self, value: Object) -> Iterator[str]:
        return self._program.knowledge.lineage(value.type)

    def _of_receiver(self, frame: Frame) -> list[tuple[str, Node]]:
        """Attributes of `self` that are named after a loop."""
        at: Frame | None = frame
        while at is not None and at.receiver is None:
            at = at.parent
        if at is None or not isinstance(at.receiver, Instance):
            return []
        name = at.scope.parameters[0].name
        attributes = sorted(self._attribute_names(at.receiver.cls), key=lambda a: (_rank(a), a))
        return [(f"{name}.{a}", self._program.attribute(at.receiver, a)) for a in attributes]

    def _attribute_names(self, cls: Class) -> set[str]:
        names: set[str] = set()
        for base in self._program.classes.mro(cls):
            if isinstance(base, Class):
                names |= self._program.index.own_stores.get((base.module.index, base.scope.index), {}).keys()
                names |= base.scope.annotations.keys() | base.scope.bindings.keys()
        return {n for n in names if "loop" in n.lower()}

    def _of_scopes(self, frame: Frame) -> list[tuple[str, Node]]:
        """Parameters here; variables of the functions and the module around."""
        found: list[tuple[str, Node]] = []
        at: Frame | None = frame
        while at is not None:
            names = {p.name for p in at.scope.parameters}
            if at is not frame and at.scope.kind != "class":
                names |= at.scope.bindings.keys() | at.scope.annotations.keys()
            mine = sorted((n for n in names if "loop" in n.lower()), key=lambda n: (_rank(n), n))
            found += [(n, self._program.variable(at, n)) for n in mine]
            at = at.parent
        return found


def _rank(name: str) -> int:
    return _USUAL.index(name) if name in _USUAL else len(_USUAL)
