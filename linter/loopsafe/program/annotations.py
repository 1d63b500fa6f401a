"""Annotations: what something declared like this may hold."""

from __future__ import annotations

from collections.abc import Iterable

from loopsafe.facts.schema import Choice, Collection, Expr, Name, Subscript
from loopsafe.program.classes import Classes
from loopsafe.program.graph import Graph
from loopsafe.program.index import last_name
from loopsafe.program.solver import Node
from loopsafe.program.values import Class, Container, External, Frame, Object

WRAPPERS = {"Optional", "Union", "Annotated", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly", "InitVar"}
FIRST_ONLY = {"Annotated"}
_SEQUENCES = {
    "list", "List", "set", "Set", "frozenset", "FrozenSet", "deque", "Deque", "Sequence", "MutableSequence", "Iterable",
    "Iterator", "Collection", "AbstractSet", "MutableSet", "AsyncIterator", "AsyncIterable", "Generator",
    "AsyncGenerator", "WeakSet", "ContextVar",
}  # fmt: skip
_MAPPINGS = {
    "dict", "Dict", "defaultdict", "DefaultDict", "Mapping", "MutableMapping", "OrderedDict", "WeakValueDictionary",
    "WeakKeyDictionary",
}  # fmt: skip
# Behind these may be anything, or nothing that has methods worth knowing.
_NOTHING = {"Any", "object", "Callable", "Awaitable", "Coroutine", "TypeVar", "Literal", "None", "type", "Type"}


class Annotations:
    """Turns declared types into values without a place of making."""

    def __init__(self, graph: Graph, classes: Classes) -> None:
        self._graph, self._classes = graph, classes
        self._followed: set[tuple[Frame, str]] = set()
        # A method's parameters are declared once, for all receivers it has.
        self._instances: dict[tuple[Frame, Expr], Node] = {}

    def instance_of(self, frame: Frame, annotation: Expr) -> Node:
        """A node with what the annotation allows; empty for `Any`, callables and what is not understood."""
        node = self._instances.get((frame, annotation))
        if node is None:
            node = self._instances[frame, annotation] = Node()
            self._fill(frame, annotation, node)
        return node

    def _fill(self, frame: Frame, annotation: Expr, node: Node) -> None:
        if isinstance(annotation, Choice):
            for option in annotation.options:
                self._fill(frame, option, node)
        elif isinstance(annotation, Subscript):
            self._generic(frame, annotation, node)
        elif last_name(annotation) not in _NOTHING:
            self._plain(frame, annotation, node)

    def _generic(self, frame: Frame, annotation: Subscript, node: Node) -> None:
        name = last_name(annotation.base)
        inner = annotation.index.items if isinstance(annotation.index, Collection) else (annotation.index,)
        if name in WRAPPERS:
            for option in inner[:1] if name in FIRST_ONLY else inner:
                self._fill(frame, option, node)
        elif name in _SEQUENCES:
            self._container(frame, "list", annotation, [(None, inner[0])], node)
        elif name in _MAPPINGS:
            self._container(frame, "dict", annotation, [(None, inner[-1])], node)
        elif name in ("tuple", "Tuple"):
            # `tuple[A, ...]`: an ellipsis means nothing as an expression, so it is None here.
            several = len(inner) == 2 and not isinstance(inner[1], (Name, Subscript, Choice)) and inner[1] is None
            keys: list[tuple[object, Expr]] = [(None, inner[0])] if several else list(enumerate(inner))
            self._container(frame, "tuple", annotation, keys, node)
        elif name not in _NOTHING:
            self._plain(frame, annotation.base, node)

    def _container(
        self, frame: Frame, kind: str, display: Expr, items: Iterable[tuple[object, Expr]], node: Node
    ) -> None:
        own = self._graph.values.make(Container, kind, frame, display)
        self._graph.solver.add(node, own)
        for key, item in items:
            self._fill(frame, item, self._graph.slot(own, key))

    def _plain(self, frame: Frame, annotation: Expr, node: Node) -> None:
        graph = self._graph
        for named in self._classes.resolve_all(frame, annotation):
            if isinstance(named, Class):
                graph.solver.add(node, self._classes.instance(named))
            elif isinstance(named, External):
                name = graph.knowledge.canonical(named.name)
                if graph.knowledge.is_known(name):
                    graph.solver.add(node, graph.values.make(Object, name, None, None))
                elif isinstance(annotation, Name):
                    # Not a class: perhaps a name for a union.
                    self._alias(frame, annotation, node)

    def _alias(self, frame: Frame, annotation: Name, node: Node) -> None:
        """`Handler = Union[A, B]` at module level, used as a type."""
        module = self._graph.module_frame(frame.module)
        # One may be bound again to a union with itself.
        if (module, annotation.id) in self._followed:
            return
        self._followed.add((module, annotation.id))
        for expr in module.scope.bindings.get(annotation.id, ()):
            if isinstance(expr, (Subscript, Choice)):
                self._fill(module, expr, node)
        self._followed.discard((module, annotation.id))
