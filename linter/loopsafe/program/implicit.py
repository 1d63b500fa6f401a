"""What runs without a call in the text: iterators, raised classes, context managers, properties, operators."""

from __future__ import annotations

from loopsafe.facts.schema import OPERATING, Attr, Block, Call, Expr, Implicit, Read, Subscript
from loopsafe.program.classes import Classes
from loopsafe.program.graph import Arguments, Entered, Graph, OnTarget, Target
from loopsafe.program.operators import in_turn
from loopsafe.program.solver import Listener
from loopsafe.program.values import Class, Descriptor, Frame, Function, Instance, Method, Value

_ITERATION = {"iter": ("__iter__", "__next__"), "aiter": ("__aiter__", "__anext__")}


class ImplicitCalls:
    """Hears of the project's functions that a statement enters. Library ones are left out: nothing is known of them."""

    def __init__(self, graph: Graph, classes: Classes) -> None:
        self._graph, self._classes = graph, classes

    def statement(self, frame: Frame, implicit: Implicit, on_target: OnTarget) -> None:
        """What a `for`, a comprehension, a `raise` or an operator enters."""
        if implicit.kind in OPERATING:
            self._operate(frame, implicit, on_target)
            return

        def met(value: Value) -> None:
            if implicit.kind == "raise":
                if isinstance(value, Class):
                    self._graph.call(value, Arguments(), None, on_target)
            elif isinstance(value, Instance):
                self._iterate(value, *_ITERATION[implicit.kind], on_target)

        self._listen(frame, implicit.value, met)

    def _operate(self, frame: Frame, implicit: Implicit, on_target: OnTarget) -> None:
        value = implicit.value
        name, base = "__getitem__", value.base if isinstance(value, Subscript) else None
        if isinstance(value, Call) and isinstance(value.func, Attr):
            name, base = value.func.name, value.func.base

        def met(found: Value) -> None:
            if isinstance(found, Instance):
                for method in in_turn(name):
                    if self._classes.binding(found.cls, method) is not None:
                        self._method(found, method, on_target)
                        return

        self._listen(frame, base, met)

    def block(self, frame: Frame, block: Block, on_target: OnTarget) -> None:
        """What entering and leaving a `with` block enters."""
        names = ("__aenter__", "__aexit__") if block.is_async else ("__enter__", "__exit__")

        def met(value: Value) -> None:
            if isinstance(value, Instance):
                for name in names:
                    self._method(value, name, on_target)

        self._listen(frame, block.value, met)

    def read(self, frame: Frame, read: Read, on_target: OnTarget) -> None:
        """The property that an attribute read runs."""

        def met(value: Value) -> None:
            if isinstance(value, Instance):
                self._property(value, read.attr.name, on_target)

        self._listen(frame, read.attr.base, met)

    def _listen(self, frame: Frame, expr: Expr, met: Listener) -> None:
        self._graph.solver.listen(self._graph.evaluate(frame, expr), met)

    def _method(self, value: Instance, name: str, on_target: OnTarget) -> None:
        graph = self._graph
        graph.solver.listen(
            graph.attribute(value, name), lambda callee: graph.call(callee, Arguments(), None, on_target)
        )

    def _iterate(self, value: Instance, first: str, then: str, on_target: OnTarget) -> None:
        def entered(target: Target) -> None:
            on_target(target)
            # The iterator is what `__iter__` gives, which need not be the object itself.
            if isinstance(target, Entered) and not target.function.scope.is_generator:
                self._graph.solver.listen(self._graph.result(target.frame), step)

        def step(iterator: Value) -> None:
            if isinstance(iterator, Instance):
                self._method(iterator, then, on_target)

        self._method(value, first, entered)

    def _property(self, value: Instance, name: str, on_target: OnTarget) -> None:
        graph = self._graph

        def run(found: Value) -> None:
            if isinstance(found, Descriptor) and found.kind == "property" and isinstance(found.function, Function):
                graph.call(graph.values.make(Method, value, found.function), Arguments(), None, on_target)

        cls = self._classes.binding(value.cls, name)
        if cls is not None:
            body = graph.values.frame(cls.module, cls.scope, cls.frame)
            graph.solver.listen(graph.variable(body, name), run)
