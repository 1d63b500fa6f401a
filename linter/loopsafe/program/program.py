"""The whole program as a graph that is built when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from loopsafe.facts.schema import Call, Expr, Import, Name, Scope, Yielded
from loopsafe.knowledge.load import Knowledge
from loopsafe.knowledge.schema import RunsRow
from loopsafe.program.attributes import Attributes
from loopsafe.program.callgraph import Calls
from loopsafe.program.classes import Classes
from loopsafe.program.constants import Constants
from loopsafe.program.containers import Containers
from loopsafe.program.declared_types import DeclaredTypes
from loopsafe.program.graph import Arguments, Graph, Library, OnTarget, Source
from loopsafe.program.modules import Modules
from loopsafe.program.names import Names
from loopsafe.program.narrowing import Narrowing
from loopsafe.program.receivers import Receivers
from loopsafe.program.solver import Node
from loopsafe.program.values import Container, Coroutine, Frame, Value
from loopsafe.program.writers import Writers


class Program(Graph):
    """Joins the parts: names, classes, attributes, expressions, containers, calls."""

    def __init__(self, modules: Modules, knowledge: Knowledge, complete: bool = False) -> None:
        super().__init__(modules, knowledge, complete)
        self.classes = Classes(self)
        self._declared_types = DeclaredTypes(self, self.classes)
        self._narrowing = Narrowing(self, self._declared_types)
        self._names = Names(self)
        self._attributes = Attributes(self, self.classes)
        self._receivers = Receivers(self, self._names, self.classes)
        self._writers = Writers(self, self.classes)
        self._containers = Containers(self.solver, self._writers.demand)
        self.on_frame(self._writers.entered)
        self._constants = Constants(self)
        self._calls = Calls(self, self._names, self.classes, self._constants)
        self._finding: dict[tuple[Scope, bool], bool] = {}
        self._attribute_nodes: dict[tuple[Value, str], Node] = {}
        self._results: dict[Frame, Node] = {}
        self._yields: dict[Frame, Node] = {}

    def evaluate(self, frame: Frame, expr: Expr) -> Node:
        """What an expression holds."""
        return self._receivers.evaluate(frame, expr)

    def under(self, frame: Frame, expr: Expr, guard: int) -> Node:
        """What an expression holds where a guard of its scope holds."""
        return self._narrowing.evaluate(frame, expr, guard) if guard >= 0 else self.evaluate(frame, expr)

    def rules_out(self, frame: Frame, guard: int) -> bool:
        """Whether the constants that a frame is entered with keep control from getting past a guard."""
        return self._constants.rules_out(frame, guard)

    def decide(self, frame: Frame, test: Expr) -> bool | None:
        """What a test gives by the constants that a frame is entered with; None where that is not known."""
        return self._constants.decide(frame, test)

    def variable(self, frame: Frame, name: str) -> Node:
        """What a name bound in this very scope holds."""
        return self._names.variable(frame, name)

    def read_name(self, frame: Frame, name: Name) -> Node:
        """What a name in the text of a function holds there."""
        return self._names.read(frame, name)

    def lookup(self, frame: Frame, name: str) -> Node:
        """What a name holds by Python's scoping rules."""
        return self._names.lookup(frame, name)

    def bind_import(self, frame: Frame, imported: Import, node: Node) -> None:
        """What an import in this frame's module gives."""
        self._names.bind_import(frame, imported, node)

    def attribute(self, value: Value, name: str) -> Node:
        """What an attribute of a value holds."""
        node = self._attribute_nodes.get((value, name))
        if node is None:
            node = self._attribute_nodes[value, name] = Node()
            self.solver.later(self._attributes.fill, value, name, node)
        return node

    def instance_of(self, frame: Frame, annotation: Expr) -> Node:
        """What something annotated like this holds."""
        return self._receivers.instance_of(frame, annotation)

    def gate(self, node: Node, declarations: Iterable[tuple[Frame, Expr]]) -> Node:
        """Where to link what comes into `node`, so that it holds nothing that its declared types rule out."""
        return self._declared_types.gate(node, declarations)

    def may_be(self, value: Value, frame: Frame, classes: Iterable[Expr]) -> bool:
        """Whether a value may be an instance of one of the classes that these expressions name in a frame."""
        return self._declared_types.may_be(value, [(frame, cls) for cls in classes])

    def result(self, frame: Frame) -> Node:
        """What a function gives back: what it returns, and what it declares to return."""
        found = self._results.get(frame)
        if found is None:
            node = found = self._results[frame] = Node()
            scope = frame.scope
            # Abstract methods return nothing but say what.
            if scope.returns_annotation is not None and frame.parent is not None:
                self.solver.link(self.instance_of(frame.parent, scope.returns_annotation), node)
                if not scope.is_generator:
                    node = self.gate(node, [(frame.parent, scope.returns_annotation)])
            for expr, guard in zip(scope.returns, scope.returned_under, strict=True):
                if not self.rules_out(frame, guard):
                    self.solver.link(self.evaluate(frame, expr), node)
        return found

    def yielded(self, frame: Frame) -> Node:
        """What a generator gives, one by one."""
        node = self._yields.get(frame)
        if node is None:
            node = self._yields[frame] = Node()
            for expr in frame.scope.yields:
                if isinstance(expr, Yielded):
                    self._yield_from(self.evaluate(frame, expr.value), node)
                else:
                    self.solver.link(self.evaluate(frame, expr), node)
        return node

    def _yield_from(self, source: Node, node: Node) -> None:
        def each(value: Value) -> None:
            if isinstance(value, Coroutine):
                self.solver.link(self.yielded(value.frame), node)
            elif isinstance(value, Container):
                self.solver.link(self.content(value, None), node)

        self.solver.listen(source, each)

    def content(self, container: Value, key: object) -> Node:
        """What may be read under a key of a container."""
        return self._containers.read(container, key)

    def exact_key(self, frame: Frame, key: Expr) -> str | int | None:
        """The one constant that a key is in a frame; None where it may be another."""
        return self._constants.exact_key(frame, key)

    def finds_handlers(self, frame: Frame, around: bool = True) -> bool:
        """Whether a function, or one `around` it, finds handlers by a name that it is given."""
        found = self._finding.get((frame.scope, around))
        if found is None:
            at: Frame | None = frame
            while at is not None and not self._constants.registries.keys(at.module, at.scope):
                at = at.parent if around else None
            found = self._finding[frame.scope, around] = at is not None
        return found

    def entered_plainly(self, frame: Frame) -> None:
        """A call enters a function without constants that tell its calls apart."""
        self._writers.entered_plainly(frame)

    def find_kept(self, keeper: Value, key: Expr) -> None:
        """Find what the program puts under a key, written like this, into objects that `keeper` stands for."""
        self._writers.kept(keeper, key)

    def slot(self, container: Value, key: object) -> Node:
        """Where to put what is stored under a key of a container."""
        return self._containers.slot(container, key)

    def include(self, container: Value, node: Node, shift: int | None = 0) -> None:
        """All that the containers in `node` hold, `container` holds too: under a position less by `shift`."""
        self._containers.include(container, node, shift)

    def call(self, callee: Value, arguments: Arguments, site: object, on_target: OnTarget) -> None:
        """Call a value; hear of every function or library thing that this enters."""
        self._calls.call(callee, arguments, site, on_target)

    def hand_over(self, row: RunsRow, target: Library, site: object, on_target: OnTarget) -> None:
        """Enter the callables that a library call runs, with the arguments it gives them."""
        self._calls.handed_over(row, target, site, on_target)

    def callable_sources(self, row: RunsRow, arguments: Arguments) -> list[Source]:
        """The arguments that a row says are callables or coroutines."""
        return self._calls.callable_sources(row, arguments)

    def on_frame(self, listener: Callable[[Frame], None]) -> None:
        """Hear of every frame when it is first entered."""
        self._names.entered.append(listener)

    def arguments(self, frame: Frame, call: Call) -> Arguments:
        """The arguments written in a call."""
        return self._calls.arguments(frame, call)

    def demand_arguments(self, frame: Frame) -> None:
        """Find the calls that enter this frame."""
        self.solver.later_for(frame.module.library, self._calls.demand, frame)
