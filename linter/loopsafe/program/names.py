"""Names: variables, parameters, imports, and Python's scoping rules."""

from __future__ import annotations

import builtins
from collections.abc import Callable

from loopsafe.facts.schema import Import, Name, Parameter, Scope
from loopsafe.program.graph import Arguments, Graph, Source
from loopsafe.program.rebound import Rebound, rebound
from loopsafe.program.solver import Node, with_one
from loopsafe.program.values import Container, Frame, Object, ProjectModule, Value

# A function called with more sets of arguments than this may be given anything.
_MOST_GIVEN = 1000


class Names:
    """Answers what a name holds. A name is built when it is first asked for."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.entered: list[Callable[[Frame], None]] = []
        self._given: dict[Frame, tuple[Arguments, ...] | dict[Arguments, None]] = {}
        self._waiting: dict[Frame, list[tuple[Parameter, Node]]] = {}
        self._bound: dict[Scope, frozenset[str]] = {}
        self._rebindings: dict[Scope, Rebound] = {}

    def variable(self, frame: Frame, name: str) -> Node:
        """What a name bound in this scope itself holds."""
        node = frame.nodes.get(name)
        if node is None:
            node = frame.nodes[name] = Node()
            self._graph.solver.later_for(frame.module.library, self._fill, frame, name, node)
        assert isinstance(node, Node)
        return node

    def read(self, frame: Frame, name: Name) -> Node:
        """What a name in the text of a function holds: inside `fn = wrap(fn)` what it held before."""
        if name in self._rebound(frame.scope).inside:
            return self._before(frame, name.id)
        return self.lookup(frame, name.id)

    def _before(self, frame: Frame, name: str) -> Node:
        """What a name holds before it is bound anew for good."""
        node = frame.nodes.get(f"{name} before")
        if node is None:
            node = frame.nodes[f"{name} before"] = Node()
            end = self._rebound(frame.scope).last[name]
            self._graph.solver.later_for(frame.module.library, self._fill_part, frame, name, node, range(end), True)
        assert isinstance(node, Node)
        return node

    def _rebound(self, scope: Scope) -> Rebound:
        found = self._rebindings.get(scope)
        if found is None:
            found = self._rebindings[scope] = rebound(scope, self._graph.index.definitions)
        return found

    def lookup(self, frame: Frame, name: str) -> Node:
        """What a name holds, seen from inside `frame`."""
        known = frame.nodes.get(name)
        if known is not None and not frame.scope.outer_names:
            return known  # type: ignore[return-value]
        at: Frame = frame
        while True:
            if at.scope.outer_names.get(name) == "global":
                return self._global(self._graph.module_frame(at.module), name)
            # Functions do not see the names of the class around them.
            if self._binds(at, name) and (at is frame or at.scope.kind != "class"):
                return self.variable(at, name)
            if at.parent is None:
                return self._global(at, name)
            at = at.parent

    def give(self, frame: Frame, arguments: Arguments) -> None:
        """A call enters `frame` with these arguments."""
        given = self._given.get(frame)
        if given is None:
            given = self._given[frame] = ()
            for listener in self.entered:
                listener(frame)
        if arguments not in given and len(given) < _MOST_GIVEN:
            self._given[frame] = with_one(given, arguments)
            for parameter, node in self._waiting.get(frame, ()):
                self._match(frame, parameter, arguments, node)

    def bind_import(self, frame: Frame, imported: Import, node: Node) -> None:
        """What an import binds."""
        graph = self._graph
        dotted = graph.modules.absolute(imported, frame.module)
        module = graph.modules.find(dotted, frame.module)
        if module is frame.module and imported.name:
            # `from . import part` in a package's own __init__: the part is a module, not a name bound here.
            module, imported = graph.modules.find(f"{dotted}.{imported.name}", frame.module), Import(dotted)
        if module is None:
            name = f"{dotted}.{imported.name}" if imported.name else dotted
            graph.add_external(node, name)
            return
        value = graph.values.make(ProjectModule, module)
        if imported.name is None:
            graph.solver.add(node, value)
        else:
            graph.solver.link(graph.attribute(value, imported.name), node)

    def _binds(self, frame: Frame, name: str) -> bool:
        bound = self._bound.get(frame.scope)
        if bound is None:
            bound = self._bound[frame.scope] = _bound(frame.scope)
        return name in bound

    def _global(self, frame: Frame, name: str) -> Node:
        if self._binds(frame, name) or (frame.module.index, name) in self._graph.index.global_writers:
            return self.variable(frame, name)
        node = frame.nodes.get(name)
        if node is None:
            node = frame.nodes[name] = Node()
            self._graph.solver.later_for(frame.module.library, self._fill_foreign, frame, name, node)
        assert isinstance(node, Node)
        return node

    def _fill_foreign(self, frame: Frame, name: str, node: Node) -> None:
        """A name from `from m import *`, or a built-in."""
        for star in frame.scope.star_imports:
            module = self._graph.modules.star(star, frame.module, name)
            if module is not None:
                value = self._graph.values.make(ProjectModule, module)
                self._graph.solver.link(self._graph.attribute(value, name), node)
        if hasattr(builtins, name):
            self._graph.add_external(node, f"builtins.{name}")

    def _fill(self, frame: Frame, name: str, node: Node) -> None:
        start, number = self._rebound(frame.scope).last.get(name), len(frame.scope.bindings.get(name, ()))
        self._fill_part(frame, name, node, range(start or 0, number), start is None)

    def _fill_part(self, frame: Frame, name: str, node: Node, part: range, given: bool) -> None:
        """Link some of a name's bindings, and what is `given` for it where it is a parameter."""
        scope, solver = frame.scope, self._graph.solver
        for parameter in scope.parameters if given else ():
            if parameter.name == name:
                self._parameter(frame, parameter, node)
        if name in scope.annotations:
            solver.link(self._graph.instance_of(frame, scope.annotations[name]), node)
            node = self._graph.gate(node, [(frame, scope.annotations[name])])
        bound, under = scope.bindings.get(name, ()), scope.bound_under.get(name)
        for position in part:
            expr = bound[position]
            if under is None or not self._graph.rules_out(frame, under[position]):
                solver.link(self._graph.evaluate(frame, expr), node)
        if frame.parent is None:
            for writer in self._graph.index.global_writers.get((frame.module.index, name), ()):
                self._from_writer(frame, writer.index, name, node)
        self._from_closures(frame, name, node)

    def _from_writer(self, frame: Frame, scope_index: int, name: str, node: Node) -> None:
        writer = self._graph.values.frame(frame.module, frame.module.facts.scopes[scope_index], frame)
        for expr in writer.scope.bindings.get(name, ()):
            self._graph.solver.link(self._graph.evaluate(writer, expr), node)

    def _from_closures(self, frame: Frame, name: str, node: Node) -> None:
        """`nonlocal name` in functions inside."""
        for inner in self._graph.index.nonlocal_writers.get((frame.scope, name), ()):
            writer = self._graph.values.frame(frame.module, inner, frame)
            for expr in inner.bindings.get(name, ()):
                self._graph.solver.link(self._graph.evaluate(writer, expr), node)

    def _parameter(self, frame: Frame, parameter: Parameter, node: Node) -> None:
        graph, scope = self._graph, frame.scope
        takes_receiver = scope.parameters[0] is parameter and frame.receiver is not None
        if takes_receiver and parameter.kind == "positional":
            graph.solver.add(node, frame.receiver)  # type: ignore[arg-type]
            return
        if parameter.kind in ("args", "kwargs"):
            kind = "tuple" if parameter.kind == "args" else "dict"
            own = graph.values.make(Container, kind, frame, parameter)
            graph.solver.add(node, own)
            if takes_receiver:
                graph.solver.add(graph.slot(own, 0), frame.receiver)  # type: ignore[arg-type]
        elif parameter.annotation is not None:
            graph.solver.link(graph.instance_of(self._around(frame), parameter.annotation), node)
            node = graph.gate(node, [(self._around(frame), parameter.annotation)])
        elif parameter.name in graph.knowledge.parameters:
            graph.solver.add(node, graph.values.make(Object, graph.knowledge.parameters[parameter.name], None, None))
        if parameter.default is not None:
            graph.solver.link(graph.evaluate(self._around(frame), parameter.default), node)
        self._waiting.setdefault(frame, []).append((parameter, node))
        for arguments in list(self._given.get(frame, ())):
            self._match(frame, parameter, arguments, node)
        # Only now: most parameters are never asked for, and finding callers is dear.
        graph.demand_arguments(frame)

    def _around(self, frame: Frame) -> Frame:
        return frame.parent or frame

    def _match(self, frame: Frame, parameter: Parameter, arguments: Arguments, node: Node) -> None:
        """Link what a call gives for one parameter."""
        plain = [p for p in frame.scope.parameters if p.kind == "positional"]
        # `def method(*args)`: the receiver is the first of them.
        shift = 1 if frame.receiver is not None and not plain else 0
        if frame.receiver is not None:
            plain = plain[1:]
        if parameter.kind == "args":
            self._match_rest(frame, parameter, len(plain), arguments, shift)
        elif parameter.kind == "kwargs":
            self._match_keywords(frame, parameter, arguments)
        else:
            position = plain.index(parameter) if parameter in plain else None
            self._match_one(parameter, position, arguments, node)

    def _match_one(self, parameter: Parameter, position: int | None, arguments: Arguments, node: Node) -> None:
        graph = self._graph
        source = arguments.get(position, parameter.name)
        if source is not None:
            graph.solver.link(graph.node(source), node)
            return
        if position is not None:
            for rest in arguments.rest:
                self._from_container(rest, position - len(arguments.positional) + arguments.skip, node)
        for rest in arguments.rest_keywords:
            self._from_container(rest, parameter.name, node)

    def _from_container(self, source: Source, key: str | int, node: Node) -> None:
        graph = self._graph

        def take(value: Value) -> None:
            if isinstance(value, Container):
                graph.solver.link(graph.content(value, key), node)

        graph.solver.listen(graph.node(source), take)

    def _match_rest(self, frame: Frame, parameter: Parameter, taken: int, arguments: Arguments, shift: int) -> None:
        graph = self._graph
        own = graph.values.make(Container, "tuple", frame, parameter)
        for position, source in enumerate(arguments.positional[taken:], shift):
            graph.solver.link(graph.node(source), graph.slot(own, position))
        # The first of the rest may be what the parameters before it take.
        ahead = taken - len(arguments.positional) + arguments.skip - shift
        for rest in arguments.rest:
            graph.include(own, graph.node(rest), ahead)

    def _match_keywords(self, frame: Frame, parameter: Parameter, arguments: Arguments) -> None:
        graph = self._graph
        own = graph.values.make(Container, "dict", frame, parameter)
        named = {p.name for p in frame.scope.parameters}
        for name, source in arguments.keywords:
            if name not in named:
                graph.solver.link(graph.node(source), graph.slot(own, name))
        for rest in arguments.rest_keywords:
            graph.include(own, graph.node(rest))


def _bound(scope: Scope) -> frozenset[str]:
    """The names that a scope binds for itself."""
    outer = (name for name, where in scope.outer_names.items() if where == "nonlocal")
    return frozenset((*scope.bindings, *scope.annotations, *(p.name for p in scope.parameters))).difference(outer)
