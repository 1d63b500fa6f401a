"""What is given to one method of a library's object, and called by another: handlers that are subscribed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from loopsafe.facts.schema import Attr
from loopsafe.knowledge.schema import Callable as CallableRow
from loopsafe.program.classes import Classes
from loopsafe.program.graph import Arguments, Graph, Library, Source, Target
from loopsafe.program.solver import Node
from loopsafe.program.values import Object, Value, same_making

# More calls than this by one name are of many kinds.
_MOST_CALLS = 200


class Subscribed:
    """Finds the calls that give handlers to an object, once for each object and way of giving."""

    def __init__(
        self, graph: Graph, classes: Classes, given: Callable[[CallableRow, Arguments], Iterable[Source]]
    ) -> None:
        self._graph, self._classes, self._given = graph, classes, given
        self._nodes: dict[tuple[Value, CallableRow], Node] = {}

    def node(self, receiver: Value, wanted: CallableRow) -> Node:
        """What is given to the method `wanted.given_to` of an object. One that is only declared may be any."""
        found = self._nodes.get((receiver, wanted))
        if found is None:
            found = self._nodes[receiver, wanted] = Node()
            is_made = isinstance(receiver, Object) and receiver.site is not None
            for module, scope, call in self._graph.index.callers(wanted.given_to)[:_MOST_CALLS] if is_made else ():
                for frame in self._classes.frames(module, scope):
                    self._graph.targets(frame, call, partial(self._take, receiver, wanted, found))
            if is_made:
                self._decorated(receiver, wanted, found)
        return found

    def _decorated(self, receiver: Value, wanted: CallableRow, node: Node) -> None:
        """`@signal.connect` gives what it decorates."""
        graph = self._graph

        def subscribed(held: Node, value: Value) -> None:
            if same_making(value, receiver):
                graph.solver.link(held, node)

        for module, scope in graph.index.decorated.get(wanted.given_to, ())[:_MOST_CALLS]:
            around = self._classes.plain_frame(module, module.facts.scopes[scope.parent])
            for decorator in scope.decorators:
                if isinstance(decorator, Attr) and decorator.name == wanted.given_to and wanted.position == 0:
                    held = graph.variable(around, scope.name)
                    graph.solver.listen(graph.evaluate(around, decorator.base), subscribed, held)

    def _take(self, receiver: Value, wanted: CallableRow, node: Node, target: Target) -> None:
        if isinstance(target, Library) and same_making(target.receiver, receiver):
            for source in self._given(wanted, target.arguments):
                self._graph.solver.link(self._graph.node(source), node)
