"""Decorators: what a decorated name holds."""

from __future__ import annotations

from loopsafe.facts.schema import Attr, Call, Expr, Scope
from loopsafe.program.classes import Classes
from loopsafe.program.graph import Arguments, Entered, Graph, Source, Target
from loopsafe.program.index import last_name
from loopsafe.program.solver import Node
from loopsafe.program.values import Class, Descriptor, External, Frame, Function, Instance, Member, Object, Value

_DESCRIPTORS = {
    "property": "property",
    "cached_property": "property",
    "abstractproperty": "property",
    "setter": "setter",
    "getter": "property",
    "deleter": "deleter",
    "staticmethod": "staticmethod",
    "classmethod": "classmethod",
}
_DISPATCHING = ("singledispatch", "singledispatchmethod")


class Decorators:
    """Calls the project's own decorators. Those of libraries are taken to give a function that does the same."""

    def __init__(self, graph: Graph, classes: Classes) -> None:
        self._graph, self._classes = graph, classes

    def apply(self, frame: Frame, scope: Scope, value: Value, node: Node) -> None:
        """Run `value`, which this scope defines, through its decorators, innermost first, into `node`."""
        held = self._graph.holding([value])
        for decorator in reversed(scope.decorators):
            held = self._through(frame, value, decorator, held)
            if last_name(decorator) in _DISPATCHING:
                self._register(frame, scope.name, node)
        self._graph.solver.link(held, node)

    def _register(self, frame: Frame, name: str, node: Node) -> None:
        """What `@name.register` puts beside a function that is chosen by the type of its first argument."""
        graph = self._graph
        for module, scope in graph.index.decorated.get("register", ()):
            written = (d.func if isinstance(d, Call) else d for d in scope.decorators)
            if any(isinstance(d, Attr) and last_name(d.base) == name for d in written):
                home = module.facts.scopes[scope.parent]
                around = frame if home is frame.scope else self._classes.plain_frame(module, home)
                graph.solver.add(node, graph.values.make(Function, module, scope, around))

    def _through(self, frame: Frame, decorated: Value, decorator: Expr, held: Node) -> Node:
        graph, name = self._graph, last_name(decorator)
        written = decorator.func if isinstance(decorator, Call) else decorator
        # A cheap look at the name first: most decorators are a library's.
        if name in self._graph.index.definitions and not isinstance(self._classes.resolve(frame, written), External):
            given = Node()
            arguments = Arguments((Source(None, None, held),))
            graph.solver.listen(
                graph.evaluate(frame, decorator),
                lambda callee: self._decorate(callee, arguments, decorated, held, given),
            )
            if isinstance(decorator, Call):
                # A method of a library's object, `@app.delete("/")`, though the project has such a name, too.
                graph.solver.listen(graph.evaluate(frame, written), self._pass_on, held, given)
            return given
        return self._wrapped(_DESCRIPTORS[name], held) if name in _DESCRIPTORS else held

    def _pass_on(self, held: Node, given: Node, callee: Value) -> None:
        if isinstance(callee, Member) and isinstance(callee.receiver, Object):
            self._graph.solver.link(held, given)

    def _decorate(self, callee: Value, arguments: Arguments, decorated: Value, held: Node, given: Node) -> None:
        graph = self._graph
        # A library's after all: taken to give the function back.
        if isinstance(callee, (External, Object, Descriptor, Member)):
            graph.solver.link(held, given)
            return
        if isinstance(callee, Class):
            graph.solver.add(given, graph.values.make(Instance, callee))

        def entered(target: Target) -> None:
            if isinstance(target, Entered) and target.function.scope.name != "__init__":
                graph.solver.link(graph.result(target.frame), given)

        graph.call(callee, arguments, decorated, entered)

    def _wrapped(self, kind: str, held: Node) -> Node:
        graph, given = self._graph, Node()
        graph.solver.listen(held, lambda value: graph.solver.add(given, graph.values.make(Descriptor, kind, value)))
        return given
