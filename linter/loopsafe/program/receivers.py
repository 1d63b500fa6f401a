"""Expressions: what a receiver, an argument or any other expression may hold."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from loopsafe.facts.schema import (
    Annotation,
    Attr,
    Await,
    Call,
    Choice,
    Collection,
    Const,
    Enter,
    Expr,
    Import,
    Item,
    Name,
    Ref,
    Rest,
    Slice,
    Star,
    Subscript,
)
from loopsafe.program.annotations import Annotations
from loopsafe.program.classes import Classes
from loopsafe.program.decorators import Decorators
from loopsafe.program.graph import Arguments, Entered, Graph, Target
from loopsafe.program.index import last_name
from loopsafe.program.library import LibraryResults
from loopsafe.program.names import Names
from loopsafe.program.solver import Node
from loopsafe.program.values import (
    Class,
    Container,
    Coroutine,
    External,
    Frame,
    Function,
    Instance,
    Literal,
    Member,
    Object,
    Value,
    key_of,
)

# Longer strings are texts, larger numbers are not positions.
_LONGEST_KEY = 24
_LARGEST_INDEX = 64
# Decorators of classes whose instances patterns take apart by position.
_FIELDED = ("dataclass", "define", "frozen", "attrs")


class Receivers:
    """Builds the node of an expression, once for each frame it is read in."""

    def __init__(self, graph: Graph, names: Names, classes: Classes) -> None:
        self._graph, self._names, self._classes = graph, names, classes
        self._link, self._listen = graph.solver.link, graph.solver.listen
        # A bound method is an object of its own each time it is asked for.
        self._given = self._give
        self._annotations = Annotations(graph, classes)
        self._decorators = Decorators(graph, classes)
        self._library = LibraryResults(graph, classes)
        self._defaults: set[tuple[Container, str | int]] = set()
        self._builders: dict[type, Callable[..., None]] = {
            Attr: self._attr,
            Const: self._const,
            Ref: self._ref,
            Import: self._import,
            Collection: self._collection,
            Item: self._item,
            Subscript: self._subscript,
            Slice: self._slice,
            Rest: self._rest,
            Choice: self._choice,
            Await: self._await,
            Enter: self._enter,
            Annotation: self._annotation,
            Call: self._call,
        }

    def evaluate(self, frame: Frame, expr: Expr) -> Node:
        """The node of an expression; an empty one where nothing can be known."""
        if isinstance(expr, Name):
            return self._graph.read_name(frame, expr)
        node = frame.nodes.get(expr)
        if node is None:
            node = frame.nodes[expr] = Node()
            builder = self._builders.get(type(expr))
            if builder is not None:
                self._graph.solver.later_for(frame.module.library, builder, frame, expr, node)
        assert isinstance(node, Node)
        return node

    def instance_of(self, frame: Frame, annotation: Expr) -> Node:
        """What something annotated like this may hold."""
        return self._annotations.instance_of(frame, annotation)

    def _attr(self, frame: Frame, expr: Attr, node: Node) -> None:
        base = self.evaluate(frame, expr.base)
        self._listen(base, self._held, expr.name, node)

    def _held(self, name: str, node: Node, value: Value) -> None:
        self._link(self._graph.attribute(value, name), node)

    def _const(self, frame: Frame, expr: Const, node: Node) -> None:
        if _may_be_key(expr.value):
            self._graph.solver.add(node, self._graph.values.make(Literal, expr.value))
        elif isinstance(expr.value, str) and self._graph.complete:
            self._graph.solver.add(node, self._graph.values.make(Object, "builtins.str", None, None))

    def _ref(self, frame: Frame, expr: Ref, node: Node) -> None:
        scope = frame.module.facts.scopes[expr.scope]
        kind = Class if scope.kind == "class" else Function
        self._decorators.apply(frame, scope, self._graph.values.make(kind, frame.module, scope, frame), node)

    def _import(self, frame: Frame, expr: Import, node: Node) -> None:
        self._names.bind_import(frame, expr, node)

    def _annotation(self, frame: Frame, expr: Annotation, node: Node) -> None:
        self._link(self.instance_of(frame, expr.type), node)

    def _choice(self, frame: Frame, expr: Choice, node: Node) -> None:
        options, taken = expr.options, self._graph.decide(frame, expr.test)
        if taken is not None:
            options = options[:1] if taken else options[1:]
        for position, option in enumerate(options):
            if expr.joined:
                self._listen(self.evaluate(frame, option), self._joined, frame, expr, position, node)
            else:
                self._link(self.evaluate(frame, option), node)

    def _joined(self, frame: Frame, expr: Choice, position: int, node: Node, value: Value) -> None:
        """Containers that are added give a new one."""
        graph = self._graph
        if isinstance(value, Literal):
            return
        own = graph.values.make(Container, value.kind, frame, expr) if isinstance(value, Container) else value
        graph.solver.add(node, own)
        if own is not value:
            # How long the first one is, is not known.
            after = position and value.kind not in ("dict", "set")  # type: ignore[attr-defined]
            graph.include(own, graph.holding([value]), None if after else 0)

    def _collection(self, frame: Frame, expr: Collection, node: Node) -> None:
        graph = self._graph
        own = graph.values.make(Container, expr.kind, frame, expr)
        graph.solver.add(node, own)
        spread = False
        for position, item in enumerate(expr.items):
            if isinstance(item, Star):
                # How many a `*` gives is not known: what follows may have any position.
                shift = None if spread else -position
                graph.include(own, self.evaluate(frame, item.value), 0 if expr.keys else shift)
                spread = True
            elif not expr.keys:
                self._link(self.evaluate(frame, item), graph.slot(own, None if spread else position))
            else:
                self._keyed(frame, own, expr.keys[position], item)

    def _keyed(self, frame: Frame, own: Value, key: Expr, item: Expr) -> None:
        graph, held = self._graph, self.evaluate(frame, item)
        if isinstance(key, Const) and key.value is not None:
            self._link(held, graph.slot(own, key.value))
        elif (exact := graph.exact_key(frame, key)) is not None:
            self._link(held, graph.slot(own, exact))
        elif isinstance(key, (Name, Attr)):
            keys = self.evaluate(frame, key)
            self._listen(keys, self._put_under, held, own)
            graph.solver.when_idle(self._put_somewhere, held, own, keys)
        else:
            self._link(held, graph.slot(own, None))

    def _put_somewhere(self, held: Node, own: Value, keys: Node) -> None:
        """No value of the key has turned up, so it may be any."""
        if not keys.values:
            self._link(held, self._graph.slot(own, None))

    def _put_under(self, held: Node, own: Value, key: Value) -> None:
        self._link(held, self._graph.slot(own, key_of(key)))

    def _subscript(self, frame: Frame, expr: Subscript, node: Node) -> None:
        self._listen(self.evaluate(frame, expr.base), self._subscripted, frame, expr.index, node)

    def _subscripted(self, frame: Frame, index: Expr, node: Node, value: Value) -> None:
        if isinstance(value, (Class, External)):
            self._graph.solver.add(node, value)  # a generic class with its arguments
        else:
            self._element(frame, index, node, "__getitem__", value)

    def _slice(self, frame: Frame, expr: Slice, node: Node) -> None:
        own = self._graph.values.make(Container, "list", frame, expr)

        def cut(value: Value) -> None:
            if isinstance(value, Container):
                self._graph.solver.add(node, own)
                self._graph.include(own, self._graph.holding([value]), expr.start)
            else:
                self._subscripted(frame, None, node, value)

        self._listen(self.evaluate(frame, expr.base), cut)

    def _item(self, frame: Frame, expr: Item, node: Node) -> None:
        self._listen(self.evaluate(frame, expr.base), self._element, frame, expr.index, node, "__iter__")

    def _element(self, frame: Frame, index: Expr, node: Node, method: str, value: Value) -> None:
        graph = self._graph
        keeper = self._keeper(value) if index is not None else None
        if keeper is not None:
            graph.find_kept(keeper, index)
            self._by_key(frame, keeper, index, node)
        elif isinstance(value, (Container, Member)) or (isinstance(value, Object) and index is None):
            # Iterating a dict gives keys, which are not followed.
            if isinstance(value, Container) and value.kind == "dict" and method == "__iter__" and index is None:
                return
            self._by_key(frame, value, index, node)
        elif isinstance(value, Coroutine):
            # A generator: its items, whatever asks for them.
            self._link(graph.yielded(value.frame), node)
        elif isinstance(value, Instance) and isinstance(index, Const) and self._is_typed_dict(value):
            self._link(graph.attribute(value, str(index.value)), node)
        elif isinstance(value, Instance) and isinstance(index, Const) and (name := self._field(value, index.value)):
            self._link(graph.attribute(value, name), node)
        elif isinstance(value, Instance):
            self._through_method(frame, value, index, node, method)

    def _field(self, value: Instance, index: object) -> str:
        """The field at a position of a named tuple, or of a dataclass as patterns see it; empty where it is none."""
        line = [cls for cls in reversed(self._classes.mro(value.cls)) if isinstance(cls, Class)]
        named = any(base.endswith(".NamedTuple") for base in self._classes.library_bases(value.cls))
        if not named and not any(last_name(d) in _FIELDED for cls in line for d in cls.scope.decorators):
            return ""
        fields = list(dict.fromkeys(name for cls in line for name in cls.scope.annotations))
        return fields[index] if isinstance(index, int) and -len(fields) <= index < len(fields) else ""

    def _keeper(self, value: Value) -> Value | None:
        """What stands for all objects on which the program keeps items, if this is one."""
        name = self._graph.knowledge.keeper(value.type, "items") if isinstance(value, Object) else ""
        return self._graph.values.make(Object, name, None, None) if name else None

    def _is_typed_dict(self, value: Instance) -> bool:
        return any(base.endswith(".TypedDict") for base in self._classes.library_bases(value.cls))

    def _by_key(self, frame: Frame, value: Value, index: Expr, node: Node) -> None:
        graph = self._graph
        if isinstance(index, Const) and index.value is not None:
            self._link(graph.content(value, index.value), node)
        elif isinstance(index, (Name, Attr)):
            exact = graph.exact_key(frame, index)
            if exact is not None and isinstance(value, Container) and (value, exact) not in self._defaults:
                self._defaults.add((value, exact))
                self._listen(graph.slot(value, None), self._default_for, value, exact)
                self._link(graph.content(value, exact), node)
                return
            keys = self.evaluate(frame, index)
            self._listen(keys, self._under_key, value, node)
            if _is_computed(frame, index):
                self._link(graph.content(value, None), node)
            else:
                graph.solver.when_idle(self._unknown_key, value, keys, node)
        else:
            self._link(graph.content(value, None), node)

    def _default_for(self, value: Container, key: object, held: Value) -> None:
        """What a factory makes for a missing key, or a type declares for all, is another one for each key."""
        if not isinstance(held, Container):
            return
        declared = isinstance(held.display, Subscript)
        if declared or (held.display is value.display and held.frame is value.frame):
            graph, display = self._graph, (held.display, key)
            own = next((v for v in graph.slot(value, key).values if getattr(v, "display", None) == display), None)
            own = own or graph.values.make(Container, held.kind, held.frame, display)
            graph.solver.add(graph.slot(value, key), own)
            if declared:
                self._link(graph.slot(held, None), graph.slot(own, None))

    def _under_key(self, value: Value, node: Node, key: Value) -> None:
        self._link(self._graph.content(value, key_of(key)), node)

    def _unknown_key(self, value: Value, keys: Node, node: Node) -> None:
        """No value of the key has turned up, so it may be any."""
        if not keys.values:
            self._link(self._graph.content(value, None), node)

    def _through_method(self, frame: Frame, value: Instance, index: Expr, node: Node, method: str) -> None:
        """`value[index]` and `for x in value` by the methods of the class."""
        graph = self._graph

        def entered(target: Target) -> None:
            if isinstance(target, Entered):
                if method == "__getitem__":
                    self._link(graph.result(target.frame), node)
                else:
                    self._iterated(frame, target, node)

        arguments = Arguments() if method == "__iter__" else Arguments(graph.arguments_of(frame, (index,)))
        names = ("__iter__", "__aiter__") if method == "__iter__" else (method,)
        for name in names:
            self._listen(graph.attribute(value, name), graph.called_with, arguments, None, entered)

    def _iterated(self, frame: Frame, target: Entered, node: Node) -> None:
        graph = self._graph
        if target.function.scope.is_generator:
            self._link(graph.yielded(target.frame), node)
            return

        def step(value: Value) -> None:
            if isinstance(value, Instance):
                for name in ("__next__", "__anext__"):
                    self._listen(graph.attribute(value, name), lambda c: graph.call(c, Arguments(), None, give))
            else:
                self._element(frame, None, node, "__iter__", value)

        def give(got: Target) -> None:
            if isinstance(got, Entered):
                self._link(graph.result(got.frame), node)

        self._listen(graph.result(target.frame), step)

    def _rest(self, frame: Frame, expr: Rest, node: Node) -> None:
        own = self._graph.values.make(Container, "list", frame, expr)
        self._graph.solver.add(node, own)
        element = self.evaluate(frame, Item(expr.base, None))
        self._link(element, self._graph.slot(own, None))

    def _await(self, frame: Frame, expr: Await, node: Node) -> None:
        self._listen(self.evaluate(frame, expr.value), self._awaited, node)

    def _awaited(self, node: Node, value: Value) -> None:
        if isinstance(value, Coroutine):
            self._link(self._graph.result(value.frame), node)
        elif isinstance(value, Container) or (isinstance(value, Object) and not self._is_future(value)):
            # What a future gives is not the future; other awaitable things mostly give themselves (`await pool`).
            self._graph.solver.add(node, value)

    def _is_future(self, value: Object) -> bool:
        return "asyncio.Future" in self._graph.knowledge.lineage(value.type)

    def _enter(self, frame: Frame, expr: Enter, node: Node) -> None:
        graph = self._graph

        def entered(value: Value) -> None:
            if isinstance(value, Instance):
                method = "__aenter__" if expr.is_async else "__enter__"
                self._listen(graph.attribute(value, method), lambda c: graph.call(c, Arguments(), None, given))
            elif isinstance(value, Coroutine):
                self._link(graph.yielded(value.frame), node)
            elif isinstance(value, Object):
                graph.solver.add(node, value)

        def given(target: Target) -> None:
            if isinstance(target, Entered):
                self._link(graph.result(target.frame), node)

        self._listen(self.evaluate(frame, expr.value), entered)

    def _call(self, frame: Frame, expr: Call, node: Node) -> None:
        graph = self._graph
        graph.callees(frame, expr).given = node
        # Of those that it has heard of before, it has not made instances.
        for callee in list(graph.under(frame, expr.func, expr.guard).values):
            if isinstance(callee, Class):
                graph.solver.add(node, self._classes.instance(callee))
        graph.targets(frame, expr, partial(self._given, frame, expr, node))

    def _give(self, frame: Frame, expr: Call, node: Node, target: Target) -> None:
        if isinstance(target, Entered):
            self._entered(target, node)
        else:
            self._library.give(frame, expr, target, node)

    def _entered(self, target: Entered, node: Node) -> None:
        scope = target.function.scope
        # A constructor's own result is nothing; the instance is there already.
        if scope.name == "__init__" and target.frame.receiver is not None:
            return
        if scope.is_async or scope.is_generator:
            self._graph.solver.add(node, self._graph.values.make(Coroutine, target.frame))
        else:
            self._link(self._graph.result(target.frame), node)


def _may_be_key(value: object) -> bool:
    """Whether a constant may be an attribute's name, a key or an index; others are not worth following."""
    if isinstance(value, str):
        return len(value) <= _LONGEST_KEY and value.isidentifier()
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST_INDEX


def _is_computed(frame: Frame, index: Expr) -> bool:
    """Whether a key comes from a call, a message or the like: then the constants known for it are not all it can be."""
    bound = frame.scope.bindings.get(index.id, ()) if isinstance(index, Name) else ()
    return any(not isinstance(value, (Const, Name, Import)) for value in bound)
