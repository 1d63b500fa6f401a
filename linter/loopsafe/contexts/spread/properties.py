"""Properties run where they are read, their setters where they are stored to."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from loopsafe.contexts.places.place import Hop, State
from loopsafe.facts.schema import Call, Expr, Read, Scope, Store
from loopsafe.program.graph import Arguments, Entered, Source, Target
from loopsafe.program.index import last_name, method_kind
from loopsafe.program.program import Program
from loopsafe.program.solver import Node
from loopsafe.program.values import Descriptor, Function, Instance, Method, Value

OnEntered = Callable[[State, State, Hop], None]
"""Hears of the state that control comes from, the one that it goes to, and how."""


class Properties:
    """Finds the functions behind attributes of objects of the project."""

    def __init__(self, program: Program, entered: OnEntered) -> None:
        self._program, self._entered = program, entered
        self._names = self._property_names()
        decorated = program.index.decorated.get("setter", ())
        self._setters = frozenset([*(scope.name for _, scope in decorated), *self._described()])

    def may_run(self, read: Read) -> bool:
        """Whether some property has the name of what is read."""
        return read.attr.name in self._names

    def may_set(self, store: Store) -> bool:
        """Whether some property with a setter has the name of what is stored."""
        return store.name in self._setters

    def read(self, state: State, read: Read) -> None:
        """Enter the property that a read runs."""
        hop = Hop("calls", state.frame.module, read.packed_span)
        self._found(state, read.attr.base, read.attr.name, self._run, state, hop)

    def stored(self, state: State, store: Store) -> None:
        """Enter the setter that a store runs."""
        hop = Hop("calls", state.frame.module, store.packed_span)
        given = Arguments((Source(state.frame, store.value),))
        self._found(state, store.base, store.name or "", self._set, state, hop, given)

    def _found(self, state: State, base: Expr, name: str, action: Callable[..., None], *parts: object) -> None:
        """Do something with what the class of each object of the project has under a name."""
        program = self._program

        def on(value: Value) -> None:
            cls = program.classes.binding(value.cls, name) if isinstance(value, Instance) else None
            if cls is not None:
                body = program.values.frame(cls.module, cls.scope, cls.frame)
                program.solver.listen(program.variable(body, name), action, *parts, value)

        program.solver.listen(program.evaluate(state.frame, base), on)

    def _run(self, state: State, hop: Hop, receiver: Value, found: Value) -> None:
        if isinstance(found, Descriptor) and found.kind == "property" and isinstance(found.function, Function):
            function = found.function
            frame = self._program.values.frame(function.module, function.scope, function.frame, receiver)
            self._entered(state, State(frame, state.place), hop)

    def _set(self, state: State, hop: Hop, given: Arguments, receiver: Value, found: Value) -> None:
        def entered(target: Target) -> None:
            if isinstance(target, Entered):
                self._entered(state, State(target.frame, state.place), hop)

        program = self._program
        if isinstance(found, Descriptor) and found.kind == "setter" and isinstance(found.function, Function):
            program.call(program.values.make(Method, receiver, found.function), given, None, entered)
        elif isinstance(found, Instance):
            of = Source(None, None, Node())
            program.solver.add(program.node(of), receiver)
            both = Arguments((of, *given.positional))
            setter = program.attribute(found, "__set__")
            program.solver.listen(setter, lambda method: program.call(method, both, None, entered))

    def _described(self) -> Iterator[str]:
        """The names of class attributes that are objects with a `__set__` of their own."""
        index = self._program.index
        classes = {m.facts.scopes[s.parent].name for m, s in index.functions.get("__set__", ())}
        for module in self._program.modules.all if classes else ():
            for scope in module.facts.scopes:
                for name, values in scope.bindings.items() if scope.kind == "class" else ():
                    if any(isinstance(v, Call) and last_name(v.func) in classes for v in values):
                        yield name

    def _property_names(self) -> frozenset[str]:
        return frozenset(
            scope.name
            for module in self._program.modules.all
            for scope in module.facts.scopes
            if scope.kind == "function" and scope.decorators and method_kind(scope) == "plain" and _is_read(scope)
        )


def _is_read(scope: Scope) -> bool:
    return all(last_name(decorator) not in ("setter", "deleter") for decorator in scope.decorators)
